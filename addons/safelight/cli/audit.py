"""safelight audit: read the record of decisions."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import click

from safelight import audit as audit_log
from safelight import paths
from safelight.cli import words

_FOLDER = click.option(
    "--audit",
    "folder",
    type=click.Path(path_type=Path),
    default=paths.default_audit,
    show_default="your data folder",
    metavar="DIR",
    help="The audit folder.",
)
_STOPPED = {"hold", "block"}
_HOW = {
    "sent": "sent",
    "stopped": "stopped",
    "uninspected": "let through without a look, as your policy says",
    "certificate-rejected": "not sent, since the program would not accept the certificate",
}


@click.group()
def audit() -> None:
    """Read the record of decisions."""


@audit.command()
@_FOLDER
@click.option(
    "-n",
    "count",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="How many records.",
)
@click.option("--json", "as_json", is_flag=True, help="The records as they stand in the file.")
def tail(folder: Path, count: int, *, as_json: bool) -> None:
    """Show the last decisions, newest last."""
    if not folder.exists() and folder != paths.default_audit():
        raise click.ClickException(f"There is no folder {folder}.")
    records: list[audit_log.Record | str] = []
    try:
        records += audit_log.last(folder, count)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise click.ClickException(f"{folder} cannot be read: {error.strerror}") from error
    if not records:
        click.echo(f"No decision has been recorded in {folder} yet.", err=True)
    for record in records:
        if isinstance(record, str):
            click.echo(f"? not a record: {record[:60]!r}", err=True)
        elif as_json:
            click.echo(record.model_dump_json(by_alias=True, exclude_none=True))
        else:
            click.echo(_in_words(record))


@audit.command()
@_FOLDER
def coverage(folder: Path) -> None:
    """Show, for each service, what was seen of it and what was not."""
    seen: defaultdict[str, Counter[str]] = defaultdict(Counter)
    try:
        for record in audit_log.every(folder):
            if isinstance(record, audit_log.Unseen):
                seen[record.service][record.how] += 1
            elif isinstance(record, audit_log.Decision):
                seen[record.service]["stopped" if record.verdict in _STOPPED else "sent"] += 1
    except FileNotFoundError:
        click.echo(f"No decision has been recorded in {folder} yet.", err=True)
    except OSError as error:
        raise click.ClickException(f"{folder} cannot be read: {error.strerror}") from error
    for service, counts in sorted(seen.items()):
        told = [f"{counts[how]} {words_}" for how, words_ in _HOW.items() if counts[how]]
        click.echo(f"{service}: {words.listed(told)}")


def _in_words(record: audit_log.Record) -> str:
    if isinstance(record, audit_log.Unseen):
        return f"{record.at}  {_HOW[record.how]}  {record.service}"
    if isinstance(record, audit_log.End):
        told = words.listed([words.kind(kind) for kind in record.found]) or "nothing private"
        why = f" because of {record.refusal}" if record.refusal else ""
        return f"{record.at}  {record.of}  ended {record.how}{why}: {told} taken out"
    found = sorted({kind for picture in record.pictures for kind in picture.found})
    told = words.listed([words.kind(kind) for kind in found]) or "nothing private"
    what = "stopped" if record.verdict in _STOPPED else "sent"
    why = f" because of {record.refusal}" if record.refusal else ""
    held = f": {words.files(len(record.pictures))}, saying {told}" if record.pictures else ""
    return f"{record.at}  {record.id}  {what}{why}  {record.service}{held}"

"""safelight audit: read the record of decisions."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from typing import TYPE_CHECKING

import click

from safelight import audit as audit_log
from safelight.cli import audit_options, audit_words, words
from safelight.cli.audit_export import export, schema
from safelight.cli.audit_keys import erase, find, retire
from safelight.cli.audit_report import report
from safelight.cli.audit_search import search, show
from safelight.cli.audit_verify import verify

if TYPE_CHECKING:
    from pathlib import Path


@click.group()
def audit() -> None:
    """Read the record of decisions."""


for command in (search, show, verify, find, export, report, schema, erase, retire):
    audit.add_command(command)


@audit.command()
@audit_options.FOLDER
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
    records: deque[audit_log.Told | str] = deque(maxlen=count)
    with audit_options.reading(folder):
        records.extend(audit_log.told(folder))
    if not records and folder.exists():
        click.echo(f"No decision has been recorded in {folder} yet.", err=True)
    for record in records:
        if isinstance(record, str):
            click.echo(f"? not a record: {record[:60]!r}", err=True)
        elif as_json:
            click.echo(record.model_dump_json(by_alias=True, exclude_none=True))
        else:
            click.echo(audit_words.line(record))


@audit.command()
@audit_options.FOLDER
def coverage(folder: Path) -> None:
    """Show, for each service, what was seen of it and what was not."""
    seen: defaultdict[str, Counter[str]] = defaultdict(Counter)
    held: dict[str, str] = {}
    with audit_options.reading(folder):
        for record in audit_log.told(folder):
            if isinstance(record, audit_log.Unseen):
                seen[record.service][record.how] += 1
            elif isinstance(record, audit_log.Decision):
                what = audit_words.verdict(record.verdict)
                seen[record.service][what] += 1
                if what == "held":
                    held[record.id] = record.service
            elif isinstance(record, audit_log.Release) and record.of in held:
                approved = record.how == "approved"
                seen[held[record.of]].update({"held": -1, "sent": 1} if approved else {})
    if not seen and folder.exists():
        click.echo(f"No decision has been recorded in {folder} yet.", err=True)
    for service, counts in sorted(seen.items()):
        hows = [how for how in dict.fromkeys([*audit_words.HOW, *counts]) if counts[how]]
        told = [f"{counts[how]} {audit_words.HOW.get(how, how)}" for how in hows]
        click.echo(f"{service}: {words.listed(told)}")

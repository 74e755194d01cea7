"""safelight audit: read the record of decisions."""

from __future__ import annotations

import json
from collections import Counter, defaultdict, deque
from pathlib import Path

import click

from safelight import audit as audit_log
from safelight import paths
from safelight.cli import words
from safelight.cli.audit_keys import FOLDER, STATE, erase, find, keys_of, retire

_RELEASED = {
    "approved": "approved, so it was sent",
    "denied": "denied, so it stayed here",
    "timed-out": "not answered in time, so it stayed here",
    "full": "one too many that wait, so it stayed here",
    "left": "its page was left, so nothing was sent",
    "nobody-to-ask": "nobody to ask, so it stayed here",
}
_HOW = {
    "sent": "sent",
    "stopped": "stopped",
    "held": "held and not let go",
    "uninspected": "let through without a look, as your policy says",
    "certificate-rejected": "not sent, since the program would not accept the certificate",
}


@click.group()
def audit() -> None:
    """Read the record of decisions."""


for command in (find, erase, retire):
    audit.add_command(command)


@audit.command()
@FOLDER
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
    records: deque[audit_log.Told | str] = deque(maxlen=count)
    try:
        records.extend(audit_log.told(folder))
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
@FOLDER
def coverage(folder: Path) -> None:
    """Show, for each service, what was seen of it and what was not."""
    seen: defaultdict[str, Counter[str]] = defaultdict(Counter)
    held: dict[str, str] = {}
    try:
        for record in audit_log.told(folder):
            if isinstance(record, audit_log.Unseen):
                seen[record.service][record.how] += 1
            elif isinstance(record, audit_log.Decision):
                what = {"block": "stopped", "hold": "held"}.get(record.verdict, "sent")
                seen[record.service][what] += 1
                if what == "held":
                    held[record.id] = record.service
            elif isinstance(record, audit_log.Release) and record.of in held:
                approved = record.how == "approved"
                seen[held[record.of]].update({"held": -1, "sent": 1} if approved else {})
    except FileNotFoundError:
        pass
    except OSError as error:
        raise click.ClickException(f"{folder} cannot be read: {error.strerror}") from error
    if not seen:
        click.echo(f"No decision has been recorded in {folder} yet.", err=True)
    for service, counts in sorted(seen.items()):
        told = [f"{counts[how]} {words_}" for how, words_ in _HOW.items() if counts[how]]
        click.echo(f"{service}: {words.listed(told)}")


@audit.command()
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.option(
    "--key",
    "key_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The log's public key, when the folder is a copy.",
)
@click.option(
    "--expect",
    "checkpoint_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A checkpoint that was kept elsewhere.",
)
@STATE
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def verify(
    folder: Path | None,
    key_file: Path | None,
    checkpoint_file: Path | None,
    state: Path,
    *,
    as_json: bool,
) -> None:
    """Is the log in FOLDER (your own without it) as it was written?

    A copy needs nothing but its public key. Exit code 0: yes; 1: it was altered; 2: it was cut
    short or has a gap; 3: it is not signed, or not with this key; 4: it cannot be read.
    """
    where = folder or paths.default_audit()
    keys = keys_of(where, state)
    try:
        first = _read_key(key_file or keys / audit_log.FIRST_PUBLIC)
        expected = _read_checkpoint(checkpoint_file or keys / audit_log.LAST_CHECKPOINT)
        proof = audit_log.verify(where, first, None if key_file and folder else expected)
    except audit_log.ProofError as error:
        _say_result(error.result, {"problem": str(error)}, str(error), as_json=as_json)
        raise SystemExit(int(error.result)) from None
    unsigned = proof.head.seq - proof.signed
    facts = {
        "log": proof.log,
        "records": [proof.first_seq, proof.head.seq],
        "from": proof.began,
        "to": proof.head.at,
        "checkpoints": proof.checkpoints,
        "unsigned": unsigned,
        "key": "given" if first else "its own",
        "notes": proof.notes,
    }
    days = f"{proof.began[:10]} to {proof.head.at[:10]}"
    lines = [
        f"log {proof.log}   records {proof.first_seq} to {proof.head.seq}   {days}",
        f"ok    chain    {proof.records} records, none missing, none altered",
        f"ok    signed   {proof.checkpoints} checkpoints, {unsigned} records since the last",
        *(f"note  {note}" for note in proof.notes),
    ]
    if first is None:
        lines.append(
            "note  no public key was given: whoever wrote it signed it with a key of theirs"
        )
    _say_result(audit_log.Result.GOOD, facts, "\n".join(lines), as_json=as_json)


def _say_result(
    result: audit_log.Result, facts: dict[str, object], text: str, *, as_json: bool
) -> None:
    if as_json:
        click.echo(json.dumps({"result": result.name.lower(), **facts}))
    else:
        click.echo(text, err=result is not audit_log.Result.GOOD)


def _read_key(path: Path) -> audit_log.Verifier | None:
    if not path.exists():
        return None
    try:
        return audit_log.Verifier.parse(path.read_text())
    except (audit_log.NoteError, UnicodeDecodeError) as error:
        raise audit_log.ProofError(
            audit_log.Result.UNSEALED, f"{path} is not the public key of a log."
        ) from error


def _read_checkpoint(path: Path) -> audit_log.Checkpoint | None:
    if not path.exists():
        return None
    try:
        return audit_log.Checkpoint.of_note(path.read_text())
    except (audit_log.NoteError, UnicodeDecodeError) as error:
        raise audit_log.ProofError(
            audit_log.Result.UNSEALED, f"{path} is not a checkpoint."
        ) from error


def _in_words(record: audit_log.Told) -> str:
    if isinstance(record, audit_log.Release):
        return f"{record.at}  {record.of}  {_RELEASED[record.how]}"
    if isinstance(record, audit_log.Unseen):
        return f"{record.at}  {_HOW[record.how]}  {record.service}"
    if isinstance(record, audit_log.End):
        told = words.listed([words.kind(kind) for kind in record.found]) or "nothing private"
        why = f" because of {record.refusal}" if record.refusal else ""
        return f"{record.at}  {record.of}  ended {record.how}{why}: {told} taken out"
    found = sorted({kind for picture in record.pictures for kind in picture.found})
    told = words.listed([words.kind(kind) for kind in found]) or "nothing private"
    what = {"block": "stopped", "hold": "waits"}.get(record.verdict, "sent")
    why = f" because of {record.refusal}" if record.refusal else ""
    held = f": {words.files(len(record.pictures))}, saying {told}" if record.pictures else ""
    return f"{record.at}  {record.id}  {what}{why}  {record.service}{held}"

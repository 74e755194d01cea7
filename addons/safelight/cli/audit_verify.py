"""safelight audit verify: is the log as it was written?"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from safelight import audit as audit_log
from safelight import paths
from safelight.cli.audit_options import FOLDER, keys_of
from safelight.cli.options import STATE

if TYPE_CHECKING:
    from collections.abc import Iterator

# What cannot be read has an exit code of its own here, which is not click's.
_FILE = click.Path(path_type=Path, readable=False)


@click.command()
@click.argument("copy", metavar="[FOLDER]", type=_FILE, required=False)
@FOLDER
@click.option(
    "--key",
    "key_file",
    type=_FILE,
    metavar="FILE",
    help="The log's public key, when the folder is a copy.",
)
@click.option(
    "--expect",
    "checkpoint_file",
    type=_FILE,
    metavar="FILE",
    help="A checkpoint that was kept elsewhere.",
)
@STATE
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def verify(
    copy: Path | None,
    folder: Path,
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
    try:
        # A copy may be older than what this machine knows of the log.
        known = not (copy and key_file)
        proof = prove(copy or folder, state, key_file, checkpoint_file, known=known)
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
        "key": "given" if proof.first else "its own",
        "notes": proof.notes,
    }
    days = f"{proof.began[:10]} to {proof.head.at[:10]}"
    lines = [
        f"log {proof.log}   records {proof.first_seq} to {proof.head.seq}   {days}",
        f"ok    chain    {proof.records} records, none missing, none altered",
        f"ok    signed   {proof.checkpoints} checkpoints, {unsigned} records since the last",
        *(f"note  {note}" for note in proof.notes),
    ]
    if proof.first is None:
        lines.append(
            "note  no public key was given: whoever wrote it signed it with a key of theirs"
        )
    _say_result(audit_log.Result.GOOD, facts, "\n".join(lines), as_json=as_json)


def prove(
    folder: Path,
    state: Path,
    key_file: Path | None = None,
    checkpoint_file: Path | None = None,
    *,
    known: bool = True,
) -> audit_log.Proof:
    """Verify a log with the files that are given, or with what is `known` of it on this machine.
    Raises audit.ProofError."""
    try:
        keys = keys_of(folder, state)
        first = _read_key(key_file or _if_there(keys / audit_log.FIRST_PUBLIC))
        remembered = _if_there(keys / audit_log.LAST_CHECKPOINT) if known else None
        expected = _read_checkpoint(checkpoint_file or remembered)
    except OSError as error:
        raise audit_log.ProofError(
            audit_log.Result.UNREADABLE, f"{error.filename} cannot be read: {error.strerror}."
        ) from error
    proof = audit_log.verify(folder, first, expected)
    if known:
        proof.notes.extend(_others(state, proof.log))
    return proof


def _others(state: Path, log: str) -> Iterator[str]:
    """That this machine has the keys of other logs: one that was taken away whole is noticed."""
    for path in sorted(paths.audit_keys(state).glob(f"*/{audit_log.LAST_CHECKPOINT}")):
        if path.parent.name != log:
            with contextlib.suppress(OSError, audit_log.ProofError):
                other = _read_checkpoint(path)
                size = other.size if other else 0
                yield f"another log was kept here: {path.parent.name}, {size} records or more"


def _if_there(path: Path) -> Path | None:
    return path if path.exists() else None


def _say_result(
    result: audit_log.Result, facts: dict[str, object], text: str, *, as_json: bool
) -> None:
    if as_json:
        click.echo(json.dumps({"result": result.name.lower(), **facts}))
    else:
        click.echo(text, err=result is not audit_log.Result.GOOD)


def _read_key(path: Path | None) -> audit_log.Verifier | None:
    if path is None:
        return None
    try:
        return audit_log.Verifier.parse(path.read_text())
    except (audit_log.NoteError, UnicodeDecodeError) as error:
        raise audit_log.ProofError(
            audit_log.Result.UNSEALED, f"{path} is not the public key of a log."
        ) from error


def _read_checkpoint(path: Path | None) -> audit_log.Checkpoint | None:
    if path is None:
        return None
    try:
        return audit_log.Checkpoint.of_note(path.read_text())
    except (audit_log.NoteError, UnicodeDecodeError) as error:
        raise audit_log.ProofError(
            audit_log.Result.UNSEALED, f"{path} is not a checkpoint."
        ) from error

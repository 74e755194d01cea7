"""safelight audit verify: is the log as it was written?"""

from __future__ import annotations

import json
from pathlib import Path

import click

from safelight import audit as audit_log
from safelight import paths
from safelight.cli.audit_options import keys_of
from safelight.cli.options import STATE


@click.command()
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
    try:
        proof = prove(folder, state, key_file, checkpoint_file)
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
    folder: Path | None,
    state: Path,
    key_file: Path | None = None,
    checkpoint_file: Path | None = None,
) -> audit_log.Proof:
    """Verify a log with what is known of it on this machine. Raises audit.ProofError."""
    where = folder or paths.default_audit()
    keys = keys_of(where, state)
    first = _read_key(key_file or keys / audit_log.FIRST_PUBLIC)
    # A copy may be older than what this machine knows of the log.
    known = None if key_file and folder else keys / audit_log.LAST_CHECKPOINT
    noted = checkpoint_file or known
    return audit_log.verify(where, first, _read_checkpoint(noted) if noted else None)


def _say_result(
    result: audit_log.Result, facts: dict[str, object], text: str, *, as_json: bool
) -> None:
    if as_json:
        click.echo(json.dumps({"result": result.name.lower(), **facts}))
    else:
        click.echo(text, err=result is not audit_log.Result.GOOD)


def _read_key(path: Path) -> audit_log.Verifier | None:
    try:
        return audit_log.Verifier.parse(path.read_text())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(error) from error
    except (audit_log.NoteError, UnicodeDecodeError) as error:
        raise audit_log.ProofError(
            audit_log.Result.UNSEALED, f"{path} is not the public key of a log."
        ) from error


def _read_checkpoint(path: Path) -> audit_log.Checkpoint | None:
    try:
        return audit_log.Checkpoint.of_note(path.read_text())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(error) from error
    except (audit_log.NoteError, UnicodeDecodeError) as error:
        raise audit_log.ProofError(
            audit_log.Result.UNSEALED, f"{path} is not a checkpoint."
        ) from error


def _unreadable(error: OSError) -> audit_log.ProofError:
    says = f"{error.filename} cannot be read: {error.strerror}."
    return audit_log.ProofError(audit_log.Result.UNREADABLE, says)

"""Is a log as it was written? Needs its files and its first public key, nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safelight.audit import chain, segments
from safelight.audit.chain import LineError
from safelight.audit.notes import NoteError
from safelight.audit.proof import Proof, ProofError, Result

if TYPE_CHECKING:
    from pathlib import Path

    from safelight.audit.notes import Checkpoint, Verifier


def verify(folder: Path, first: Verifier | None, expected: Checkpoint | None = None) -> Proof:
    """Read the log in `folder` from its first line to its last whole one.

    `first` is the public key it was begun with; without it, only what it says of itself is
    checked. `expected` is a checkpoint that was kept elsewhere. Raises ProofError.
    """
    proof = Proof(first, expected)
    try:
        files = segments.present(folder)
        numbers = list(files)
        for number, path in files.items():
            missing = [one for one in range(numbers[0], number) if one not in files]
            if missing:
                name = segments.path_of(folder, missing[0]).name
                raise ProofError(Result.CUT, f"The file {name} is missing.")
            if number == numbers[0] > 1:
                _take_retired_keys(proof, folder, path)
            _take_file(proof, path, is_last=number == numbers[-1])
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ProofError(Result.UNREADABLE, f"{folder} cannot be read: {reason}.") from error
    proof.finish()
    return proof


def _take_file(proof: Proof, path: Path, *, is_last: bool) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    if lines and not lines[-1].endswith(b"\n") and is_last:
        # A line that is being written, or that a crash cut off.
        proof.notes.append(f"{path.name} ends with {len(lines.pop())} bytes that are no record yet")
    for number, line in enumerate(lines, 1):
        where = f"{path.name}:{number}"
        try:
            fields = chain.read(line)
            _in_turn(proof, fields, lines[number:], where)
            proof.take(fields)
        except LineError as error:
            raise ProofError(
                Result.ALTERED,
                f"{where} was altered: {error}. The last record to trust is {proof.signed}.",
            ) from error
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ProofError(
                Result.ALTERED, f"{where} is no record as Safelight writes it."
            ) from error


def _in_turn(proof: Proof, fields: dict[str, Any], rest: list[bytes], where: str) -> None:
    if not proof.records:
        if fields["kind"] != "segment-open":
            raise LineError("the log does not begin with it")
        return
    expected, seq = proof.head.seq + 1, fields["seq"]
    if seq < expected:
        raise ProofError(Result.ALTERED, f"{where}: record {seq} stands here a second time.")
    if seq == expected:
        return
    for line in rest:
        try:
            if chain.read(line)["seq"] == expected:
                raise ProofError(Result.ALTERED, f"{where}: record {seq} stands before {expected}.")
        except LineError:
            continue
    missing = f"record {expected} is" if seq == expected + 1 else f"{expected} to {seq - 1} are"
    raise ProofError(Result.CUT, f"{where}: {missing} missing.")


def _take_retired_keys(proof: Proof, folder: Path, first: Path) -> None:
    """Follow the changes of keys in files that were deleted, up to the `first` that is here."""
    path = folder / segments.RETIRED_KEYS
    if not path.exists():
        return
    try:
        begins = chain.read(first.read_bytes().partition(b"\n")[0] + b"\n")["seq"]
        for line in path.read_bytes().splitlines(keepends=True):
            fields = chain.read(line)
            if fields["seq"] < begins:
                proof.change_retired_key(fields)
    except (LineError, NoteError, KeyError, TypeError) as error:
        raise ProofError(Result.UNSEALED, f"{path.name} cannot be trusted: {error}.") from error

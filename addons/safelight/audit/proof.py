"""What can be proven of a log, record by record."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any

from safelight.audit.chain import Head
from safelight.audit.merkle import Frontier
from safelight.audit.notes import Checkpoint, NoteError, Verifier

# Writers sign at least this often while they write.
_LONGEST_UNSIGNED = timedelta(minutes=10)


class Result(IntEnum):
    """What a verification ends with; also the exit code of the command."""

    GOOD = 0
    ALTERED = 1
    CUT = 2
    UNSEALED = 3
    UNREADABLE = 4


class ProofError(Exception):
    """The log is not as it was written; `result` says in which way, the text where."""

    def __init__(self, result: Result, text: str) -> None:
        super().__init__(text)
        self.result = result


@dataclass(slots=True)
class Proof:
    """What was found of a log so far. Moments are those of the first and last record."""

    first: Verifier | None
    expected: Checkpoint | None = None
    log: str = ""
    head: Head = field(default_factory=Head)
    signer: Verifier | None = None
    records: int = 0
    began: str = ""
    checkpoints: int = 0
    signed: int = 0
    unsigned_since: str = ""
    first_seq: int = 1
    retired: int = 0
    notes: list[str] = field(default_factory=list)

    def take(self, fields: dict[str, Any]) -> None:
        """Look at the next record. Raises ProofError."""
        kind = fields["kind"]
        if kind == "segment-open":
            self._open(fields)
        if fields["prev"] != self.head.hash:
            raise self._altered("it does not follow the one before")
        if fields["at"] < self.head.at and kind != "clock-set-back":
            raise self._altered("it is older than the one before")
        self._look(kind, fields)
        self.head = self.head.after(fields)
        self.began = self.began or self.head.at
        if self.head.seq > self.signed:
            self.unsigned_since = self.unsigned_since or self.head.at
        self.records += 1
        self._compare()

    def _compare(self) -> None:
        expected, head = self.expected, self.head
        if expected is None or expected.size != head.seq:
            return
        if expected.root != head.frontier.root():
            raise ProofError(Result.ALTERED, "The log is not the one whose checkpoint is known.")

    def _look(self, kind: str, fields: dict[str, Any]) -> None:
        if kind == "key":
            self._change_key(fields)
        elif kind == "checkpoint":
            self._check(fields["note"], fields["at"][:10])
            self.checkpoints += 1
            self.signed, self.unsigned_since = fields["seq"], ""
        elif kind == "cut":
            raise ProofError(
                Result.CUT,
                f"Record {fields['seq']} says that {fields['size']} records that were there "
                "before it were gone.",
            )
        elif kind == "recovered":
            self.notes.append(f"{fields['size']} bytes of a torn line were moved aside")
        elif kind == "clock-set-back":
            self.notes.append(f"the clock was set back at record {fields['seq']}")
        elif kind == "retired":
            self.retired = max(self.retired, fields["through"])
            self.notes.append(f"records up to {fields['through']} were deleted for their age")

    def _open(self, fields: dict[str, Any]) -> None:
        peaks = tuple(bytes.fromhex(peak) for peak in fields["peaks"])
        before = fields["seq"] - 1
        if not self.records:
            if before and self.signer is None:
                raise ProofError(Result.CUT, f"Records 1 to {before} are missing.")
            self.log, self.first_seq = fields["log"], fields["seq"]
            self.head = Head(before, fields["prev"], frontier=Frontier(before, peaks))
        elif fields["log"] != self.log:
            raise self._altered("it belongs to another log")
        if peaks != self.head.frontier.peaks:
            raise self._altered("it is not behind the records before it")
        if fields.get("public") != (str(self.signer) if self.signer else None):
            raise self._altered("it names another key than the one that signs")

    def change_retired_key(self, fields: dict[str, Any]) -> None:
        """Follow a change of keys whose surroundings were deleted for their age."""
        public = Verifier.parse(fields["public"])
        if self.signer is None:
            self._begin_with(public)
        else:
            opened = Checkpoint.parse(self.signer.opened(fields.get("note", "")))
            if opened.next_key != fields["public"]:
                raise NoteError("it endorses another key")
        self.signer = public

    def _change_key(self, fields: dict[str, Any]) -> None:
        public = _verifier(fields["public"])
        if self.signer is None:
            self._begin_with(public)
        elif "note" not in fields:
            raise ProofError(
                Result.UNSEALED,
                f"From record {fields['seq']} on a key signs that the one before did not endorse.",
            )
        else:
            self._check(fields["note"], None, fields["public"])
        self.signer = public

    def _begin_with(self, public: Verifier) -> None:
        if self.first is not None and public != self.first:
            raise ProofError(
                Result.UNSEALED, "The log was begun with another key than the one given."
            )

    def _check(self, note: str, day: str | None, next_key: str | None = None) -> None:
        where = f"The checkpoint in record {self.head.seq + 1}"
        if self.signer is None:
            raise ProofError(Result.UNSEALED, f"{where} is signed, but no key came before it.")
        if day is not None and not self.signer.name.endswith(f"/{day}"):
            raise ProofError(Result.UNSEALED, f"{where} is signed with the key of another day.")
        try:
            found = Checkpoint.parse(self.signer.opened(note))
        except NoteError as error:
            raise ProofError(Result.UNSEALED, f"{where} cannot be trusted: {error}.") from error
        head = self.head
        origin = f"safelight-audit/{self.log}"
        if found != Checkpoint(origin, head.seq, head.frontier.root(), next_key):
            raise ProofError(Result.ALTERED, f"{where} is of other records than those before it.")

    def _altered(self, why: str) -> ProofError:
        return ProofError(
            Result.ALTERED,
            f"Record {self.head.seq + 1} was altered: {why}. The last to trust is {self.signed}.",
        )

    def finish(self) -> None:
        """All records were taken. Raises ProofError."""
        if not self.records:
            raise ProofError(Result.UNREADABLE, "There is no record here.")
        if self.first_seq > self.retired + 1:
            raise ProofError(Result.CUT, f"Records 1 to {self.first_seq - 1} are missing.")
        if self.expected is not None and self.expected.size > self.head.seq:
            raise ProofError(
                Result.CUT,
                f"The log ends with record {self.head.seq}; a checkpoint over "
                f"{self.expected.size} is known.",
            )
        if not self.checkpoints and self.signer is None:
            raise ProofError(Result.UNSEALED, "Nothing in this log is signed.")
        since = datetime.fromisoformat(self.unsigned_since or self.head.at)
        if datetime.fromisoformat(self.head.at) - since > _LONGEST_UNSIGNED:
            raise ProofError(
                Result.UNSEALED, f"The records behind number {self.signed} are not signed."
            )


def _verifier(public: str) -> Verifier:
    try:
        return Verifier.parse(public)
    except NoteError as error:
        raise ProofError(Result.UNSEALED, f"A key in the log cannot be read: {error}.") from error

"""The audit log: appended to, synced before anything leaves, never trusted to be there."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from safelight.audit.segments import AlteredError
from safelight.audit.writer import Writer, utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from safelight.audit.record import Record


class AuditError(Exception):
    """The record could not be written and synced; the text says where and why."""


@dataclass(slots=True)
class _Waiting:
    record: Record
    done: bool = False
    error: AuditError | None = None


class AuditLog:
    """Appends records to the log in `folder`; its keys are under `keys`, elsewhere.

    Safe to use from several threads, and from several processes with a log each. Records that
    come while the disk is busy share its next sync. A repaired disk needs no restart.
    """

    def __init__(self, folder: Path, keys: Path, clock: Callable[[], datetime] = utc_now) -> None:
        self.folder = folder
        self._clock = clock
        self._writer = Writer(folder, keys, clock)
        self._queue: list[_Waiting] = []
        self._queueing = threading.Lock()
        self._writing = threading.Lock()

    def append(self, record: Record) -> None:
        """Write one line and sync it to the disk. Raises AuditError; then nothing may leave."""
        waiting = _Waiting(record)
        with self._queueing:
            self._queue.append(waiting)
        with self._writing:
            if not waiting.done:
                self._write_queue()
        if waiting.error is not None:
            raise waiting.error

    def sign(self, *, anyway: bool = False) -> bool:
        """Sign what no checkpoint covers yet; `anyway` also when there is nothing. Was anything
        signed? Raises AuditError."""
        with self._writing, self._complaining():
            return self._writer.sign(anyway=anyway)

    def check(self) -> None:
        """Raise AuditError unless records can be written."""
        with self._writing:
            self._write(())

    def retire(self, before: str) -> int:
        """Delete the files whose records are all of days before `before` (YYYY-MM-DD); how many.
        Raises AuditError."""
        with self._writing, self._complaining():
            return self._writer.retire(before)

    def erase(self, month: str) -> bool:
        """Destroy the key of a month's (YYYY-MM) pseudonyms; False if there is none. Raises
        AuditError."""
        with self._writing, self._complaining():
            return self._writer.erase(month)

    def close(self) -> None:
        """Close the file; a later record opens it again."""
        with self._writing:
            self._writer.close()

    def pseudonym(self, purpose: str, value: bytes) -> str:
        """A name for `value` that says nothing to who has not this month's key. Raises
        AuditError."""
        return self.pseudonyms([(purpose, value)])[0]

    def pseudonyms(self, wanted: Sequence[tuple[str, bytes]]) -> list[str]:
        """The same for several values, with what each is for. Raises AuditError."""
        with self._writing, self._complaining():
            month = self._clock().strftime("%Y-%m")
            # Only to make a key, or to find out which log this is, has everybody else to wait.
            keyring = self._writer.known_keyring()
            known = keyring.known_pseudonyms(month, wanted) if keyring else None
            return known or self._writer.keyring().made_pseudonyms(month, wanted)

    def _write_queue(self) -> None:
        with self._queueing:
            batch, self._queue = self._queue, []
        error = None
        try:
            self._write([waiting.record for waiting in batch])
        except AuditError as failed:
            error = failed
        for waiting in batch:
            waiting.error, waiting.done = error, True

    def _write(self, records: Sequence[Record]) -> None:
        with self._complaining():
            self._writer.write(records)

    @contextmanager
    def _complaining(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise AuditError(f"{self.folder} cannot be written: {reason}") from error
        except AlteredError as error:
            raise AuditError(
                f"A file in {self.folder} was altered in its middle. Look at it with `safelight "
                "audit verify`, then move the folder away."
            ) from error

"""The audit file: appended to, synced before anything leaves, never trusted to be there."""

from __future__ import annotations

import errno
import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from safelight.audit.record import Record

FILE_NAME = "audit.jsonl"


class AuditError(Exception):
    """The record could not be written and synced; the text says where and why."""


class AuditLog:
    """Appends records to `folder/audit.jsonl`. Safe to use from several threads.

    The file is opened on the first record and again when it was moved, deleted or could not be
    written, so a repaired disk needs no restart.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME
        self._descriptor: int | None = None
        self._lock = threading.Lock()

    def append(self, record: Record) -> None:
        """Write one line and sync it to the disk. Raises AuditError; then nothing may leave."""
        line = record.model_dump_json(by_alias=True, exclude_none=True).encode() + b"\n"
        with self._lock:
            try:
                self._append(line)
            except OSError as error:
                self._close()
                reason = error.strerror or type(error).__name__
                raise AuditError(f"{self.path} cannot be written: {reason}") from error

    def check(self) -> None:
        """Raise AuditError unless the file can be opened for writing."""
        with self._lock:
            try:
                self._open_current()
            except OSError as error:
                reason = error.strerror or type(error).__name__
                raise AuditError(f"{self.path} cannot be written: {reason}") from error

    def close(self) -> None:
        """Close the file; a later record opens it again."""
        with self._lock:
            self._close()

    def _append(self, line: bytes) -> None:
        descriptor = self._open_current()
        size = os.fstat(descriptor).st_size
        try:
            _write_and_sync(descriptor, line)
        except OSError:
            # Half a line, or a line nobody can vouch for, must not stand in the file.
            os.ftruncate(descriptor, size)
            raise

    def _open_current(self) -> int:
        if self._descriptor is not None and not self._is_current(self._descriptor):
            self._close()
        if self._descriptor is None:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            self._descriptor = os.open(self.path, flags, 0o600)
            self._end_torn_line(self._descriptor)
            self._sync_folder()
        return self._descriptor

    def _is_current(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self.path.stat())
        except FileNotFoundError:
            return False

    def _end_torn_line(self, descriptor: int) -> None:
        """A crash may have cut the last line; the next record starts on a line of its own."""
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            os.write(descriptor, b"\n")

    def _sync_folder(self) -> None:
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _write_and_sync(descriptor: int, line: bytes) -> None:
    if os.write(descriptor, line) != len(line):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.fsync(descriptor)

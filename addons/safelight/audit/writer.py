"""Puts records on the disk, one process at a time, with what keeps a log provable: the chain,
checkpoints, a new signing key each day, a new file each day.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from safelight.audit import lock, notes, segments
from safelight.audit.keys import Keyring
from safelight.audit.record import (
    Checkpoint,
    ClockSetBack,
    Cut,
    Erased,
    KeyChange,
    Recovered,
    Retired,
    SegmentOpen,
)
from safelight.audit.segments import Segment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from safelight.audit.notes import Signer
    from safelight.audit.record import Record

LARGEST_SEGMENT = 16 * 2**20  # bytes
MOST_UNSIGNED = 100  # records
LONGEST_UNSIGNED = 60  # seconds
_BACK = timedelta(seconds=1)
_READING = os.O_RDONLY | os.O_CLOEXEC


def moment(at: datetime) -> str:
    """A moment as records say it."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class _End(NamedTuple):
    """The last record that was seen of a log."""

    log: str = ""
    seq: int = 0


class Writer:
    """Appends to the log in `folder`, with keys in a folder of the log's own under `keys`.

    Several processes may each have one. Its methods raise OSError and segments.AlteredError; then
    nobody can count on what they were given.
    """

    def __init__(self, folder: Path, keys: Path, clock: Callable[[], datetime]) -> None:
        self.folder = folder
        self._lock = folder / "lock"
        self._keys = keys
        self._clock = clock
        self._segment: Segment | None = None
        self._known = _End()
        self._known_places = (0, segments.path_of(folder, 0), segments.path_of(folder, 1))
        self._signed_at = time.monotonic()

    def write(self, records: Sequence[Record]) -> None:
        """Append the records and sync; now and then a checkpoint follows."""
        with self._appending() as segment:
            self._put(segment, records)
            unsigned = segment.head.seq - segment.signed
            late = time.monotonic() - self._signed_at > LONGEST_UNSIGNED
            if unsigned >= MOST_UNSIGNED or (unsigned and late):
                self._sign(segment)

    def sign(self, *, anyway: bool = False) -> bool:
        """Append a checkpoint if anything is unsigned, or `anyway`. Was one appended?"""
        with self._appending() as segment:
            needed = anyway or segment.head.seq > segment.signed
            if needed:
                self._sign(segment)
            return needed

    def retire(self, before: str) -> int:
        """Delete the files whose records are all of days before `before` (YYYY-MM-DD); how many.
        The changes of keys in them are kept, so that the rest can still be verified."""
        with self._appending() as segment:
            old = segments.ended_before(self.folder, before)
            old.pop(segment.number, None)
            if not old:
                return 0
            through = segments.keep_keys(self.folder, old)
            self._put(segment, [Retired(segment=max(old), through=through)])
            self._sign(segment)
            for path in old.values():
                path.unlink()
            self._sync_folder()
            return len(old)

    def erase(self, month: str) -> bool:
        """Destroy the key of a month's pseudonyms and say so; False if there is none."""
        with self._appending() as segment:
            if not self._keyring(segment).has_pseudonyms(month):
                return False
            self._put(segment, [Erased(month=month)])
            self._keyring(segment).forget(month)
            return True

    @contextlib.contextmanager
    def _appending(self) -> Iterator[Segment]:
        with self._alone():
            try:
                segment = self._current()
                yield segment
                self._known = _End(segment.log, segment.head.seq)
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        """Close the file; the next call opens it again."""
        if self._segment is not None:
            os.close(self._segment.descriptor)
            self._segment = None

    def keyring(self) -> Keyring:
        """The keys of the log."""
        with self._appending() as segment:
            return self._keyring(segment)

    def known_keyring(self) -> Keyring | None:
        """The same, if the file that was appended to last is still the last one."""
        segment = self._segment
        return self._keyring(segment) if segment is not None and self._is_last(segment) else None

    def _alone(self) -> AbstractContextManager[None]:
        if not self.folder.is_dir():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return lock.held(self._lock)

    def _current(self) -> Segment:
        """The file to append to, with everything in it known."""
        segment = self._segment
        if segment is not None and not self._is_last(segment):
            self.close()
            segment = None
        opened = segment is None
        if segment is None:
            numbers = segments.present(self.folder)
            segment = self._open(max(numbers)) if numbers else self._begin(1, None)
        try:
            torn = segment.catch_up()
        except segments.AlteredError:
            # Whoever moves it away begins another log, which has nothing to do with this one.
            self._known = _End()
            raise
        if torn:
            self._recover(segment, torn)
        if segment.head.seq == 0:
            # A file in which not even the first record is whole.
            self.close()
            segment = self._begin(segment.number, self._before(segment.number))
        if opened:
            self._notice_cut(segment)
        self._keep_up(segment)
        if segment.offset > LARGEST_SEGMENT or segment.began != self._today():
            return self._follow(segment)
        return segment

    def _is_last(self, segment: Segment) -> bool:
        """Is it still in its place, whole, and has no other process begun the next?"""
        own, next_one = self._places(segment.number)
        if next_one.exists():
            return False
        try:
            found = own.stat()
        except FileNotFoundError:
            return False
        known = os.fstat(segment.descriptor)
        return os.path.samestat(known, found) and known.st_size >= segment.offset

    def _places(self, number: int) -> tuple[Path, Path]:
        """Where the file with this number is, and where the next would be."""
        # Asked for at each record, and a path costs more than the system's answer about it.
        if self._known_places[0] != number:
            own, following = (segments.path_of(self.folder, one) for one in (number, number + 1))
            self._known_places = (number, own, following)
        return self._known_places[1:]

    def _open(self, number: int) -> Segment:
        path = segments.path_of(self.folder, number)
        with contextlib.suppress(FileNotFoundError):
            # It was closed, and is the last again: those behind it are lost.
            path.chmod(0o600)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o600)
        self._segment = Segment(number, descriptor)
        return self._segment

    def _before(self, number: int) -> Segment | None:
        """The file before that one, with everything in it known."""
        try:
            descriptor = os.open(segments.path_of(self.folder, number - 1), _READING)
        except FileNotFoundError:
            return None
        try:
            before = Segment(number - 1, descriptor)
            before.catch_up()
        finally:
            os.close(descriptor)
        return before

    def _begin(self, number: int, before: Segment | None) -> Segment:
        """A new file, behind the records of `before` if there are any."""
        segment = self._open(number)
        if before is not None:
            segment.head, segment.log = before.head, before.log
            segment.public, segment.signed = before.public, before.signed
        peaks = tuple(peak.hex() for peak in segment.head.frontier.peaks)
        log = segment.log or _new_log()
        public = segment.public or None
        opening = SegmentOpen(log=log, segment=number, peaks=peaks, public=public)
        self._open_with(segment, opening)
        return segment

    def _open_with(self, segment: Segment, opening: SegmentOpen) -> None:
        segment.began, segment.log = self._today(), opening.log
        self._put(segment, [opening])
        self._sync_folder()

    def _follow(self, segment: Segment) -> Segment:
        """Close a file that is full or of another day, and begin the next."""
        self._sign(segment)
        self.close()
        following = self._begin(segment.number + 1, segment)
        # Not before: whoever was killed in between has to be able to go on.
        segments.path_of(self.folder, segment.number).chmod(0o400)
        return following

    def _notice_cut(self, segment: Segment) -> None:
        """Say so when records are gone that were there: as the last checkpoint says, or as this
        process has seen itself."""
        note = self._keyring(segment).remembered()
        # The note lies in a folder of our own: only its size is asked, not whose it is.
        size = notes.Checkpoint.of_note(note).size if note is not None else 0
        there = segment.head.seq if self._known.log in {"", segment.log} else 0
        gone = max(size - segment.head.seq, self._known.seq - there)
        if gone > 0:
            self._put(segment, [Cut(size=gone)])

    def _keep_up(self, segment: Segment) -> None:
        """Say that the clock was set back, and change the key of another day."""
        head = segment.head
        if head.at and self._clock() + _BACK < datetime.fromisoformat(head.at):
            self._put(segment, [ClockSetBack()])
        if segment.public.partition("+")[0] != self._key_name(segment):
            self._change_key(segment, self._keyring(segment).signer(segment.public))

    def _change_key(self, segment: Segment, signer: Signer | None) -> None:
        """Sign with a new key from here on, which the one before endorses if it is here."""
        keyring = self._keyring(segment)
        public = str(keyring.prepare(self._key_name(segment)).verifier)
        note = signer.signed(_checkpoint(segment, public).text) if signer is not None else None
        if signer is None:
            keyring.remember_first(public)
        self._put(segment, [KeyChange(public=public, note=note)])
        keyring.commit()

    def _sign(self, segment: Segment) -> None:
        signer = self._keyring(segment).signer(segment.public)
        if signer is None:
            self._change_key(segment, None)
        else:
            note = signer.signed(_checkpoint(segment).text)
            self._put(segment, [Checkpoint(note=note)])
            self._keyring(segment).remember(note)
            self._signed_at = time.monotonic()

    def _put(self, segment: Segment, records: Sequence[Record]) -> None:
        """Append and sync; if that fails, the file is as it was."""
        lines, head = [], segment.head
        at = self._at(segment, records)
        for record in records:
            line, head = head.seal(record, at)
            lines.append(line)
        written = b"".join(lines)
        if not written:
            return
        try:
            write_and_sync(segment.descriptor, written)
        except OSError:
            # Half a line, or a line nobody can vouch for, must not stand in the file.
            os.ftruncate(segment.descriptor, segment.offset)
            raise
        segment.head = head
        segment.offset += len(written)
        for seq, record in enumerate(records, head.seq - len(records) + 1):
            if isinstance(record, Checkpoint | KeyChange):
                segment.signed = seq
            if isinstance(record, KeyChange):
                segment.public = record.public

    def _at(self, segment: Segment, records: Sequence[Record]) -> str:
        """Now; but moments only go back where the log says so."""
        now = moment(self._clock())
        set_back = any(isinstance(record, ClockSetBack) for record in records)
        return now if set_back else max(now, segment.head.at)

    def _recover(self, segment: Segment, torn: int) -> None:
        """Move what a crash left at the end to a file beside, and say so."""
        beside = segments.path_of(self.folder, segment.number).with_suffix(".torn")
        with beside.open("ab") as file:
            file.write(os.pread(segment.descriptor, torn, segment.offset))
            file.flush()
            os.fsync(file.fileno())
        os.ftruncate(segment.descriptor, segment.offset)
        if segment.head.seq:
            self._put(segment, [Recovered(size=torn)])

    def _keyring(self, segment: Segment) -> Keyring:
        return Keyring(self._keys / segment.log)

    def _key_name(self, segment: Segment) -> str:
        return f"{_origin(segment)}/{self._today()}"

    def _today(self) -> str:
        return self._clock().date().isoformat()

    def _sync_folder(self) -> None:
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def write_and_sync(descriptor: int, data: bytes) -> None:
    """Append all of `data` and wait until the disk has it. Raises OSError."""
    if os.write(descriptor, data) != len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.fsync(descriptor)


def utc_now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


def _new_log() -> str:
    return f"lg_{secrets.token_hex(6)}"


def _origin(segment: Segment) -> str:
    return f"safelight-audit/{segment.log}"


def _checkpoint(segment: Segment, next_key: str | None = None) -> notes.Checkpoint:
    head = segment.head
    return notes.Checkpoint(_origin(segment), head.seq, head.frontier.root(), next_key)

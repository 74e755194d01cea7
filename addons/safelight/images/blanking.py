"""Changes that blank: every byte range is overwritten in place, so both lengths share them.

For formats in which everything is found by its offset, cutting would mean moving all of it.
`compact` then only drops what is blank at the end.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from safelight.images import icc
from safelight.images.blank import is_blank
from safelight.images.model import Edit, Finding, Found, ImageError, Kind, Length

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_CLOSE = 500
MOST_CHANGES = 500_000
_BOX_HEADER = 8


@dataclass(slots=True)
class Blanks:
    """Collects findings and replacements of the same length while a file is walked."""

    data: bytes
    findings: list[Finding | Found] = field(default_factory=list)
    _edits: list[Edit] = field(default_factory=list)
    _cut: int | None = None
    _cover: bytes = b""

    def find(
        self, tells: Iterable[Kind] | Callable[[], set[Kind]], place: str, start: int, end: int
    ) -> None:
        """Report something private at `data[start:end]`."""
        if callable(tells):
            self.findings.append(Found(tells, place, start, end))
        else:
            self.findings += [Finding(kind, place, start, end) for kind in sorted(tells)]

    def put(self, start: int, replacement: bytes) -> None:
        """Overwrite from `start`, if that changes anything."""
        end = start + len(replacement)
        if self.data[start:end] != replacement:
            self._edits.append(Edit(start, end, replacement))

    def put_all(
        self, changes: Iterable[tuple[int, bytes]], kinds: Iterable[Kind], place: str
    ) -> None:
        """Make changes and report them as one, if anything changes. Those that come close behind
        each other share an edit, so that many small ones take no more memory than the file. Raises
        ImageError where there are too many."""
        run, first, begin, end = bytearray(), None, 0, 0
        for number, (position, replacement) in enumerate(changes):
            if number > MOST_CHANGES:
                raise ImageError("This file says too much beside its pictures.")
            behind = position + len(replacement)
            if self.data[position:behind] == replacement:
                continue
            if not run or not 0 <= position - end <= _CLOSE:
                self.put(begin, bytes(run))
                run, begin, end = bytearray(), position, position
                first = position if first is None else first
            run += self.data[end:position] + replacement
            end = behind
        if first is not None:
            self.put(begin, bytes(run))
            self.find(kinds, place, first, end)

    def carry(self, inner: Blanks, extents: Iterable[tuple[int, int]]) -> None:
        """Make the edits of `inner`, whose data is that of `extents` joined, where they stand."""
        edits = inner.edits(Length.SAME_LENGTH)
        before = done = 0
        for start, end in extents:
            behind = before + end - start
            index = done
            while index < len(edits) and edits[index].start < behind:
                edit = edits[index]
                first, last = max(edit.start, before), min(edit.end, behind)
                part = edit.replacement[first - edit.start : last - edit.start]
                self.put(start + first - before, part)
                index += 1
                done += edit.end <= behind
            before = behind

    def blank(self, start: int, end: int, filler: bytes = b"\0") -> bool:
        """Overwrite `data[start:end]` with `filler`; False if nothing but that stood there."""
        if is_blank(self.data, start, end, filler):
            return False
        self._edits.append(Edit(start, end, filler * (end - start)))
        return True

    def remove(self, start: int, end: int, kinds: Iterable[Kind], place: str) -> None:
        """Blank a range and report it, if anything stood there."""
        if self.blank(start, end):
            self.find(kinds, place, start, end)

    def scrub_profile(self, start: int, end: int) -> None:
        """Take the texts out of a colour profile; one that nothing can use becomes zeros."""
        profile = self.data[start:end]
        try:
            clean = icc.scrubbed(profile)
        except icc.ProfileError:
            clean = bytes(len(profile))
        if clean != profile:
            self.find({Kind.SOFTWARE}, "colour profile", start, end)
            self.put(start, clean)

    def remove_trailer(self, start: int, filler: bytes = b"") -> None:
        """Blank everything from `start` on; `compact` cuts it off. In the same length, a box of
        type `filler` stands there if it has room."""
        end = len(self.data)
        if not is_blank(self.data, start):
            self.find({Kind.UNKNOWN_DATA}, "after the end of the picture", start, end)
            self._cut = start
            if filler and end - start >= _BOX_HEADER:
                self._cover = (end - start).to_bytes(4) + filler

    def edits(self, length: Length) -> tuple[Edit, ...]:
        """All replacements in order; earlier ones win where two overlap."""
        edits: list[Edit] = []
        position = 0
        stop = len(self.data) if self._cut is None else self._cut
        for edit in sorted(self._edits, key=lambda edit: (edit.start, -edit.end)):
            start, end = max(edit.start, position), min(edit.end, stop)
            if start < end:
                part = edit.replacement[start - edit.start : end - edit.start]
                edits.append(Edit(start, end, part))
                position = end
        if self._cut is not None:
            cover = self._cover.ljust(len(self.data) - stop, b"\0")
            edits.append(Edit(stop, len(self.data), b"" if length is Length.COMPACT else cover))
        return tuple(edits)


class Ranges:
    """Byte ranges, merged; says quickly which parts of another range they leave open."""

    def __init__(self, ranges: Iterable[tuple[int, int]]) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in sorted(ranges):
            if self._ends and start <= self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], end)
            else:
                self._starts.append(start)
                self._ends.append(end)

    def touches(self, start: int, end: int) -> bool:
        """Does any range cover some of `start:end`?"""
        index = bisect_right(self._ends, start)
        return start < end and index < len(self._starts) and self._starts[index] < end

    def gaps(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """The parts of `start:end` that no range covers."""
        position = start
        for index in range(bisect_right(self._ends, start), len(self._starts)):
            if position >= end:
                return
            if self._starts[index] > position:
                yield position, min(self._starts[index], end)
            position = max(position, self._ends[index])
        if position < end:
            yield position, end

"""Pictures of a movie on their way: unit by unit; what decodes passes."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from safelight.images import aac, av1, coding, nal_units
from safelight.images.model import Finding, Format, ImageError, Kind, Length, UnalterableError
from safelight.images.streaming.steps import MOST_HELD, Pass, Put, Take, held

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from safelight.images.streaming.steps import Progress, Steps

_HELD = frozenset({coding.Whole.MPEG, coding.Whole.JPEG})


class Chunks:
    """The coded chunks of a movie, in the order in which they stand in the file."""

    def __init__(self, coded: Mapping[coding.Coding, Iterable[tuple[int, int]]]) -> None:
        """Raises UnalterableError where one would have to be held whole, and is too large."""
        chunks = [(*one, how) for how, ranges in coded.items() for one in set(ranges)]
        self._left = deque(sorted(chunks, key=lambda one: one[:2]))
        for start, end, how in self._left:
            if how in _HELD and end - start > MOST_HELD:
                raise UnalterableError(Format.MP4, Length.SAME_LENGTH)

    def walk(self, progress: Progress, stop: int) -> Steps:
        """Steps that let everything up to `stop` pass, with the pictures cleaned."""
        while self._left and self._left[0][0] < stop:
            start, end, how = self._left.popleft()
            if start < progress.position < end:
                raise ImageError("This movie refers to the same place too often.")
            if progress.position <= start:
                yield Pass(start - progress.position)
                yield from _chunk(progress, min(end, stop), how)
        yield Pass(stop - progress.position)


def _chunk(progress: Progress, end: int, how: coding.Coding) -> Steps:
    start, noted = progress.position, len(progress.findings)
    if isinstance(how, coding.Units):
        yield from _units(progress, end, how)
    elif how is coding.Whole.AV1:
        yield from _obus(progress, end)
    else:
        size = end - start if how in _HELD else min(end - start, aac.LONGEST)
        data = yield Take(size)
        clean = bytearray(data)
        for at, replacement in how.changes(data, 0, len(data)):
            clean[at : at + len(replacement)] = replacement
        yield from _put(progress, data, bytes(clean))
    if len(progress.findings) > noted:
        del progress.findings[noted + 1 :]
    yield Pass(end - progress.position)


def _units(progress: Progress, end: int, how: coding.Units) -> Steps:
    codec = how.codec
    while progress.position + how.width + codec.header <= end:
        size = yield Take(how.width)
        yield Put(size)
        left = int.from_bytes(size)
        if left > end - progress.position:
            return
        if left < codec.header:
            yield Pass(left)
            continue
        header = yield Take(codec.header)
        stays = codec.stays(header, left)
        left -= len(header)
        if stays:
            yield Put(header)
            yield Pass(left)
        else:
            unit = header + (yield held(left))
            yield from _put(progress, unit, nal_units.cleaned(unit, codec))


def _obus(progress: Progress, end: int) -> Steps:
    while progress.position < end:
        left = end - progress.position
        unit = yield Take(1)
        wanted = 1 + (unit[0] >> 2 & 1) + (unit[0] >> 1 & 1)
        while len(unit) < min(wanted, left):
            unit += yield Take(1)
            more = unit[0] & 2 and len(unit) == wanted and unit[-1] & 0x80
            wanted += bool(more and wanted < 2 + av1.MOST_SIZE_BYTES)
        payload, behind = av1.bounds(unit, 0, left)
        if behind > left:
            yield Put(unit)
            return
        if av1.stays(unit[0]):
            yield Put(unit)
            yield Pass(behind - payload)
        else:
            unit += yield held(behind - payload)
            yield from _put(progress, unit, av1.cleaned(unit, payload))


def _put(progress: Progress, before: bytes, after: bytes) -> Steps:
    if before != after:
        start = progress.position - len(before)
        place = "message to decoders"
        progress.findings.append(Finding(Kind.SOFTWARE, place, start, progress.position))
    yield Put(after)

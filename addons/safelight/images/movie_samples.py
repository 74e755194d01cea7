"""Where the samples of a movie's tracks stand (ISO/IEC 14496-12 sections 8.7 and 8.8)."""

from __future__ import annotations

import struct
import sys
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

from safelight.images.boxes import Box, boxes
from safelight.images.model import ImageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MOST_SAMPLES = 4_000_000
_DAMAGED = "This movie is damaged."


@dataclass(frozen=True, slots=True)
class Packing:
    """How many samples of sound share how many bytes, where the table does not say so
    (QuickTime File Format, sound sample descriptions)."""

    samples: int = 1
    size: int = 0


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a `trex` box says about the fragments of a track."""

    size: int = 0


def of_track(data: bytes, table: Box, packing: Packing) -> Iterator[tuple[int, int]]:
    """The ranges of the chunks that an `stbl` box lists. Raises ImageError."""
    inner = {box.type: box for box in boxes(data, table.payload, table.end)}
    offsets = _offsets(data, inner)
    if not offsets:
        return
    lengths = _Lengths(data, inner, packing)
    first = 0
    for offset, count in zip(offsets, _samples_per_chunk(data, inner, len(offsets)), strict=True):
        yield offset, offset + lengths.of(first, count)
        first += count


class _Lengths:
    """How long samples are: all alike, or each as a table says."""

    def __init__(self, data: bytes, inner: dict[bytes, Box], packing: Packing) -> None:
        self._same = 0
        self._packing = packing
        self._each: array[int] = array("I")
        if b"stsz" in inner:
            box = inner[b"stsz"]
            self._same, self.count = struct.unpack_from(">II", data, box.payload + 4)
            if not self._same:
                self._each = _numbers(data, box, 12, self.count, "I")
        elif b"stz2" in inner:
            self._compact(data, inner[b"stz2"])
        else:
            raise ImageError(_DAMAGED)
        if self.count > MOST_SAMPLES and not self._same:
            raise ImageError("This movie has too many parts.")

    def _compact(self, data: bytes, box: Box) -> None:
        """Section 8.7.3.3: sizes of 4, 8 or 16 bits."""
        bits = data[box.payload + 7]
        (self.count,) = struct.unpack_from(">I", data, box.payload + 8)
        if bits == 16:
            self._each = _numbers(data, box, 12, self.count, "H")
        elif bits == 8:
            self._each = _numbers(data, box, 12, self.count, "B")
        elif bits == 4:
            packed = _numbers(data, box, 12, (self.count + 1) // 2, "B")
            halves = (half for both in packed for half in (both >> 4, both & 15))
            self._each = array("B", halves)
        else:
            raise ImageError(_DAMAGED)

    def of(self, first: int, count: int) -> int:
        """How many bytes samples take that follow each other."""
        if self._same:
            packed = -(-count // self._packing.samples) * self._packing.size
            return max(count * self._same, packed)
        if first + count > self.count:
            raise ImageError(_DAMAGED)
        return sum(self._each[first : first + count])


def _numbers(data: bytes, box: Box, start: int, count: int, letter: str) -> array[int]:
    """`count` big-endian numbers, `start` bytes into a box's payload."""
    numbers = array(letter)
    begin = box.payload + start
    end = begin + count * numbers.itemsize
    if end > box.end:
        raise ImageError(_DAMAGED)
    numbers.frombytes(data[begin:end])
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers


def _offsets(data: bytes, inner: dict[bytes, Box]) -> array[int]:
    for type_, letter in ((b"stco", "I"), (b"co64", "Q")):
        if type_ in inner:
            box = inner[type_]
            (count,) = struct.unpack_from(">I", data, box.payload + 4)
            return _numbers(data, box, 8, count, letter)
    return array("I")


def _samples_per_chunk(data: bytes, inner: dict[bytes, Box], chunks: int) -> Iterator[int]:
    if b"stsc" not in inner:
        raise ImageError(_DAMAGED)
    box = inner[b"stsc"]
    (count,) = struct.unpack_from(">I", data, box.payload + 4)
    runs = _numbers(data, box, 8, 3 * count, "I")
    if not count or runs[0] != 1:
        raise ImageError(_DAMAGED)
    for number in range(count):
        first, samples = runs[3 * number], runs[3 * number + 1]
        last = runs[3 * number + 3] if number + 1 < count else chunks + 1
        if not first < last <= chunks + 1:
            raise ImageError(_DAMAGED)
        for _ in range(first, last):
            yield samples


def defaults_of(data: bytes, moov: Box) -> dict[int, Defaults]:
    """What the `mvex` box says about the fragments of each track."""
    found = {}
    for extends in boxes(data, moov.payload, moov.end):
        if extends.type == b"mvex":
            for box in boxes(data, extends.payload, extends.end):
                if box.type == b"trex":
                    track, _, _, size = struct.unpack_from(">4I", data, box.payload + 4)
                    if track in found:
                        raise ImageError(_DAMAGED)
                    found[track] = Defaults(size)
    return found


def of_fragment(
    data: bytes, moof: Box, shown: Iterable[int], defaults: dict[int, Defaults]
) -> Iterator[tuple[int, int, int]]:
    """The runs that a `moof` box lists for the tracks `shown`: of which track, and where they start
    and end. Raises ImageError."""
    wanted = set(shown)
    behind = moof.start
    for traf in boxes(data, moof.payload, moof.end):
        if traf.type != b"traf":
            continue
        inner = list(boxes(data, traf.payload, traf.end))
        header = next((box for box in inner if box.type == b"tfhd"), None)
        if header is None:
            raise ImageError(_DAMAGED)
        track, base, size = _fragment_header(data, header, moof.start, behind, defaults)
        behind = base
        for run in inner:
            if run.type == b"trun":
                start, behind = _run(data, run, base, behind, size)
                if track in wanted:
                    yield track, start, behind


def _fragment_header(
    data: bytes, box: Box, moof: int, behind: int, defaults: dict[int, Defaults]
) -> tuple[int, int, int]:
    """Track, where its data is counted from, and how long a sample is by default (8.8.7)."""
    flags = int.from_bytes(data[box.payload + 1 : box.payload + 4])
    (track,) = struct.unpack_from(">I", data, box.payload + 4)
    position = box.payload + 8
    base = moof if flags & 0x20000 else behind
    if flags & 1:
        (base,) = struct.unpack_from(">Q", data, position)
        position += 8
    position += 4 * ((flags >> 1 & 1) + (flags >> 3 & 1))
    size = defaults.get(track, Defaults()).size
    if flags & 0x10:
        (size,) = struct.unpack_from(">I", data, position)
    return track, base, size


def _run(data: bytes, box: Box, base: int, behind: int, size: int) -> tuple[int, int]:
    """Where a run of samples starts and ends (8.8.8)."""
    flags = int.from_bytes(data[box.payload + 1 : box.payload + 4])
    (count,) = struct.unpack_from(">I", data, box.payload + 4)
    position = box.payload + 8
    start = behind
    if flags & 1:
        start = base + int(struct.unpack_from(">i", data, position)[0])
        position += 4
    position += 4 * (flags >> 2 & 1)
    if not flags & 0x200:
        return start, start + count * size
    width = sum(flags >> bit & 1 for bit in (8, 9, 10, 11))
    fields = _numbers(data, box, position - box.payload, width * count, "I")
    return start, start + sum(fields[flags >> 8 & 1 :: width])

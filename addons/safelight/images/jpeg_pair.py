"""A JPEG with an HDR gain map behind it: both are cleaned, and the index between them mended."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from safelight.images import gainmap, jpeg, jpeg_segments, xmp
from safelight.images.blank import is_blank
from safelight.images.gainmap import ISO_21496, MPF
from safelight.images.model import (
    Change,
    Edit,
    Examination,
    ImageError,
    Kind,
    Length,
    apply,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from safelight.images.gainmap import Index
    from safelight.images.jpeg_segments import Segment, Stream

_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_APP1, _APP2 = 0xE1, 0xE2
_SEGMENT_HEADER = 4


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two pictures in one file, and how they were walked; `mpf` is the index segment of the first,
    `isos` are their descriptions by ISO 21496-1, where they have them."""

    data: bytes
    second: bytes
    streams: tuple[Stream, Stream]
    index: Index
    mpf: Segment
    apple: bool
    isos: tuple[Segment | None, Segment | None]

    @property
    def first_end(self) -> int:
        return self.streams[0].end


def examine(data: bytes, proven: Iterable[tuple[int, int]] = ()) -> Examination:
    """Examine a JPEG, with its gain map if it has one. Raises ImageError.

    Scans and tables that are `proven` to stand there as they should are not looked at again.
    """
    stream = jpeg_segments.walk(data, proven)
    pair = _pair(data, stream)
    if pair is None:
        return jpeg.examine_stream(data, stream)
    first = _walk_first(pair, len(pair.second), _index_segment(pair, pair.first_end, None))
    second = jpeg.look_into(pair.second, pair.streams[1], _SecondKeeper(pair.isos[1]))
    shift = pair.index.start
    for tells, place, start, end in second.found:
        first.find(tells, f"gain map, {place}", start + shift, end + shift)
    for start, end in (
        (pair.first_end, pair.index.start),
        (pair.index.start + second.stream.end, len(data)),
    ):
        if not is_blank(data, start, end):
            place = "after the end of the picture"
            first.find(Kind.UNKNOWN_DATA, place, start, end)
    return jpeg.examination(first, partial(_plan, pair, second, clean=not first.found))


def _pair(data: bytes, stream: Stream) -> _Pair | None:
    """The pair that `data` is, if its second picture can be walked and is a gain map."""
    mpf = _first(data, stream, _APP2, MPF)
    index = gainmap.read_index(data, mpf.payload, mpf.end) if mpf else None
    if mpf is None or index is None or index.start < stream.end:
        return None
    try:
        second = data[index.start : index.end]
        inside = jpeg_segments.walk(second)
    except ImageError:
        return None
    xmp_segment = _first(second, inside, _APP1, _XMP)
    packet = second[xmp_segment.payload + len(_XMP) : xmp_segment.end] if xmp_segment else b""
    isos = (_first(data, stream, _APP2, ISO_21496), _first(second, inside, _APP2, ISO_21496))
    if isos[1] is None and not gainmap.is_described(packet):
        return None
    streams = (stream, inside)
    return _Pair(data, second, streams, index, mpf, gainmap.is_apple(packet), isos)


def _first(data: bytes, stream: Stream, marker: int, signature: bytes) -> Segment | None:
    """The first segment with this marker that begins with `signature`."""
    for one in stream.segments:
        if one.marker == marker and data.startswith(signature, one.payload):
            return one
    return None


def _numbers(segment: Segment, payload: bytes, iso: Segment | None) -> bytes | None:
    """What stays of a segment if it is the description by ISO 21496-1."""
    kept = segment == iso
    return jpeg.marker_segment(_APP2, gainmap.iso_payload(payload)) if kept else None


@dataclass(frozen=True, slots=True)
class _SecondKeeper(jpeg.Keeper):
    """Of a gain map, its numbers stay."""

    iso: Segment | None

    def packet(self, original: bytes, orientation: int | None) -> bytes:
        if gainmap.is_described(original):
            return gainmap.minimal_packet(original)
        return xmp.minimal(orientation)

    def segment(self, segment: Segment, payload: bytes) -> bytes | None:
        return _numbers(segment, payload, self.iso)


@dataclass(frozen=True, slots=True)
class _FirstKeeper(jpeg.Keeper):
    """Of the first picture, what says that there is a gain map stays."""

    iso: Segment | None
    mpf: Segment
    index_segment: bytes
    second_size: int
    apple: bool

    def tiff(self, minimal: bytes, original: bytes) -> bytes:
        note = gainmap.headroom_note(original) if self.apple else b""
        return gainmap.with_note(minimal, note)

    def packet(self, original: bytes, orientation: int | None) -> bytes:
        needed = orientation if orientation in range(2, 9) else None
        return gainmap.primary_packet(original, self.second_size, needed)

    def segment(self, segment: Segment, payload: bytes) -> bytes | None:
        if segment == self.mpf:
            return self.index_segment
        return _numbers(segment, payload, self.iso)


def _walk_first(pair: _Pair, second_size: int, index_segment: bytes) -> jpeg.Walk:
    keeper = _FirstKeeper(pair.isos[0], pair.mpf, index_segment, second_size, pair.apple)
    return jpeg.look_into(pair.data, pair.streams[0], keeper)


def _index_segment(
    pair: _Pair, first_size: int, second: tuple[int, int] | None, mpf_start: int | None = None
) -> bytes:
    """The index for this layout; without `second` and `mpf_start`, for the file as it is."""
    start = pair.mpf.start if mpf_start is None else mpf_start
    base = start + _SEGMENT_HEADER + len(MPF)
    where = second or (pair.index.start, pair.index.end - pair.index.start)
    payload = gainmap.index_payload(pair.index, first_size, where, base)
    return jpeg.marker_segment(_APP2, payload)


def _plan(pair: _Pair, second: jpeg.Walk, length: Length, *, clean: bool) -> tuple[Edit, ...]:
    if clean:
        return ()
    try:
        return _plan_both(pair, second, length)
    except ImageError:
        # The numbers do not fit in where they stood: the length counts more than the gain map.
        return jpeg.examine(pair.data).edits(length)


def _plan_both(pair: _Pair, walk: jpeg.Walk, length: Length) -> tuple[Edit, ...]:
    second = apply(pair.second, jpeg.edits_of(tuple(walk.changes), length))
    # What stands behind the gain map's own end is nobody's.
    ending = len(pair.second) - walk.stream.end
    second = second[: len(second) - ending]
    same = length is Length.SAME_LENGTH
    size = len(pair.second) if same else len(second)
    changes = _walk_first(pair, size, b"").changes
    others = tuple(change for change in changes if change.start != pair.mpf.start)
    edits = list(jpeg.edits_of(others, length))
    room = _SEGMENT_HEADER + gainmap.INDEX_SIZE
    mpf_start = _moved(pair.mpf.start, edits)
    if same:
        first_size, second_start = pair.first_end, pair.index.start
    else:
        mpf_growth = room - (pair.mpf.end - pair.mpf.start)
        first_size = second_start = _moved(pair.first_end, edits) + mpf_growth
    segment = _index_segment(pair, first_size, (second_start, size), mpf_start)
    change = Change(pair.mpf.start, pair.mpf.end, segment)
    edits += jpeg.edits_of((change,), length)
    tail = second
    if same:
        tail = bytes(pair.index.start - pair.first_end) + second
        tail = tail.ljust(len(pair.data) - pair.first_end, b"\0")
    edits.append(Edit(pair.first_end, len(pair.data), tail))
    return tuple(sorted(edits, key=lambda edit: edit.start))


def _moved(position: int, edits: list[Edit]) -> int:
    """Where `position` stands after the edits before it."""
    before = [edit for edit in edits if edit.end <= position]
    return position + sum(len(edit.replacement) - (edit.end - edit.start) for edit in before)

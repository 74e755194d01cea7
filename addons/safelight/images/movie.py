"""The `moov` box of movies and image sequences (ISO/IEC 14496-12, QuickTime): what only describes
is blanked; times, names and places go, samples of tracks that hold metadata too.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from safelight.images.boxes import Box, boxes
from safelight.images.model import ImageError, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safelight.images.blanking import Blanks

_TIMES = frozenset({b"mvhd", b"tkhd", b"mdhd"})
_CONTAINERS = frozenset(
    {b"moov", b"trak", b"mdia", b"minf", b"edts", b"stbl", b"dinf", b"mvex", b"moof", b"traf"}
)
_DESCRIBING = frozenset({b"udta", b"meta", b"uuid", b"free", b"skip", b"wide", b"name", b"kywd"})
_SHOWN_TRACKS = frozenset({b"vide", b"soun", b"pict", b"auxv", b"subt", b"sbtl", b"text", b"clcp"})
MOST_SAMPLES = 2_000_000
MOST_METADATA_TRACKS = 64


@dataclass(slots=True)
class Removed:
    """How many tracks of metadata went, and where in the file their samples stand."""

    tracks: int = 0
    samples: list[tuple[int, int]] = field(default_factory=list)


def scrub(blanks: Blanks, moov: Box) -> Removed:
    """Blank what a `moov` box says besides how to play; the samples of tracks that go are left to
    the caller. Raises ImageError where it is damaged."""
    removed = Removed()
    for box in boxes(blanks.data, moov.payload, moov.end):
        if box.type == b"trak" and _handler(blanks.data, box) not in _SHOWN_TRACKS:
            removed.tracks += 1
            if removed.tracks > MOST_METADATA_TRACKS:
                raise ImageError("This movie has too many tracks.")
            removed.samples += _samples(blanks.data, box)
            _remove_track(blanks, box)
        else:
            _scrub_box(blanks, box)
    return removed


def scrub_whole(blanks: Blanks, top: list[Box], moov: Box) -> None:
    """Blank what a whole file's `moov`, fragments and tracks of metadata say."""
    removed = scrub(blanks, moov)
    if sum(end - start for start, end in removed.samples) > len(blanks.data):
        raise ImageError("Parts of this movie overlap.")
    for start, end in removed.samples:
        if end > len(blanks.data):
            raise ImageError("This movie is cut off.")
        blanks.blank(start, end)
    for box in top:
        if box.type == b"moof":
            if removed.tracks:
                raise ImageError("This movie keeps a track of metadata in fragments.")
            _scrub_box(blanks, box)


def _scrub_box(blanks: Blanks, box: Box) -> None:
    data = blanks.data
    if box.type in _TIMES:
        _blank_times(blanks, box)
    elif box.type == b"hdlr":
        blank_handler_name(blanks, box)
    elif box.type in _DESCRIBING:
        if box.type != b"free":
            blanks.find(
                _kinds(data[box.payload : box.end]), f"{_name(box)} box", box.start, box.end
            )
            blanks.put(box.start + 4, b"free")
            blanks.blank(box.payload, box.end)
        else:
            blanks.remove(box.payload, box.end, {Kind.UNKNOWN_DATA}, "free box")
    elif box.type in _CONTAINERS:
        for child in boxes(data, box.payload, box.end):
            _scrub_box(blanks, child)


def _name(box: Box) -> str:
    return box.type.decode() if box.type.isalnum() else "unknown"


def _kinds(payload: bytes) -> set[Kind]:
    kinds = set()
    if b"\xa9xyz" in payload or b"location" in payload or b"loci" in payload:
        kinds.add(Kind.LOCATION)
    if b"\xa9mak" in payload or b"\xa9mod" in payload or b"quicktime.make" in payload:
        kinds.add(Kind.DEVICE)
    if b"\xa9day" in payload or b"creationdate" in payload:
        kinds.add(Kind.CAPTURE_TIME)
    if b"\xa9swr" in payload or b"\xa9too" in payload or b"software" in payload:
        kinds.add(Kind.SOFTWARE)
    return kinds or {Kind.UNKNOWN_DATA}


def _blank_times(blanks: Blanks, box: Box) -> None:
    """Creation and modification time, 4 or 8 bytes each behind version and flags."""
    size = 16 if blanks.data[box.payload] == 1 else 8
    start = box.payload + 4
    if start + size > box.end:
        raise ImageError("This movie is damaged.")
    blanks.remove(start, start + size, {Kind.CAPTURE_TIME}, f"{_name(box)} box")


def blank_handler_name(blanks: Blanks, box: Box) -> None:
    """The name in an `hdlr` box is free text; its length stays, in either way of writing it."""
    start = box.payload + 24
    if start < box.end and not blanks.data[box.payload + 4 : box.payload + 8].strip(b"\0"):
        blanks.remove(start, box.end, {Kind.SOFTWARE}, "hdlr box")
    elif start < box.end:
        blanks.remove(start + 1, box.end, {Kind.SOFTWARE}, "hdlr box")


def _find(data: bytes, box: Box, *path: bytes) -> Box | None:
    for type_ in path:
        inner = next((one for one in boxes(data, box.payload, box.end) if one.type == type_), None)
        if inner is None:
            return None
        box = inner
    return box


def _handler(data: bytes, trak: Box) -> bytes:
    box = _find(data, trak, b"mdia", b"hdlr")
    return data[box.payload + 8 : box.payload + 12] if box else b""


def _remove_track(blanks: Blanks, trak: Box) -> None:
    """A track of metadata: nobody finds it any more."""
    kinds = {Kind.LOCATION, Kind.UNKNOWN_DATA}
    blanks.find(kinds, "track of metadata", trak.start, trak.end)
    blanks.put(trak.start + 4, b"free")
    blanks.blank(trak.payload, trak.end)


def _samples(data: bytes, trak: Box) -> Iterator[tuple[int, int]]:
    """Where the samples of a track stand, a range for each chunk."""
    table = _find(data, trak, b"mdia", b"minf", b"stbl")
    if table is None:
        return
    inner = {box.type: box for box in boxes(data, table.payload, table.end)}
    sizes = _sizes(data, inner.get(b"stsz"))
    offsets = _offsets(data, inner)
    sample = 0
    runs = _samples_per_chunk(data, inner.get(b"stsc"), len(offsets))
    per_chunk = list(islice(runs, len(offsets)))
    for offset, count in zip(offsets, per_chunk, strict=False):
        length = sum(sizes[sample : sample + count])
        sample += count
        yield offset, offset + length


def _sizes(data: bytes, box: Box | None) -> list[int]:
    if box is None:
        return []
    size, count = struct.unpack_from(">II", data, box.payload + 4)
    if count > MOST_SAMPLES or (not size and box.payload + 12 + 4 * count > box.end):
        raise ImageError("This movie is damaged.")
    if size:
        return [size] * count
    return list(struct.unpack_from(f">{count}I", data, box.payload + 12))


def _offsets(data: bytes, inner: dict[bytes, Box]) -> list[int]:
    for type_, letter, width in ((b"stco", "I", 4), (b"co64", "Q", 8)):
        box = inner.get(type_)
        if box is not None:
            (count,) = struct.unpack_from(">I", data, box.payload + 4)
            if box.payload + 8 + width * count > box.end:
                raise ImageError("This movie is damaged.")
            return list(struct.unpack_from(f">{count}{letter}", data, box.payload + 8))
    return []


def _samples_per_chunk(data: bytes, box: Box | None, chunks: int) -> Iterator[int]:
    if box is None:
        return
    (count,) = struct.unpack_from(">I", data, box.payload + 4)
    if box.payload + 8 + 12 * count > box.end:
        raise ImageError("This movie is damaged.")
    runs = [struct.unpack_from(">II", data, box.payload + 8 + 12 * n) for n in range(count)]
    for number, (first, samples) in enumerate(runs):
        last = runs[number + 1][0] if number + 1 < count else chunks + 1
        for _ in range(first, min(last, chunks + 1)):
            yield samples


def dimensions(data: bytes, moov: Box) -> tuple[int, int]:
    """Width and height in pixels of the first track that is seen; 0 where there is none."""
    for box in boxes(data, moov.payload, moov.end):
        header = _find(data, box, b"tkhd") if box.type == b"trak" else None
        if header is not None and header.end - header.payload >= 84:
            width, height = struct.unpack_from(">II", data, header.end - 8)
            if width and height:
                return width >> 16, height >> 16
    return 0, 0

"""Exif blocks (CIPA DC-008, a TIFF structure): what kinds of things they tell, what rendering
needs of them, and the smallest block that still says that.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import piexif

from safelight.images.model import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_ENTRIES = 4096
_ORIENTATION, _X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 0x0112, 0x011A, 0x011B, 0x0128
_EXIF_IFD, _GPS_IFD, _INTEROP_IFD = 0x8769, 0x8825, 0xA005
_COLOUR_SPACE, _PIXEL_X, _PIXEL_Y = 0xA001, 0xA002, 0xA003
_TYPE_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}

_KINDS = {
    Kind.CAPTURE_TIME: {0x0132, 0x9003, 0x9004, 0x9010, 0x9011, 0x9012, 0x9290, 0x9291, 0x9292},
    Kind.DEVICE: {0x010F, 0x0110, 0xA433, 0xA434, 0xC614, 0x927C},
    Kind.DEVICE_SERIAL: {0xA431, 0xA435, 0xC62F, 0xA420, 0xC65D},
    Kind.AUTHOR: {0x013B, 0x8298, 0x9C9D, 0xA430, 0xA437, 0xA436},
    Kind.SOFTWARE: {0x0131, 0x013C, 0x000B, 0xA438, 0xA439, 0xA43A, 0xA43B, 0xA43C},
    Kind.COMMENT: {0x010E, 0x9286, 0x9C9B, 0x9C9C, 0x9C9E, 0x9C9F, 0x010D},
}
_KIND_OF = {tag: kind for kind, tags in _KINDS.items() for tag in tags}
_CHILDREN = {
    _EXIF_IFD: Kind.UNKNOWN_DATA,
    _INTEROP_IFD: Kind.UNKNOWN_DATA,
    _GPS_IFD: Kind.LOCATION,
}
_ROWS = {order: struct.Struct(f"{order}HHI4s") for order in "<>"}


@dataclass(frozen=True, slots=True)
class Rendering:
    """What a picture needs of its Exif block to look the same; None where the block is silent."""

    orientation: int | None = None
    resolution: tuple[tuple[int, int], tuple[int, int]] | None = None
    resolution_unit: int | None = None
    pixels: tuple[int, int] | None = None
    colour_space: int | None = None
    interoperability: str | None = None


@dataclass(slots=True)
class ExifBlock:
    """A parsed block. `intact` is False when part of it could not be followed."""

    rendering: Rendering = field(default_factory=Rendering)
    kinds: set[Kind] = field(default_factory=set)
    intact: bool = True


class _Entry(NamedTuple):
    tag: int
    type: int
    components: int
    value: bytes


class _Tiff:
    """A bounds-checked reader of the IFDs in one TIFF structure."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4], "")
        self.intact = bool(self.order)
        self.row = _ROWS[self.order or "<"]
        self.budget = MOST_ENTRIES
        self.seen: set[int] = set()

    def first(self) -> int:
        return self.number(self.data[4:8]) if self.intact else 0

    def number(self, value: bytes) -> int:
        return int.from_bytes(value, "little" if self.order == "<" else "big")

    def entries(self, offset: int) -> Iterator[_Entry]:
        """The entries of the IFD at `offset`; stops, no longer intact, where it is broken."""
        count_end = offset + 2
        if offset < 8 or offset in self.seen or count_end > len(self.data):
            self.intact = False
            return
        self.seen.add(offset)
        count = self.number(self.data[offset:count_end])
        for position in range(count_end, count_end + 12 * count, 12):
            self.budget -= 1
            if position + 12 > len(self.data) or self.budget < 0:
                self.intact = False
                return
            yield self._entry(position)

    def next_ifd(self, offset: int) -> int:
        count = self.number(self.data[offset : offset + 2])
        position = offset + 2 + 12 * count
        return self.number(self.data[position : position + 4])

    def _entry(self, position: int) -> _Entry:
        tag, type_, count, value = self.row.unpack_from(self.data, position)
        width = _TYPE_SIZES.get(type_)
        if width is None:
            self.intact, width = False, 0
        size = width * count
        if size <= 4:
            return _Entry(tag, type_, count, value[:size])
        start = self.number(value)
        if start + size > len(self.data):
            self.intact = False
        # Only small values are ever looked at.
        return _Entry(tag, type_, count, self.data[start : start + min(size, 64)])

    def integer(self, entry: _Entry) -> int | None:
        width = {1: 1, 3: 2, 4: 4}.get(entry.type)
        return self.number(entry.value[:width]) if width and entry.components else None

    def rational(self, entry: _Entry) -> tuple[int, int] | None:
        if entry.type != 5 or len(entry.value) < 8:
            return None
        return self.number(entry.value[:4]), self.number(entry.value[4:8])


def parse(tiff: bytes) -> ExifBlock:
    """Read the TIFF structure of an Exif block. Never raises."""
    reader = _Tiff(tiff)
    block = ExifBlock()
    values: dict[int, _Entry] = {}
    if reader.intact:
        _walk(reader, block, values)
    block.intact = reader.intact
    if not block.intact:
        block.kinds.add(Kind.UNKNOWN_DATA)
    block.rendering = _rendering(reader, values)
    return block


def _walk(reader: _Tiff, block: ExifBlock, values: dict[int, _Entry]) -> None:
    first = reader.first()
    pending = [(first, Kind.UNKNOWN_DATA)]
    while pending:
        offset, context = pending.pop()
        for entry in reader.entries(offset):
            _note(block, entry, context)
            if context is Kind.UNKNOWN_DATA:
                values.setdefault(entry.tag, entry)
            if entry.tag in _CHILDREN and context is Kind.UNKNOWN_DATA:
                pending.append((reader.integer(entry) or 0, _CHILDREN[entry.tag]))
    following = reader.next_ifd(first) if first + 2 <= len(reader.data) else 0
    if following:
        block.kinds.add(Kind.THUMBNAIL)
        for entry in reader.entries(following):
            _note(block, entry, Kind.UNKNOWN_DATA)


def _note(block: ExifBlock, entry: _Entry, context: Kind) -> None:
    if context is Kind.LOCATION:
        block.kinds.add(Kind.LOCATION)
    elif entry.tag in _KIND_OF and entry.value.strip(b"\0 "):
        block.kinds.add(_KIND_OF[entry.tag])


def _rendering(reader: _Tiff, values: dict[int, _Entry]) -> Rendering:
    def integer(tag: int) -> int | None:
        return reader.integer(values[tag]) if tag in values else None

    def rational(tag: int) -> tuple[int, int] | None:
        return reader.rational(values[tag]) if tag in values else None

    x, y = rational(_X_RESOLUTION), rational(_Y_RESOLUTION)
    width, height = integer(_PIXEL_X), integer(_PIXEL_Y)
    interoperability = values.get(0x0001)
    r03 = interoperability is not None and interoperability.value[:3] == b"R03"
    return Rendering(
        integer(_ORIENTATION),
        (x, y) if x and y else None,
        integer(_RESOLUTION_UNIT),
        (width, height) if width and height else None,
        integer(_COLOUR_SPACE),
        "R03" if r03 else None,
    )


def kind_of(tag: int) -> Kind:
    """What kind of thing a TIFF or Exif tag tells."""
    return _KIND_OF.get(tag, Kind.UNKNOWN_DATA)


def turning(rendering: Rendering) -> int:
    """The orientation that counts: 2 to 8, or 1 for upright and for anything invalid."""
    value = rendering.orientation
    return value if value is not None and 2 <= value <= 8 else 1


@lru_cache(maxsize=256)
def minimal(rendering: Rendering, width: int, height: int) -> bytes:
    """The smallest TIFF structure that says what a picture of this size needs; b"" for nothing."""
    main: dict[int, object] = {}
    exif: dict[int, object] = {}
    interoperability: dict[int, object] = {}
    if rendering.orientation in range(2, 9):
        main[_ORIENTATION] = rendering.orientation
    if (
        rendering.resolution is not None
        and rendering.pixels is not None
        and _corrects_density(rendering, width, height)
    ):
        main[_X_RESOLUTION], main[_Y_RESOLUTION] = rendering.resolution
        main[_RESOLUTION_UNIT] = 2
        exif[_PIXEL_X], exif[_PIXEL_Y] = rendering.pixels
    if rendering.colour_space == 2:
        exif[_COLOUR_SPACE] = 2
    if rendering.interoperability == "R03":
        interoperability[0x0001] = b"R03\0"
    if not main and not exif and not interoperability:
        return b""
    block: bytes = piexif.dump({"0th": main, "Exif": exif, "Interop": interoperability})
    return block[6:]


def _corrects_density(rendering: Rendering, width: int, height: int) -> bool:
    """Would a browser show the picture in another size because of its density?

    HTML, "density-corrected natural width and height": it does when the Exif size is the size in
    pixels at 72 dots an inch.
    """
    if rendering.resolution is None or rendering.pixels is None or rendering.resolution_unit != 2:
        return False
    shown = []
    for (numerator, denominator), stored in zip(rendering.resolution, (width, height), strict=True):
        if not numerator or not denominator:
            return False
        shown.append(round(stored * 72 * denominator / numerator))
    return tuple(shown) == rendering.pixels and rendering.pixels != (width, height)

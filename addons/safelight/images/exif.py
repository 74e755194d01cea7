"""Exif blocks (CIPA DC-008, a TIFF structure): what kinds of things they tell, what rendering
needs of them, and the smallest block that still says that.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, NamedTuple

import piexif

from safelight.images.keeping import COPYRIGHT_TAG, LONGEST_COPYRIGHT, Keep, keeps
from safelight.images.model import Kind

MOST_ENTRIES = 4096
_SMALL = 64
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
_FURTHER_IFDS = frozenset({_EXIF_IFD, _INTEROP_IFD})
_TELLING = frozenset(_KIND_OF)
_LOOKED_AT = _TELLING | _FURTHER_IFDS | {_GPS_IFD, _ORIENTATION, _X_RESOLUTION, _Y_RESOLUTION}
_LOOKED_AT |= {_RESOLUTION_UNIT, _COLOUR_SPACE, _PIXEL_X, _PIXEL_Y, 0x0001}
_ORDERS: dict[bytes, Literal["little", "big"]] = {b"II*\0": "little", b"MM\0*": "big"}
_ROWS = {"little": struct.Struct("<HHI4s"), "big": struct.Struct(">HHI4s")}


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
    """A parsed block. `intact` is False when part of it could not be followed; `copyright` is only
    read where it is to stay."""

    rendering: Rendering = field(default_factory=Rendering)
    kinds: set[Kind] = field(default_factory=set)
    intact: bool = True
    copyright: bytes = b""


class _Entry(NamedTuple):
    tag: int
    type: int
    components: int
    value: bytes


class _Tiff:
    """A bounds-checked reader of the IFDs in one TIFF structure."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.order: Literal["little", "big", ""] = _ORDERS.get(data[:4], "")
        self.intact = bool(self.order)
        self.budget = MOST_ENTRIES
        self.seen: set[int] = set()

    def first(self) -> int:
        return self.number(self.data[4:8]) if self.intact else 0

    def number(self, value: bytes) -> int:
        return int.from_bytes(value, self.order or "big")

    def entries(self, offset: int, wanted: frozenset[int]) -> list[_Entry]:
        """The `wanted` tags of the IFD at `offset`; no longer intact where it is broken."""
        data, size, order = self.data, len(self.data), self.order or "big"
        start = offset + 2
        if offset < 8 or offset in self.seen or start > size:
            self.intact = False
            return []
        self.seen.add(offset)
        said = int.from_bytes(data[offset:start], order)
        count = min(said, self.budget, (size - start) // 12)
        self.budget -= count
        found = []
        for tag, type_, components, inline in _ROWS[order].iter_unpack(
            data[start : start + 12 * count]
        ):
            if type_ not in _TYPE_SIZES:
                self.intact = False
                continue
            value, length = inline, _TYPE_SIZES[type_] * components
            if length > 4:
                place = int.from_bytes(inline, order)
                if place + length > size:
                    self.intact = False
                # Only small values are ever looked at.
                most = LONGEST_COPYRIGHT if tag == COPYRIGHT_TAG else 64
                value = data[place : place + min(length, most)]
            if tag in wanted:
                found.append(_Entry(tag, type_, components, value[:length]))
        if count != said:
            self.intact = False
        return found

    def next_ifd(self, offset: int) -> int:
        count = self.number(self.data[offset : offset + 2])
        position = offset + 2 + 12 * count
        return self.number(self.data[position : position + 4])

    def integer(self, entry: _Entry) -> int | None:
        width = {1: 1, 3: 2, 4: 4}.get(entry.type)
        return self.number(entry.value[:width]) if width and entry.components else None

    def rational(self, entry: _Entry) -> tuple[int, int] | None:
        if entry.type != 5 or len(entry.value) < 8:
            return None
        return self.number(entry.value[:4]), self.number(entry.value[4:8])


def parse(tiff: bytes) -> ExifBlock:
    """Read the TIFF structure of an Exif block. Never raises."""
    if keeps(Keep.COPYRIGHT) or len(tiff) > _SMALL:
        return _parsed(tiff)
    return _parsed_again(tiff)


@lru_cache(maxsize=64)
def _parsed_again(tiff: bytes) -> ExifBlock:
    """The few blocks that `minimal` leaves come again with every picture."""
    return _parsed(tiff)


def _parsed(tiff: bytes) -> ExifBlock:
    reader = _Tiff(tiff)
    block = ExifBlock()
    values: dict[int, _Entry] = {}
    if reader.intact:
        _walk(reader, block, values)
    block.intact = reader.intact
    if not block.intact:
        block.kinds.add(Kind.UNKNOWN_DATA)
    block.rendering = _rendering(reader, values)
    if keeps(Keep.COPYRIGHT) and COPYRIGHT_TAG in values:
        block.copyright = _notice(values[COPYRIGHT_TAG])
    return block


def _notice(entry: _Entry) -> bytes:
    """A notice that can stay; b"" for one that is too long, or no text."""
    fits = entry.type == 2 and len(entry.value) == entry.components <= LONGEST_COPYRIGHT
    return entry.value.rstrip(b"\0 ") if fits else b""


def _walk(reader: _Tiff, block: ExifBlock, values: dict[int, _Entry]) -> None:
    first = reader.first()
    pending = [first]
    while pending:
        for entry in reader.entries(pending.pop(), _LOOKED_AT):
            tag = entry.tag
            if tag == _GPS_IFD:
                _locate(reader, block, reader.integer(entry) or 0)
            elif tag in _FURTHER_IFDS:
                pending.append(reader.integer(entry) or 0)
            elif tag in _KIND_OF and entry.value.strip(b"\0 "):
                block.kinds.add(_KIND_OF[tag])
            values.setdefault(tag, entry)
    following = reader.next_ifd(first) if first + 2 <= len(reader.data) else 0
    if following:
        block.kinds.add(Kind.THUMBNAIL)
        for entry in reader.entries(following, _TELLING):
            if entry.value.strip(b"\0 "):
                block.kinds.add(_KIND_OF[entry.tag])


def _locate(reader: _Tiff, block: ExifBlock, offset: int) -> None:
    before = reader.budget
    reader.entries(offset, frozenset())
    if reader.budget < before:
        block.kinds.add(Kind.LOCATION)


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
def minimal(rendering: Rendering, width: int, height: int, notice: bytes = b"") -> bytes:
    """The smallest TIFF structure that says what a picture of this size needs, and its copyright
    `notice`; b"" for nothing."""
    main: dict[int, object] = {COPYRIGHT_TAG: notice} if notice else {}
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

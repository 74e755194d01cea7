"""Exif blocks (CIPA DC-008, a TIFF structure): what rendering needs of them, and the smallest block
that still says that.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import piexif

from safelight.images.exif_tables import FURTHER_IFDS, TYPE_SIZES, Tables
from safelight.images.keeping import COPYRIGHT_TAG, LONGEST_COPYRIGHT, Keep, keeps

if TYPE_CHECKING:
    from safelight.images.exif_tables import Row

_SMALL = 64
_ORIENTATION, _X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 0x0112, 0x011A, 0x011B, 0x0128
_COLOUR_SPACE, _PIXEL_X, _PIXEL_Y = 0xA001, 0xA002, 0xA003
_INTEROPERABILITY = 0x0001
_NUMBERS = frozenset({_ORIENTATION, _RESOLUTION_UNIT, _COLOUR_SPACE, _PIXEL_X, _PIXEL_Y})
_LOOKED_AT = FURTHER_IFDS | _NUMBERS
_LOOKED_AT |= {_X_RESOLUTION, _Y_RESOLUTION, _INTEROPERABILITY, COPYRIGHT_TAG}


class Rendering(NamedTuple):
    """What a picture needs of its Exif block to look the same; None where the block is silent."""

    orientation: int | None = None
    resolution: tuple[tuple[int, int], tuple[int, int]] | None = None
    resolution_unit: int | None = None
    pixels: tuple[int, int] | None = None
    colour_space: int | None = None
    interoperability: str | None = None


class ExifBlock(NamedTuple):
    """A parsed block; `copyright` is only read where it is to stay."""

    rendering: Rendering = Rendering()
    copyright: bytes = b""


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
    tables = Tables(tiff)
    rows: dict[int, Row] = {}
    pending = [tables.first()]
    while pending:
        for row in tables.rows(pending.pop()):
            if row[0] in _LOOKED_AT and row[1] in TYPE_SIZES:
                if row[0] in FURTHER_IFDS:
                    pending.append(tables.integer(row) or 0)
                else:
                    rows.setdefault(row[0], row)
    notice = rows.get(COPYRIGHT_TAG)
    kept = _notice(tables, notice) if notice and keeps(Keep.COPYRIGHT) else b""
    return ExifBlock(_rendering(tables, rows), kept)


def _notice(tables: Tables, row: Row) -> bytes:
    """A notice that can stay; b"" for one that is too long, or no text."""
    _, type_, components, _ = row
    value = tables.value(row, LONGEST_COPYRIGHT)
    fits = type_ == 2 and len(value) == components <= LONGEST_COPYRIGHT
    return value.rstrip(b"\0 ") if fits else b""


def _rendering(tables: Tables, rows: dict[int, Row]) -> Rendering:
    numbers = {tag: tables.integer(row) for tag, row in rows.items() if tag in _NUMBERS}
    resolution = None
    if _X_RESOLUTION in rows and _Y_RESOLUTION in rows:
        x, y = tables.rational(rows[_X_RESOLUTION]), tables.rational(rows[_Y_RESOLUTION])
        resolution = (x, y) if x and y else None
    width, height = numbers.get(_PIXEL_X), numbers.get(_PIXEL_Y)
    interoperability = rows.get(_INTEROPERABILITY)
    r03 = interoperability is not None and tables.value(interoperability)[:3] == b"R03"
    return Rendering(
        numbers.get(_ORIENTATION),
        resolution,
        numbers.get(_RESOLUTION_UNIT),
        (width, height) if width and height else None,
        numbers.get(_COLOUR_SPACE),
        "R03" if r03 else None,
    )


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
        interoperability[_INTEROPERABILITY] = b"R03\0"
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

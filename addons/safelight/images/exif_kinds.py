"""What kinds of things an Exif block tells (CIPA DC-008). Nothing is decided by that: it is looked
at when somebody asks.
"""

from __future__ import annotations

from safelight.images.exif_tables import FURTHER_IFDS, GPS_IFD, Tables
from safelight.images.model import Kind

_KINDS = {
    Kind.CAPTURE_TIME: {0x0132, 0x9003, 0x9004, 0x9010, 0x9011, 0x9012, 0x9290, 0x9291, 0x9292},
    Kind.DEVICE: {0x010F, 0x0110, 0xA433, 0xA434, 0xC614, 0x927C},
    Kind.DEVICE_SERIAL: {0xA431, 0xA435, 0xC62F, 0xA420, 0xC65D},
    Kind.AUTHOR: {0x013B, 0x8298, 0x9C9D, 0xA430, 0xA437, 0xA436},
    Kind.SOFTWARE: {0x0131, 0x013C, 0x000B, 0xA438, 0xA439, 0xA43A, 0xA43B, 0xA43C},
    Kind.COMMENT: {0x010E, 0x9286, 0x9C9B, 0x9C9C, 0x9C9E, 0x9C9F, 0x010D},
}
_KIND_OF = {tag: kind for kind, tags in _KINDS.items() for tag in tags}


def of_tag(tag: int) -> Kind:
    """What kind of thing a TIFF or Exif tag tells."""
    return _KIND_OF.get(tag, Kind.UNKNOWN_DATA)


def of_block(tiff: bytes) -> set[Kind]:
    """What the TIFF structure of an Exif block tells; unknown data where it is none of what is
    known, or cannot be followed. Never raises."""
    return _walked(Tables(tiff)) or {Kind.UNKNOWN_DATA}


def is_intact(tiff: bytes) -> bool:
    """Can all of the structure be followed?"""
    tables = Tables(tiff)
    _walked(tables)
    return tables.intact


def _walked(tables: Tables) -> set[Kind]:
    found: set[Kind] = set()
    if tables.intact:
        first = tables.first()
        pending = [first]
        while pending:
            pending += _table(tables, pending.pop(), found)
        following = tables.next(first)
        if following:
            found.add(Kind.THUMBNAIL)
            _table(tables, following, found)
    if not tables.intact:
        found.add(Kind.UNKNOWN_DATA)
    return found


def _table(tables: Tables, offset: int, found: set[Kind]) -> list[int]:
    """Add what one IFD tells; where further ones stand comes back."""
    further = []
    for row in tables.rows(offset):
        tag = row[0]
        if not tables.fits(row):
            tables.intact = False
        if tag in FURTHER_IFDS:
            further.append(tables.integer(row) or 0)
        elif tag == GPS_IFD:
            places = [tables.fits(one) for one in tables.rows(tables.integer(row) or 0)]
            if places:
                found.add(Kind.LOCATION)
            if not all(places):
                tables.intact = False
        elif tag in _KIND_OF and tables.value(row).strip(b"\0 "):
            found.add(_KIND_OF[tag])
    return further

"""Photoshop image resources and the IPTC-IIM records in them: what kinds of things they tell."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from safelight.images.model import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

_RESOURCES = {
    0x0409: Kind.THUMBNAIL,
    0x040C: Kind.THUMBNAIL,
    0x0422: Kind.DEVICE,
    0x0424: Kind.EDIT_HISTORY,
    0x0421: Kind.SOFTWARE,
    0x040A: Kind.AUTHOR,
    0x040B: Kind.AUTHOR,
}
_DATASETS = {
    Kind.AUTHOR: {80, 85, 110, 115, 116, 122},
    Kind.LOCATION: {26, 27, 90, 92, 95, 100, 101},
    Kind.CAPTURE_TIME: {55, 60, 62, 63, 30, 35},
    Kind.SOFTWARE: {65, 70},
    Kind.COMMENT: {5, 25, 40, 105, 120, 118, 103},
}
_KIND_OF = {number: kind for kind, numbers in _DATASETS.items() for number in numbers}


def kinds(resources: bytes) -> set[Kind]:
    """What kinds of things a run of `8BIM` resources tells."""
    found: set[Kind] = set()
    for number, data in _resources(resources):
        if number == 0x0404:
            found |= record_kinds(data)
        elif number in _RESOURCES:
            found.add(_RESOURCES[number])
    return found or {Kind.UNKNOWN_DATA}


def record_kinds(record: bytes) -> set[Kind]:
    """What kinds of things an IPTC record tells."""
    found = {_KIND_OF[dataset] for dataset in datasets(record) if dataset in _KIND_OF}
    return found or {Kind.UNKNOWN_DATA}


def iptc(resources: bytes) -> bytes:
    """The IPTC record among `resources`, or b""."""
    return next((data for number, data in _resources(resources) if number == 0x0404), b"")


def _resources(data: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while data[position : position + 4] == b"8BIM" and position + 7 <= len(data):
        (number,) = struct.unpack_from(">H", data, position + 4)
        name_length = data[position + 6]
        position += 6 + (name_length + 2) // 2 * 2
        size = int.from_bytes(data[position : position + 4])
        position += 4
        yield number, data[position : position + size]
        position += (size + 1) // 2 * 2


def datasets(record: bytes) -> dict[int, list[bytes]]:
    """Values of record 2 by dataset number (IPTC-IIM 4.2, chapter 6)."""
    found: dict[int, list[bytes]] = {}
    position = 0
    while record[position : position + 1] == b"\x1c" and position + 5 <= len(record):
        number, size = record[position + 2], int.from_bytes(record[position + 3 : position + 5])
        if size & 0x8000:  # an extended dataset: larger than anything shown here
            break
        if record[position + 1] == 2:
            value = record[position + 5 : position + 5 + size]
            found.setdefault(number, []).append(value)
        position += 5 + size
    return found

"""Boxes of the ISO base media file format (ISO/IEC 14496-12 section 4.2), as JPEG 2000 and JPEG XL
use them too.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from safelight.images.model import ImageError

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_BOXES = 100_000
_HEADER = struct.Struct(">I4s")


@dataclass(slots=True)
class Box:
    """A box: its type, where it starts, where its payload starts, where it ends."""

    type: bytes
    start: int
    payload: int
    end: int


def boxes(data: bytes, start: int, end: int) -> Iterator[Box]:
    """The boxes in `data[start:end]`. Raises ImageError where one does not fit."""
    position = start
    for _ in range(MOST_BOXES):
        if position == end:
            return
        if position + 8 > end:
            raise ImageError("This picture is cut off or damaged.")
        size, type_ = _HEADER.unpack_from(data, position)
        payload = position + 8
        if size == 0:
            size = end - position
        elif size == 1:
            if payload + 8 > end:
                raise ImageError("This picture is cut off or damaged.")
            (size,) = struct.unpack_from(">Q", data, payload)
            payload += 8
        behind = position + size
        if not payload <= behind <= end:
            raise ImageError("This picture is cut off or damaged.")
        yield Box(type_, position, payload, behind)
        position = behind
    raise ImageError("This picture has too many parts.")


def boxes_of_file(data: bytes, known: frozenset[bytes]) -> tuple[list[Box], int]:
    """The boxes of a file, and where something else begins behind the last of them. Raises
    ImageError where a box of a type that is `known` does not fit: the file is cut off."""
    found: list[Box] = []
    end = 0
    try:
        for box in boxes(data, 0, len(data)):
            found.append(box)
            end = box.end
    except ImageError:
        if not found or len(found) == MOST_BOXES or data[end + 4 : end + 8] in known:
            raise
    return found, end

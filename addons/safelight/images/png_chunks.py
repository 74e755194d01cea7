"""The chunks of a PNG (W3C PNG, third edition, section 5): walked, and built."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from safelight.images.model import ImageError

if TYPE_CHECKING:
    from collections.abc import Iterable

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Length and type before the data, a CRC behind it.
OVERHEAD = 12
MOST_CHUNKS = 100_000
_HEADER = struct.Struct(">I4s")


@dataclass(slots=True)
class Chunk:
    """A chunk: its type, where it starts, where its data starts and ends, where it ends."""

    type: bytes
    start: int
    payload: int
    payload_end: int
    end: int


def chunks(data: bytes, proven: Iterable[tuple[int, int]] = ()) -> list[Chunk]:
    """Every chunk up to IEND, IDAT chunks that follow each other as one. Raises ImageError where
    the structure breaks.

    IDAT chunks that are `proven` to follow each other are not walked again.
    """
    known = dict(proven)
    found = []
    position = len(SIGNATURE)
    for _ in range(MOST_CHUNKS):
        if position + OVERHEAD > len(data):
            raise ImageError("This PNG is cut off.")
        length, type_ = _HEADER.unpack_from(data, position)
        if type_ == b"IDAT":
            end = known.get(position) or _end_of_pixels(data, position)
        else:
            end = position + OVERHEAD + length
        if end > len(data) or not type_.isalpha():
            raise ImageError("This PNG is cut off or damaged.")
        found.append(Chunk(type_, position, position + 8, end - 4, end))
        if type_ == b"IEND":
            return found
        position = end
    raise ImageError("This PNG has too many chunks.")


def _end_of_pixels(data: bytes, position: int) -> int:
    """Pixels come in many chunks, and nothing is looked at in any of them."""
    last = len(data) - _HEADER.size
    length, type_ = _HEADER.unpack_from(data, position)
    while type_ == b"IDAT":
        position += OVERHEAD + length
        if position > last:
            break
        length, type_ = _HEADER.unpack_from(data, position)
    return position


def built(type_: bytes, data: bytes) -> bytes:
    """A whole chunk."""
    crc = zlib.crc32(data, zlib.crc32(type_))
    return struct.pack(">I4s", len(data), type_) + data + struct.pack(">I", crc)

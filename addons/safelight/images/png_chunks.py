"""The chunks of a PNG (W3C PNG, third edition, section 5): walked, and built."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

from safelight.images.chunk import Chunk
from safelight.images.model import ImageError

if TYPE_CHECKING:
    from collections.abc import Iterable

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Length and type before the data, a CRC behind it.
OVERHEAD = 12
MOST_CHUNKS = 100_000
_HEADER = struct.Struct(">I4s")
# The last byte of a length is the first to differ.
_BYTES_OF_HEADER = (3, 2, 1, 0, 4, 5, 6, 7)
_TOO_FEW, _MOST_AT_ONCE = 8, 128


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
    """Pixels come in many chunks, most of them of one size, and nothing is looked at in any."""
    last = len(data) - _HEADER.size
    before = (0, b"")
    while position <= last:
        header = _HEADER.unpack_from(data, position)
        length, type_ = header
        if type_ != b"IDAT":
            break
        size = OVERHEAD + length
        position += size * (_alike(data, position, size) if header == before else 1)
        before = header
    return position


def _alike(data: bytes, position: int, size: int) -> int:
    """How many chunks of `size` bytes follow each other whose headers are that at `position`, or 1
    where these are few: each byte of the headers is compared in all of them at once."""
    count = min((len(data) - position) // size, _MOST_AT_ONCE)
    for place in _BYTES_OF_HEADER:
        first = position + place
        column = data[first : first + size * count : size]
        count = len(column) - len(column.lstrip(data[first : first + 1]))
        if count < _TOO_FEW:
            return 1
    return count


def built(type_: bytes, data: bytes) -> bytes:
    """A whole chunk."""
    crc = zlib.crc32(data, zlib.crc32(type_))
    return struct.pack(">I4s", len(data), type_) + data + struct.pack(">I", crc)

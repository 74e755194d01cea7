"""The chunks of a WebP (RFC 9649 section 2): walked, and which of them have a place."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from safelight.images.chunk import Chunk
from safelight.images.model import ImageError

KEPT = frozenset({b"VP8X", b"ICCP", b"ANIM", b"ANMF", b"ALPH", b"VP8 ", b"VP8L"})
MOST_CHUNKS = 100_000
_HEADER = struct.Struct("<4sI")
_PIXELS = frozenset({b"VP8 ", b"VP8L"})
_SHOWN = _PIXELS | {b"ANMF"}
_PAYLOADS = {b"VP8X": 10, b"ANIM": 6}


@dataclass(slots=True)
class Order:
    """Which chunks of the picture have come (RFC 9649 section 2.7): decoders take the first."""

    seen: set[bytes] = field(default_factory=set)

    def has_place(self, type_: bytes, size: int) -> bool:
        """May a chunk that stays, with `size` bytes of payload, stand here? Raises ImageError
        where it says nothing in its place."""
        if size != _PAYLOADS.get(type_, size):
            raise ImageError("This WebP is damaged.")
        if type_ == b"ANMF":
            fits = b"ANIM" in self.seen and self.seen.isdisjoint(_PIXELS)
        else:
            fits = type_ not in self.seen and (type_ != b"VP8X" or not self.seen)
            fits = fits and not self.is_whole
        if fits:
            self.seen.add(type_)
        return fits

    @property
    def is_whole(self) -> bool:
        """Was there a picture?"""
        return not self.seen.isdisjoint(_SHOWN)


def chunks(data: bytes, start: int, end: int) -> list[Chunk]:
    """The chunks in `data[start:end]`. Raises ImageError where the structure breaks."""
    found: list[Chunk] = []
    position = start
    for _ in range(MOST_CHUNKS):
        if position == end:
            return found
        if position + 8 > end:
            raise ImageError("This WebP is cut off or damaged.")
        type_, size = _HEADER.unpack_from(data, position)
        payload_end = position + 8 + size
        if payload_end > end:
            raise ImageError("This WebP is cut off or damaged.")
        # Some writers leave out the padding byte of the last chunk.
        chunk_end = min(payload_end + (size & 1), end)
        found.append(Chunk(type_, position, position + 8, payload_end, chunk_end))
        position = chunk_end
    raise ImageError("This WebP has too many parts.")

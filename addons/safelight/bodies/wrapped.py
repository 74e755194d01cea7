"""Pictures inside something that is packed or encoded once more: base64 of base64, of JSON or of a
message (gRPC-Web's text mode), gzip and zlib (RFC 1950, RFC 1952) that no header tells of.

They are noticed, not rewritten.
"""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING

from safelight.bodies import base64_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from safelight.bodies.model import Recogniser, Site

DEEPEST = 3
MOST_UNPACKED = 256_000_000  # bytes
_SHORTEST = 400  # letters: what is shorter holds no picture with something to say
_PIECE = 1 << 20
# A signature that begins in one piece may end in the next, with the segments that follow it.
_OVERLAP = 1 << 17
_GZIP_OR_ZLIB = re.compile(rb"\x1f\x8b\x08|[\x78][\x01\x5e\x9c\xda]")


class UnpacksTooFarError(ValueError):
    """What is packed in it is more than can be looked at."""


def holds_picture(
    body: bytes,
    start: int,
    end: int,
    sites: Iterable[Site],
    recogniser: Recogniser,
    *,
    has_run: bool,
) -> bool:
    """Is a picture wrapped up in `body[start:end]`, outside the `sites` that are known? `has_run`
    says whether there is base64 at all. Raises UnpacksTooFarError."""
    unwrapping = _Unwrapping(recogniser)
    if _GZIP_OR_ZLIB.match(body, start, end) and unwrapping.packs(body[start:end], DEEPEST):
        return True
    decoded = _decoded(body, start, end, sites) if has_run else ()
    return any(unwrapping.holds(content, DEEPEST) for content in decoded)


def _decoded(body: bytes, start: int, end: int, sites: Iterable[Site]) -> Iterator[bytes]:
    """What the long runs of base64 stand for that are no sites."""
    known = {site.end for site in sites}
    for first, last in base64_text.runs(body, start, end):
        if last - first >= _SHORTEST and last not in known:
            try:
                yield base64_text.decode(body[first:last])
            except ValueError:
                continue


class _Unwrapping:
    """One look into a body; all that is unpacked on the way counts together."""

    def __init__(self, recogniser: Recogniser) -> None:
        self._recogniser = recogniser
        self._left = MOST_UNPACKED

    def holds(self, content: bytes, depth: int) -> bool:
        """Does a picture stand in `content`, wrapped or not?"""
        if self._recogniser.first_image(memoryview(content)) is not None:
            return True
        if not depth:
            return False
        whole = (content, 0, len(content))
        if any(True for _ in base64_text.find(*whole, self._recogniser)):
            return True
        if _GZIP_OR_ZLIB.match(content) and self.packs(content, depth - 1):
            return True
        return any(self.holds(inner, depth - 1) for inner in _decoded(*whole, ()))

    def packs(self, packed: bytes, depth: int) -> bool:
        """Does a picture stand in what `packed` unpacks to?"""
        before = b""
        for piece in self._unpacked(packed):
            if self.holds(before[-_OVERLAP:] + piece, depth):
                return True
            before = piece
        return False

    def _unpacked(self, packed: bytes) -> Iterator[bytes]:
        """Piece by piece, up to where it is damaged."""
        unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
        try:
            piece = unpacking.decompress(packed, _PIECE)
            while piece:
                yield piece
                self._left -= len(piece)
                if self._left < 0:
                    raise UnpacksTooFarError
                piece = unpacking.decompress(unpacking.unconsumed_tail, _PIECE)
        except zlib.error:
            return

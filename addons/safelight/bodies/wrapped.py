"""Pictures inside something that is packed or encoded once more: base64 of base64, of JSON or of a
message (gRPC-Web's text mode), and what is packed without that a header tells of it.

They are noticed, not rewritten.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from safelight.bodies import base64_runs, base64_text, packings
from safelight.bodies.base64_runs import SHORTEST_WRAPPING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from safelight.bodies.model import Recogniser, Site
    from safelight.bodies.packings import Unpack

DEEPEST = 3
MOST_UNPACKED = 256_000_000  # bytes
# A signature that begins in one piece may end in the next, with the segments that follow it.
_OVERLAP = 1 << 17
# What an attempt to unpack costs, in bytes that could be unpacked instead.
_ATTEMPT = 1 << 14


class UnpacksTooFarError(ValueError):
    """What is packed in it is more than can be looked at."""


def holds_picture(
    body: bytes,
    gaps: Iterable[tuple[int, int]],
    runs: Iterable[tuple[int, int]],
    sites: Iterable[Site],
    recogniser: Recogniser,
) -> bool:
    """Is a picture wrapped up in one of the `gaps` of `body`, or in one of its `runs` of base64
    that is none of the `sites`? Raises UnpacksTooFarError."""
    unwrapping = _Unwrapping(recogniser)
    view = memoryview(body)
    if any(unwrapping.packs(view[a:b], DEEPEST) for a, b in gaps):
        return True
    decoded = _decoded(body, runs, sites)
    return any(unwrapping.holds(content, DEEPEST) for content in decoded)


def _decoded(
    body: bytes, runs: Iterable[tuple[int, int]], sites: Iterable[Site]
) -> Iterator[bytes]:
    """What the long runs of base64 stand for that are no sites."""
    view = memoryview(body)
    known = sorted(site.start for site in sites)
    for first, last in runs:
        if last - first >= SHORTEST_WRAPPING and bisect_left(known, first) == bisect_left(
            known, last
        ):
            try:
                yield base64_text.decode(view[first:last])
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
        runs = tuple(base64_runs.runs(content, 0, len(content), self._recogniser))
        if any(True for _ in base64_text.find(content, runs, self._recogniser)):
            return True
        if self.packs(memoryview(content), depth - 1):
            return True
        return any(self.holds(inner, depth - 1) for inner in _decoded(content, runs, ()))

    def packs(self, data: memoryview, depth: int) -> bool:
        """Does a picture stand in something that is packed in `data`?"""
        return any(self._unpacks_to_one(*packed, depth) for packed in packings.packed(data))

    def _unpacks_to_one(self, packed: memoryview, unpack: Unpack, depth: int) -> bool:
        self._pay(_ATTEMPT)
        before = b""
        for piece in packings.unpacked(packed, unpack):
            self._pay(len(piece) or _ATTEMPT)
            if piece and self.holds(before[-_OVERLAP:] + piece, depth):
                return True
            before = piece or before
        return False

    def _pay(self, cost: int) -> None:
        self._left -= cost
        if self._left < 0:
            raise UnpacksTooFarError

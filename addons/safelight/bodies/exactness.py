"""Where a picture ends that something else may follow, told by the picture itself.

Most formats say where they end, so that one byte less is none of them any more. Readers of others,
and of pictures with a camera's data behind them, see a whole picture either way.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from safelight.bodies.model import Recogniser


def ends_exactly(data: memoryview, recogniser: Recogniser) -> bool:
    """Is `data` a whole picture to its last byte, and none without that?"""
    return recogniser.is_whole(data) and not recogniser.is_whole(data[:-1])


def exact_end(data: memoryview, longest_tail: int, recogniser: Recogniser) -> int | None:
    """Where the picture ends that `data` is, with fewer than `longest_tail` bytes behind it; None
    if it does not say, or is none."""
    if not recogniser.is_whole(data):
        return None
    shortest = max(0, len(data) - longest_tail)
    end = bisect_left(
        range(len(data)), 1, lo=shortest, key=lambda size: int(recogniser.is_whole(data[:size]))
    )
    return end if end > shortest else None

"""Elements of AAC that fill up a frame (ISO/IEC 14496-3 section 4.5.2.9), in which encoders write
their names: what stands in those before the sound becomes zeros.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_DATA, _FILL = 4, 6
# Plain filling, filling with a pattern, data; others carry dynamics and the upper band.
_PRIVATE = frozenset({0, 1, 2})
LONGEST = 1600


def changes(data: bytes, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    """What to put where at the beginning of the frame that begins at `start`."""
    head = data[start : min(end, start + LONGEST)]
    bits, left = int.from_bytes(head), 8 * len(head)
    clean = bits

    def number(at: int, size: int) -> int:
        return bits >> max(left - at - size, 0) & (1 << size) - 1

    at = 0
    while at + 40 <= left:
        element, at = number(at, 3), at + 3
        if element == _FILL:
            count, at = number(at, 4), at + 4
            if count == 15:
                count, at = 14 + number(at, 8), at + 8
            private = count > 0 and number(at, 4) in _PRIVATE
        elif element == _DATA:
            aligned, count, at = number(at + 4, 1), number(at + 5, 8), at + 13
            if count == 255:
                count, at = 255 + number(at, 8), at + 8
            at += -at % 8 * aligned
            private = True
        else:
            break
        behind = at + 8 * count
        if behind > left:
            break
        if private:
            clean &= ~((1 << behind - at) - 1 << left - behind)
        at = behind
    if clean != bits:
        yield start, clean.to_bytes(len(head))

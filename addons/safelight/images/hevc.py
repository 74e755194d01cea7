"""The configuration of HEVC decoders (ISO/IEC 14496-15 section 8.3.3.1): parameter sets stay,
messages beside them, in which encoders write about themselves, are filled up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from safelight.images.model import ImageError, Kind

if TYPE_CHECKING:
    from safelight.images.blanking import Blanks
    from safelight.images.boxes import Box

_ARRAYS = 22
_PARAMETER_SETS = frozenset({32, 33, 34})
_SEI_TYPES = frozenset({39, 40})
_UNIT_HEADER = 2
_FILLER_PAYLOAD = 3
_EMPTY_MESSAGE = bytes([_FILLER_PAYLOAD, 0])
_SHORTEST = 3


def scrub(blanks: Blanks, box: Box) -> None:
    """Fill up the messages in an `hvcC` box. Raises ImageError where it does not add up."""
    data = blanks.data
    position = box.payload + _ARRAYS + 1
    for _ in range(data[box.payload + _ARRAYS]):
        kind = data[position] & 0x3F
        count = int.from_bytes(data[position + 1 : position + 3])
        position += 3
        for _ in range(count):
            start = position + 2
            position = start + int.from_bytes(data[position:start])
            if position > box.end:
                raise ImageError("This file says wrongly how it is to be decoded.")
            if kind not in _PARAMETER_SETS:
                _fill(blanks, start, position, kind)
    blanks.remove(position, box.end, {Kind.UNKNOWN_DATA}, "behind the hvcC box")


def _fill(blanks: Blanks, start: int, end: int, kind: int) -> None:
    """One message that says nothing (ITU-T H.265 D.2.4) in place of those of a unit."""
    body = start + _UNIT_HEADER
    if kind not in _SEI_TYPES or end < body + _SHORTEST:
        raise ImageError("This file says in an unknown way how it is to be decoded.")
    # A size is written in steps of 255, so of one message not every length can be had.
    first = _EMPTY_MESSAGE if (end - body - 2) % 256 == 0 else b""
    room = end - body - 2 - len(first)
    steps = room // 256
    size = room - steps - 1
    sizes = b"\xff" * steps + bytes([size - 255 * steps])
    filled = first + bytes([_FILLER_PAYLOAD]) + sizes + b"\xff" * size + b"\x80"
    if blanks.data[body:end] != filled:
        blanks.find({Kind.SOFTWARE}, "message to decoders", start, end)
        blanks.put(body, filled)

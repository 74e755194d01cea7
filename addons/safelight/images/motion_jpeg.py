"""JPEG pictures that follow each other in a movie: what segments say besides how to decode is
blanked (ITU-T T.81 annex B; QuickTime File Format, Motion-JPEG).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_START, _SCAN, _END, _COMMENT = b"\xff\xd8", 0xDA, b"\xff\xd9", 0xFE
# How fields lie (Motion-JPEG A, AVI), JFIF, and Adobe's colour transform: with what they need.
_DECODING = ((0xE0, b"JFIF\0", 14), (0xE0, b"AVI1", 16), (0xEE, b"Adobe", 12))
_MOTION = (4, b"mjpg", 40)


def changes(data: bytes, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    """What to put where in `data[start:end]`. What is no JPEG is left as it is."""
    position = data.find(_START, start, end)
    while position >= 0:
        position += 2
        while position + 4 <= end and data[position] == 0xFF and data[position + 1] != 0xD9:
            marker = data[position + 1]
            behind = position + 2 + int.from_bytes(data[position + 2 : position + 4])
            if behind > end or behind < position + 4:
                return
            if marker == _COMMENT or 0xE0 <= marker <= 0xEF:
                payload = data[position + 4 : behind]
                kept = _kept(marker, payload)
                yield position + 4, payload[:kept].ljust(len(payload), b"\0")
            position = behind
            if marker == _SCAN:
                break
        position = data.find(_END, position, end)
        position = data.find(_START, position, end) if position >= 0 else -1


def _kept(marker: int, payload: bytes) -> int:
    """How many bytes of a segment decoders need."""
    at, name, size = _MOTION
    if marker == 0xE1 and payload[at : at + len(name)] == name:
        return size
    for wanted, begin, size in _DECODING:
        if marker == wanted and payload.startswith(begin):
            return size
    return 0

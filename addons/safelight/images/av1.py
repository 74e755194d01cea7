"""Units of AV1 ("OBUs", AV1 specification section 5.3; AV1 codec ISO media file format binding):
what decodes stays, metadata that no picture needs becomes padding in place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# Sequence header, temporal delimiter, frame header, tile group, frame, its repeated header.
_DECODING = frozenset({1, 2, 3, 4, 6, 7})
_METADATA, _PADDING = 5, 15
# Light levels, mastering display, layers: by their types, how long they are at most.
_SHOWING = {1: 6, 2: 26, 3: 60}
_T35, _REGISTRATIONS = 4, (b"\xb5\0\x3c\0\1\4", b"\xb5\0\x3b\0\0\x08\0")
_LONGEST_REGISTERED = 1000
_STOP = 0x80
MOST_SIZE_BYTES = 8


def changes(data: bytes, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    """What to put where in units that follow each other in `data[start:end]`. What no decoder
    could take for units is left as it is."""
    while start < end:
        payload, behind = bounds(data, start, end)
        if behind > end:
            return
        if not stays(data[start]):
            yield start, cleaned(data[start:behind], payload - start)
        start = behind


def behind(data: bytes, start: int, end: int) -> int:
    """Where the units in `data[start:end]` end; something else may follow."""
    while start < end and (after := bounds(data, start, end)[1]) <= end:
        start = after
    return start


def padding(room: int) -> bytes:
    """A unit that says nothing and reaches to the end of what holds it."""
    return bytes([_PADDING << 3]) + bytes([_STOP]).rjust(room - 1, b"\0")[: room - 1]


def bounds(data: bytes, start: int, end: int) -> tuple[int, int]:
    """Where a unit's payload starts and ends; one that does not say reaches to the `end`. The
    second is behind `end` for what is no unit."""
    header = data[start]
    position = start + 1 + (header >> 2 & 1)
    if header & 0x80:
        return position, end + 1
    if not header & 2:
        return position, end
    size = 0
    for number in range(MOST_SIZE_BYTES):
        if position >= end:
            break
        byte = data[position]
        position += 1
        size |= (byte & 0x7F) << 7 * number
        if not byte & 0x80:
            return position, position + size
    return position, end + 1


def stays(header: int) -> bool:
    """Is a unit with this first byte one that decoders need as it is?"""
    return header >> 3 & 15 in _DECODING


def cleaned(unit: bytes, payload: int) -> bytes:
    """A unit that decoding does not need, as long as before: padding (section 6.6), unless it says
    how to show the picture, and no more."""
    if _shows(unit[0], unit[payload:]):
        return unit
    header = bytes([unit[0] & 0x87 | _PADDING << 3]) + unit[1:payload]
    size = len(unit) - payload
    return header + bytes([_STOP]).rjust(size, b"\0")[:size]


def _shows(header: int, payload: bytes) -> bool:
    """Is this metadata that says how to show the picture, and no more (section 5.8)?"""
    if header >> 3 & 15 != _METADATA or not payload:
        return False
    if payload[0] == _T35:
        return payload[1:].startswith(_REGISTRATIONS) and len(payload) <= _LONGEST_REGISTERED
    return len(payload) <= _SHOWING.get(payload[0], -1)

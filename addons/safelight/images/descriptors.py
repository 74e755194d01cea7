"""The `esds` box: descriptors of MPEG-4 streams (ISO/IEC 14496-1 section 7.2.6). What decoding
needs stays, others are blanked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from safelight.images import mpeg4
from safelight.images.model import ImageError, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safelight.images.blanking import Blanks
    from safelight.images.boxes import Box

_STREAM, _DECODER, _SPECIFIC, _SYNC = 3, 4, 5, 6
# Bytes before the descriptors inside, and bytes of those that hold numbers alone.
_STREAM_FIXED, _DECODER_FIXED = 3, 13
_LONGEST = {_SYNC: 16, 0x14: 1}
_DEPENDS, _ELSEWHERE, _CLOCK = 0x80, 0x40, 0x20
# What is coded (14496-1 table 5): pictures with user data between them, sound.
VISUAL = frozenset({0x20, *range(0x60, 0x66), 0x6A})
AAC = frozenset({0x40, 0x66, 0x67, 0x68})
# AAC, also with its band doubled, needs no more where the number of its channels says which.
_PLAIN_AAC, _PLAIN_AAC_SIZE = frozenset({2, 5, 29}), 8


def scrub(blanks: Blanks, box: Box) -> None:
    """Blank what an `esds` box says besides how to decode. Raises ImageError."""
    data = blanks.data
    for start, end in _chosen(blanks, box.payload + 4, box.end, _STREAM):
        for payload, behind in _chosen(blanks, _inside(data, start), end, _DECODER):
            inner = _chosen(blanks, payload + _DECODER_FIXED, behind, _SPECIFIC)
            for first, last in inner:
                _specific(blanks, data[payload], first, last)


def object_type(data: bytes, box: Box) -> int:
    """What is coded, as an `esds` box says it (14496-1 table 5); 0 if it does not, and for sound
    whose frames are no elements of plain AAC."""
    for _, start, end in _read(data, box.payload + 4, box.end):
        for type_, payload, behind in _read(data, _inside(data, start), end):
            if type_ == _DECODER and data[payload] in AAC:
                specific = next(_read(data, payload + _DECODER_FIXED, behind), None)
                plain = specific and data[specific[1]] >> 3 in _PLAIN_AAC
                return data[payload] if plain else 0
            if type_ == _DECODER:
                return data[payload]
    return 0


def _inside(data: bytes, start: int) -> int:
    """Where the descriptors in that of a stream begin. Raises ImageError."""
    flags = data[start + 2]
    if flags & _ELSEWHERE:
        raise ImageError("This movie takes its contents from another file.")
    return start + _STREAM_FIXED + 2 * bool(flags & _DEPENDS) + 2 * bool(flags & _CLOCK)


def _read(data: bytes, position: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Type, start and end of the payload of each descriptor, as far as they fit."""
    while position + 2 <= end:
        type_, size = data[position], 0
        for _ in range(4):
            position += 1
            size = size << 7 | data[position] & 0x7F
            if not data[position] & 0x80:
                break
        position += 1
        if position + size > end:
            return
        yield type_, position, position + size
        position += size


def _chosen(blanks: Blanks, position: int, end: int, wanted: int) -> list[tuple[int, int]]:
    """The first descriptor of a type; what else is there goes, save for short numbers."""
    found: list[tuple[int, int]] = []
    seen: set[int] = set()
    for type_, start, behind in _read(blanks.data, position, end):
        position = behind
        if type_ == wanted and not found:
            found.append((start, behind))
        else:
            kept = 0 if type_ in seen else _LONGEST.get(type_, 0)
            _blank(blanks, start + kept, behind)
        seen.add(type_)
    _blank(blanks, position, end)
    return found


def _specific(blanks: Blanks, object_type: int, start: int, end: int) -> None:
    data = blanks.data
    if object_type in VISUAL:
        place = "description of a stream"
        blanks.put_all(mpeg4.changes(data, start, end), {Kind.SOFTWARE}, place)
    elif object_type in AAC and end - start > _PLAIN_AAC_SIZE:
        rate = data[start] << 1 & 14 | data[start + 1] >> 7
        if data[start] >> 3 in _PLAIN_AAC and rate != 15 and data[start + 1] >> 3 & 15:
            _blank(blanks, start + _PLAIN_AAC_SIZE, end)


def _blank(blanks: Blanks, start: int, end: int) -> None:
    blanks.remove(start, end, {Kind.UNKNOWN_DATA}, "description of a stream")

"""Units of AVC, HEVC and VVC (ITU-T H.264, H.265, H.266; ISO/IEC 14496-15): what decodes stays;
messages in which encoders and cameras write about themselves are filled up in place.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def _table(shift: int, mask: int, types: Iterable[int]) -> bytes:
    """For each byte that says a type: is it one of `types`?"""
    wanted = frozenset(types)
    return bytes((byte >> shift & mask) in wanted for byte in range(256))


@dataclass(frozen=True, slots=True)
class Codec:
    """How a unit's header of so many bytes says its type, and what types there are."""

    header: int
    at: int
    shift: int
    mask: int
    decoding: bytes
    delimiters: frozenset[int]
    messages: frozenset[int]
    filler: int

    def kind(self, data: bytes | bytearray, start: int = 0) -> int:
        """The type of the unit whose header stands at `start`."""
        return data[start + self.at] >> self.shift & self.mask

    def stays(self, header: bytes, size: int) -> bool:
        """Is a unit of `size` bytes one that decoders need as it is? What says where pictures
        begin and end says no more."""
        if self.decoding[header[self.at]]:
            return True
        return size <= self.header + 1 and self.kind(header) in self.delimiters

    def as_filler(self, header: bytes) -> bytes:
        """The header of a unit that says nothing, in place of this one."""
        kept = header[self.at] & ~(self.mask << self.shift) & 0xFF
        filler = bytes([kept | self.filler << self.shift])
        return header[: self.at] + filler + header[self.at + 1 : self.header]


# Types from 28 (AVC) and 48 (HEVC) on carry layers and Dolby Vision (14496-15 annexes A and G).
AVC = Codec(
    header=1,
    at=0,
    shift=0,
    mask=31,
    decoding=_table(0, 31, [*range(1, 6), 7, 8, 13, 14, 15, 19, 20, 21, 28, 30, 31]),
    delimiters=frozenset({9, 10, 11}),
    messages=frozenset({6}),
    filler=12,
)
HEVC = Codec(
    header=2,
    at=0,
    shift=1,
    mask=63,
    decoding=_table(1, 63, [*range(10), *range(16, 22), 32, 33, 34, 48, 49, 62, 63]),
    delimiters=frozenset({35, 36, 37}),
    messages=frozenset({39, 40}),
    filler=38,
)
VVC = Codec(
    header=2,
    at=1,
    shift=3,
    mask=31,
    decoding=_table(3, 31, [*range(4), *range(7, 11), *range(12, 20)]),
    delimiters=frozenset({20, 21, 22}),
    messages=frozenset({23, 24}),
    filler=25,
)

_ESCAPE = re.compile(rb"\0\0\x03")
_ZEROS = bytes(2)
_FILLER, _REGISTERED, _RESERVED = 3, 4, 254
_STOP = 0x80
# Messages that change what is shown, or when, and how long they may be: timing, cropping, where
# decoding may start, film grain, stereo, turning, colour and light, spheres, alpha, depth.
_SHOWING = {
    **dict.fromkeys((0, 1, 2, 129), 40),
    **dict.fromkeys((6, 21, 47, 148, 150, 165), 8),
    **dict.fromkeys((45, 151, 154, 155), 16),
    19: 250,
    137: 24,
    144: 4,
    147: 1,
    149: 40,
    176: 100,
}
# Registered messages (ITU-T T.35): captions, active format, HDR10+, HDR Vivid.
_REGISTRATIONS = (b"\xb5\0\x31GA94", b"\xb5\0\x31DTG1", b"\xb5\0\x3c\0\1\4", b"\x26\0\4\0\5")
_LONGEST_REGISTERED = 1000
_LONGEST_LOOK = 65_536


def changes(
    data: bytes, start: int, end: int, codec: Codec, width: int
) -> Iterator[tuple[int, bytes]]:
    """What to put where in units that follow each other in `data[start:end]`, each behind its
    size in `width` bytes. What no decoder could take for units is left as it is."""
    decoding, at, least = codec.decoding, codec.at, width + codec.header
    while start + least <= end:
        unit = start + width
        start = unit + int.from_bytes(data[unit - width : unit])
        if start > end:
            return
        if decoding[data[unit + at]]:
            continue
        header = data[unit : unit + codec.header]
        if codec.stays(header, start - unit):
            continue
        if start - unit <= _LONGEST_LOOK:
            yield unit, cleaned(data[unit:start], codec)
        else:
            yield unit, codec.as_filler(header)
            for begin in range(unit + len(header), start - 1, _LONGEST_LOOK):
                yield begin, b"\xff" * min(_LONGEST_LOOK, start - 1 - begin)
            yield start - 1, bytes([_STOP])


def walked(data: bytes, start: int, end: int, codec: Codec, width: int) -> tuple[int, bool]:
    """Where the units in `data[start:end]` end, since something else may follow, and whether
    decoding needs every one of them."""
    decoding, at, least = codec.decoding, codec.at, width + codec.header
    needed = True
    while start + least <= end:
        unit = start + width
        after = unit + int.from_bytes(data[start:unit])
        if after > end:
            break
        if not decoding[data[unit + at]]:
            needed = False
        start = after
    return start, needed


def cleaned(unit: bytes, codec: Codec) -> bytes:
    """A unit that decoding does not need as it is, as long as before, with nothing private."""
    header, body = unit[: codec.header], unit[codec.header :]
    if len(header) < codec.header or not body:
        return unit
    if codec.kind(header) in codec.messages and len(unit) <= _LONGEST_LOOK:
        return header + (_messages(body) or filled(len(body)))
    return codec.as_filler(header) + b"\xff" * (len(body) - 1) + bytes([_STOP])


def filled(room: int) -> bytes:
    """The body of a unit of messages that says nothing (H.264 D.2.4, H.265 D.2.4)."""
    if room < len(_nothing(2)) + 1:
        return bytes([_STOP]).rjust(room, b"\xff")
    return _nothing(room - 1) + bytes([_STOP])


def _nothing(room: int, type_: int = _FILLER) -> bytes:
    """Messages of `room` bytes, two at least, that say nothing; the first is of `type_`."""
    # A size is written in steps of 255, so of one message not every length can be had.
    if (room - 2) % 256 == 255:
        return bytes([type_, 0]) + _nothing(room - 2)
    steps = (room - 2) // 256
    size = room - 2 - steps
    return bytes([type_]) + b"\xff" * steps + bytes([size - 255 * steps]) + b"\xff" * size


def _messages(body: bytes) -> bytes | None:
    """The messages of a unit with those filled up that show nothing; None if they do not end
    where the unit does."""
    # Where in `plain` a byte is left out that keeps start codes away (H.264 7.4.1).
    escapes = [match.end() - 1 - number for number, match in enumerate(_ESCAPE.finditer(body))]
    plain = (_ESCAPE.sub(_ZEROS, body) if escapes else body).rstrip(b"\0")
    written, begin = bytearray(), 0
    try:
        for type_, payload, behind in _read(plain):
            finish = behind + bisect_right(escapes, behind)
            if _shows(type_, plain[payload:behind]):
                written += body[begin:finish]
            else:
                # Behind two zeros, the type of a filler would read as an escape.
                escaped = written.endswith(_ZEROS) and type_ > _FILLER
                kept = min(type_, _RESERVED) if escaped else _FILLER
                written += _nothing(finish - begin, kept)
            begin = finish
    except IndexError:
        return None
    return bytes(written) + body[begin:]


def _read(plain: bytes) -> Iterator[tuple[int, int, int]]:
    """Type, start and end of the payload of each message (H.264 7.3.2.3). Raises IndexError."""
    position, last = 0, len(plain) - 1
    if plain[last:] != bytes([_STOP]):
        raise IndexError
    while position < last:
        type_, position = _number(plain, position)
        size, position = _number(plain, position)
        yield type_, position, position + size
        position += size
    if position != last:
        raise IndexError


def _number(plain: bytes, position: int) -> tuple[int, int]:
    start = position
    while plain[position] == 0xFF:
        position += 1
    return 255 * (position - start) + plain[position], position + 1


def _shows(type_: int, payload: bytes) -> bool:
    """Does a message say how to show the picture, and no more?"""
    if type_ == _REGISTERED:
        return payload.startswith(_REGISTRATIONS) and len(payload) <= _LONGEST_REGISTERED
    return len(payload) <= _SHOWING.get(type_, -1)

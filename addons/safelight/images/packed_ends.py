"""Where packed pixels end, by their packing alone: zlib (RFC 1950), Zstandard (RFC 8878),
PackBits and LZW (TIFF 6.0 sections 9 and 13, GIF89a appendix F). What stands behind is nobody's.
"""

from __future__ import annotations

import zlib

_PIECE, _UNPACKED_AT_ONCE = 65_536, 1 << 20
_ZSTANDARD = b"\x28\xb5\x2f\xfd"
_LAST_OF_BLOCKS, _RUN_OF_ONE_BYTE = 1, 1
_NOTHING = 128
_WIDEST = 12


def deflated(data: bytes, start: int, end: int, most: int) -> int | None:
    """Behind the zlib stream at `start`; None if it is broken, goes on behind `end`, or unpacks to
    more than `most` bytes."""
    stream = zlib.decompressobj()
    position = start
    try:
        while position < end and not stream.eof:
            piece = data[position : min(position + _PIECE, end)]
            position += len(piece)
            while piece and not stream.eof:
                most -= len(stream.decompress(piece, _UNPACKED_AT_ONCE))
                piece = stream.unconsumed_tail
                if most < 0:
                    return None
    except zlib.error:
        return None
    return position - len(stream.unused_data) if stream.eof else None


def zstandard(data: bytes, start: int, end: int) -> int | None:
    """Behind the frame at `start`, by the sizes of its blocks; None if it is broken."""
    if not data.startswith(_ZSTANDARD, start) or start + 6 > end:
        return None
    described = data[start + 4]
    is_single = described >> 5 & 1
    position = start + 5 + (1 - is_single) + (0, 1, 2, 4)[described & 3]
    position += (is_single, 2, 4, 8)[described >> 6]
    while position + 3 <= end:
        block = int.from_bytes(data[position : position + 3], "little")
        position += 3 + (1 if block >> 1 & 3 == _RUN_OF_ONE_BYTE else block >> 3)
        if block & _LAST_OF_BLOCKS:
            position += 4 if described & 4 else 0
            return position if position <= end else None
    return None


def packbits(data: bytes, start: int, end: int, size: int) -> int | None:
    """Behind the runs that make up `size` bytes; None if there are fewer."""
    position = start
    while size > 0:
        if position >= end:
            return None
        run = data[position]
        if run < _NOTHING:
            position += run + 2
            size -= run + 1
        elif run > _NOTHING:
            position += 2
            size -= 257 - run
        else:
            position += 1
    return position if position <= end else None


def ends_like_lzw(data: bytes, bits: int, *, big_endian: bool = False) -> bool:
    """Is the code for the end of LZW the last of `data`? If so, nothing stands behind it."""
    tail, end = data[-3:], (1 << bits) + 1
    if big_endian:
        number = int.from_bytes(tail)
        return any(
            number >> padding & ((1 << width) - 1) == end and not number & ((1 << padding) - 1)
            for padding in range(8)
            for width in range(bits + 1, _WIDEST + 1)
        )
    number, size = int.from_bytes(tail, "little"), 8 * len(tail)
    return any(
        number >> (size - padding - width) == end
        for padding in range(8)
        for width in range(bits + 1, _WIDEST + 1)
        if size >= padding + width
    )


class _Bits:
    """Reads codes of changing widths; `position` is behind the last byte that was needed."""

    def __init__(self, data: bytes, *, big_endian: bool) -> None:
        self._data = data
        self._big_endian = big_endian
        self._buffer = self._available = self.position = 0

    def take(self, width: int) -> int | None:
        """The next code; None where the data ends."""
        while self._available < width:
            if self.position >= len(self._data):
                return None
            byte = self._data[self.position]
            if self._big_endian:
                self._buffer = self._buffer << 8 | byte
            else:
                self._buffer |= byte << self._available
            self.position += 1
            self._available += 8
        self._available -= width
        if self._big_endian:
            code = self._buffer >> self._available
            self._buffer &= (1 << self._available) - 1
        else:
            code = self._buffer & ((1 << width) - 1)
            self._buffer >>= width
        return code


def lzw(data: bytes, bits: int, size: int, *, big_endian: bool = False) -> int | None:
    """How many bytes of `data` hold LZW codes, to the code for the end or, without one, until
    `size` values are spelled; None if there are fewer. Big-endian codes grow one code earlier, as
    TIFF has it."""
    clear, early = 1 << bits, 1 if big_endian else 0
    reader = _Bits(data, big_endian=big_endian)
    lengths: list[int] = []
    before, width = 0, bits + 1
    complete = None
    while True:
        if size <= 0 and complete is None:
            complete = reader.position
        code = reader.take(width)
        if code == clear:
            lengths, before, width = [], 0, bits + 1
            continue
        if code == clear + 1:
            return reader.position
        known = clear + 2 + len(lengths)
        if code is None or complete is not None:
            return complete
        if code > known or (code == known and not before):
            return None
        spelled = 1 if code < clear else before + 1 if code == known else lengths[code - clear - 2]
        size -= spelled
        if before and known < 1 << _WIDEST:
            lengths.append(before + 1)
            if known + 1 + early >= 1 << width and width < _WIDEST:
                width += 1
        before = spelled

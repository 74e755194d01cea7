"""What raw values of a DNG go through (DNG 1.7 chapters 6 and 7): lists of corrections and tables
of gains, of which nothing stays that no reader reads.
"""

from __future__ import annotations

import struct

_AREA = 32
_SIZES = {3: 56, 4: 8, 6: 16}
_WARPS = {1: 48, 2: 32}
_BAD_PIXELS, _TABLE, _POLYNOMIAL, _GAINS, _NEWEST = 5, 7, 8, 9, 14
_PER_LINE = frozenset({10, 11, 12, 13})
MOST_OPCODES = 20_000


def corrections(value: bytes) -> bytes | None:
    """A list of corrections without what is unknown in it; None if it does not add up."""
    count, position = int.from_bytes(value[:4]), 4
    if count > MOST_OPCODES:
        return None
    result = bytearray(value)
    for _ in range(count):
        number = int.from_bytes(value[position : position + 4])
        size = int.from_bytes(value[position + 12 : position + 16])
        position += 16
        end = position + size
        if end > len(value):
            return None
        used = min(position + _used(number, value[position : position + 80], size), end)
        result[used:end] = bytes(end - used)
        position = end
    return bytes(result) if position == len(value) else None


def _used(number: int, head: bytes, size: int) -> int:
    """How many bytes a correction of this number reads; `head` is where they begin."""
    numbers: tuple[int, ...] = struct.unpack(">20I", head.ljust(80, b"\0"))
    if number in _SIZES:
        return _SIZES[number]
    if number in _WARPS:
        return 4 + numbers[0] * _WARPS[number] + 16
    if number == _BAD_PIXELS:
        return 12 + 8 * numbers[1] + 16 * numbers[2]
    if number == _TABLE:
        return _AREA + 4 + 2 * numbers[8]
    if number == _POLYNOMIAL:
        return _AREA + 4 + 8 * (numbers[8] + 1)
    if number == _GAINS:
        return _AREA + 44 + 4 * numbers[8] * numbers[9] * numbers[18]
    if number in _PER_LINE:
        return _AREA + 4 + 4 * numbers[8]
    return size if number == _NEWEST else 0


def gains(value: bytes, order: str, *, second: bool) -> bytes:
    """A profile's table of gains without what stands behind it; `order` is as in `struct`."""
    if len(value) < 64:
        return value
    down, across = struct.unpack_from(f"{order}II", value)
    (points,) = struct.unpack_from(f"{order}I", value, 40)
    used, each = 64, 4
    if second:
        used, each = (
            80,
            {0: 1, 1: 2, 2: 2}.get(int(struct.unpack_from(f"{order}I", value, 64)[0]), 4),
        )
    used += down * across * points * each
    return value[:used].ljust(len(value), b"\0")

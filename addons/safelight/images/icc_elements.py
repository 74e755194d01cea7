"""How long elements of ICC profiles are by their own tables (ICC.1:2022 section 10)."""

from __future__ import annotations

import struct
from math import prod

_FIXED = {b"sig ": 12, b"view": 36, b"meas": 36, b"cicp": 12, b"XYZ ": 20, b"sf32": 44}
_CURVE = struct.Struct(">4s4xH")
_PARAMETERS = (1, 3, 4, 5, 7)
_MOST_CHANNELS = 15
_MATRIX = 48
_GRID = 20
_POSITIONS = 16
_GAMMA_FORMULA = 48


def length(profile: bytes, offset: int, size: int) -> int:
    """How many of the element's `size` bytes are read; 0 for what holds no colours, or is broken.

    Lists of named colours are no colours of a picture.
    """
    type_ = profile[offset : offset + min(size, 4)]
    if type_ in _FIXED:
        return _FIXED[type_]
    element = memoryview(profile)[offset : offset + size]
    try:
        if type_ in {b"curv", b"para"}:
            return _curve(element, 0)
        if type_ in {b"mft1", b"mft2"}:
            return _table(element, wide=type_ == b"mft2")
        if type_ in {b"mAB ", b"mBA "}:
            return _steps(element, forward=type_ == b"mAB ")
        return _others(element, type_, size)
    except (struct.error, IndexError):
        return 0


def _number(element: memoryview, position: int, form: str = ">I") -> int:
    return int(struct.unpack_from(form, element, position)[0])


def _curve(element: memoryview, start: int) -> int:
    """Where a curve that begins at `start` ends (10.6, 10.18)."""
    type_, function = _CURVE.unpack_from(element, start)
    if type_ == b"curv":
        return start + 12 + 2 * _number(element, start + 8)
    return start + 12 + 4 * _PARAMETERS[function]


def _curves(element: memoryview, start: int, count: int) -> int:
    """Where `count` curves end, each of which begins at a multiple of four."""
    for _ in range(count):
        start = _curve(element, (start + 3) // 4 * 4)
    return start


def _table(element: memoryview, *, wide: bool) -> int:
    """A table of colours between tables for each channel (10.10, 10.11)."""
    inputs, outputs, points = element[8], element[9], element[10]
    before, behind, start, each = 256, 256, 48, 1
    if wide:
        before, behind, start, each = (*struct.unpack_from(">HH", element, 48), 52, 2)
    if inputs > _MOST_CHANNELS:
        return 0
    colours: int = points**inputs * outputs
    return start + each * (int(before) * inputs + colours + int(behind) * outputs)


def _steps(element: memoryview, *, forward: bool) -> int:
    """Curves, a matrix and a table, each where an offset says (10.12, 10.13)."""
    inputs, outputs = element[8], element[9]
    last, matrix, middle, table, first = struct.unpack_from(">5I", element, 12)
    # Towards the connection space, what comes last has as many curves as come out.
    inner, outer = (outputs, inputs) if forward else (inputs, outputs)
    ends = [32, matrix + _MATRIX if matrix else 0]
    ends += [
        _curves(element, start, count)
        for start, count in ((last, inner), (middle, inner), (first, outer))
        if start
    ]
    if table:
        points = prod(element[table : table + min(inputs, _MOST_CHANNELS)])
        ends.append(table + _GRID + points * outputs * element[table + 16])
    return max(ends)


def _others(element: memoryview, type_: bytes, size: int) -> int:
    if type_ == b"chrm":
        return 12 + 8 * _number(element, 8, ">H")
    if type_ == b"vcgt" and not _number(element, 8):
        channels, entries, each = struct.unpack_from(">3H", element, 12)
        return 18 + int(channels) * int(entries) * int(each)
    if type_ == b"mpet":
        count = min(_number(element, 12), size // 8)
        places = [
            struct.unpack_from(">II", element, _POSITIONS + 8 * number) for number in range(count)
        ]
        return max((start + part for start, part in places), default=_POSITIONS)
    return {b"vcgt": _GAMMA_FORMULA, b"ndin": size}.get(type_, 0)

"""Bytes that say nothing."""

from __future__ import annotations

import stringzilla


def is_blank(
    data: bytes | bytearray, start: int = 0, end: int | None = None, filler: bytes = b"\0"
) -> bool:
    """Is there nothing but `filler` in `data[start:end]`? Told about as fast as bytes are copied,
    and without a copy."""
    if start >= len(data):
        return True
    first: int = stringzilla.find_first_not_of(data, filler, start, end)
    return first < 0

"""Pictures that a program spelled out as text: lists of numbers, hexadecimal digits, escapes.

Nobody writes them so on purpose to be cleaned; they are noticed, not rewritten. Only the formats
that begin with bytes no ordinary text has in a row are looked for: JPEG, PNG and WebP.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import stringzilla

if TYPE_CHECKING:
    from collections.abc import Iterator

_BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
# Enough digits that no hash is as long.
_LONGEST_HASH = 128


def _numbers(data: bytes) -> bytes:
    """`[255, 216, 255` and `{"0":255,"1":216,"2":255`, as JavaScript writes typed arrays."""
    return rb"\s*,\s*(?:\"\d+\"\s*:\s*)?".join(str(byte).encode() for byte in data) + rb"\s*,"


def _escapes(digits: list[bytes]) -> bytes:
    return rb"u00" + rb"\\{1,15}u00".join(digits)


def _percents(digits: list[bytes]) -> bytes:
    return b"%" + b"%".join(digits)


def _spellings(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Patterns, each with the plain characters that it begins with."""
    lower = [b"%02x" % byte for byte in data]
    for digits in (lower, [pair.upper() for pair in lower]):
        yield b"".join(digits), b"".join(digits) + rb"[0-9A-Fa-f]{%d}" % _LONGEST_HASH
        yield b"u00" + digits[0], _escapes(digits)
        yield _percents(digits), _percents(digits)
    yield str(data[0]).encode(), _numbers(data)
    yield data.decode("latin-1").encode(), re.escape(data.decode("latin-1").encode())


_SPELLINGS = [
    (beginning, re.compile(pattern))
    for data in _BEGINNINGS
    for beginning, pattern in _spellings(data)
]


def holds_picture(body: bytes, start: int, end: int) -> bool:
    """Does a picture begin in `body[start:end]`, spelled out in one of these ways?"""
    for beginning, pattern in _SPELLINGS:
        first = stringzilla.find(body, beginning, start, end)
        if first >= 0 and pattern.search(body, first, end):
            return True
    return False

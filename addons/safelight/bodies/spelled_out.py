"""Pictures that a program spelled out as text: lists of numbers, hexadecimal digits, escapes.

Nobody writes them so on purpose to be cleaned; they are noticed, not rewritten. Only the formats
that begin with bytes no ordinary text has in a row are looked for: JPEG, PNG and WebP.
"""

from __future__ import annotations

import re

_BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
# Enough digits that no hash is as long.
_LONGEST_HASH = 128


def _numbers(data: bytes) -> bytes:
    """`[255, 216, 255` and `{"0":255,"1":216,"2":255`, as JavaScript writes typed arrays."""
    return rb"\s*,\s*(?:\"\d+\"\s*:\s*)?".join(str(byte).encode() for byte in data) + rb"\s*,"


def _escapes(data: bytes) -> bytes:
    return b"".join(rb"\\+u00%02x" % byte for byte in data)


def _percents(data: bytes) -> bytes:
    return b"".join(b"%%%02x" % byte for byte in data)


_SPELLINGS = re.compile(
    b"|".join(
        pattern
        for data in _BEGINNINGS
        for pattern in (
            rb"(?<![\d.])" + _numbers(data),
            rb"(?<![0-9a-f])" + data.hex().encode() + rb"[0-9a-f]{%d}" % _LONGEST_HASH,
            _escapes(data),
            _percents(data),
            re.escape(data.decode("latin-1").encode()),
        )
    ),
    re.IGNORECASE,
)


def holds_picture(body: bytes, start: int, end: int) -> bool:
    """Does a picture begin in `body[start:end]`, spelled out in one of these ways?"""
    return _SPELLINGS.search(body, start, end) is not None

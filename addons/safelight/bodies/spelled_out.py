"""Pictures that a program spelled out as text: lists of numbers, hexadecimal digits, escapes.

Nobody writes them so on purpose to be cleaned; they are noticed, not rewritten. Only the formats
that begin with bytes no ordinary text has in a row are looked for: JPEG, PNG and WebP.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import stringzilla

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    type _Spelling = tuple[bytes, re.Pattern[bytes]]

_BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
# What may stand behind a number, save for the next one right away or behind a space.
_BEFORE_THE_NEXT = (b',"', b', "', b",  ", b",\n", b",\r", b",\t", b" ", b"\n", b"\r", b"\t")
# Enough digits that no hash is as long.
_LONGEST_HASH = 128


def _numbers(data: bytes) -> bytes:
    """`[255, 216, 255` and `{"0":255,"1":216,"2":255`, as JavaScript writes typed arrays."""
    return rb"\s*,\s*(?:\"\d+\"\s*:\s*)?".join(str(byte).encode() for byte in data) + rb"\s*,"


def _escapes(digits: list[bytes]) -> bytes:
    return rb"u00" + rb"\\{1,15}u00".join(digits)


def _percents(digits: list[bytes]) -> bytes:
    return b"%" + b"%".join(digits)


def _both_cases(data: bytes) -> tuple[list[bytes], list[bytes]]:
    lower = [b"%02x" % byte for byte in data]
    return lower, [pair.upper() for pair in lower]


def _runs(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Patterns of many digits in a row, each with the plain characters that it begins with."""
    for digits in _both_cases(data):
        yield b"".join(digits), b"".join(digits) + rb"[0-9A-Fa-f]{%d}" % _LONGEST_HASH


def _others(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The same for those that are shorter, or have something between their digits."""
    for digits in _both_cases(data):
        yield b"u00" + digits[0], _escapes(digits)
        yield _percents(digits), _percents(digits)
    first, second = (str(byte).encode() for byte in data[:2])
    for between in (b"," + second, b", " + second, *_BEFORE_THE_NEXT):
        yield first + between, _numbers(data)
    yield data.decode("latin-1").encode(), re.escape(data.decode("latin-1").encode())


def _compiled(spellings: Callable[[bytes], Iterator[tuple[bytes, bytes]]]) -> list[_Spelling]:
    return [
        (beginning, re.compile(pattern))
        for data in _BEGINNINGS
        for beginning, pattern in spellings(data)
    ]


_RUNS, _OTHERS = _compiled(_runs), _compiled(_others)


def holds_picture(body: bytes, start: int, end: int, *, has_run: bool) -> bool:
    """Does a picture begin in `body[start:end]`, spelled out in one of these ways?

    `has_run` says whether many digits stand in a row somewhere in it.
    """
    for beginning, pattern in [*_OTHERS, *(_RUNS if has_run else ())]:
        first = stringzilla.find(body, beginning, start, end)
        if first >= 0 and pattern.search(body, first, end):
            return True
    return False

"""Pictures that a program spelled out as text: lists of numbers, hexadecimal digits, escapes.

Nobody writes them so on purpose to be cleaned; they are noticed, not rewritten. Only the formats
that begin with bytes no ordinary text has in a row are looked for: JPEG, PNG and WebP.
"""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import stringzilla

if TYPE_CHECKING:
    from collections.abc import Iterator

_BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
# What may stand behind a number, save for the next one right away or behind a space.
_BEFORE_THE_NEXT = (
    b'"',
    b"'",
    b";",
    b',"',
    b', "',
    b",  ",
    b",\n",
    b",\r",
    b",\t",
    b" ",
    b"\n",
    b"\r",
    b"\t",
)
# Enough digits that no hash is as long.
_LONGEST_HASH = 128
_REST_OF_A_LINE = 50


def _numbers(numbers: list[int]) -> bytes:
    """`[255, 216, 255` and `{"0":255,"1":216,"2":255`, as JavaScript writes typed arrays; Java's
    bytes have signs."""
    between = rb"[\"'\s]{0,99}[,;\s][\"'\s]{0,99}(?:\"\d+\"\s{0,99}:\s{0,99})?"
    return between.join(str(number).encode() for number in numbers) + rb"[^0-9.]"


def _escapes(digits: list[bytes]) -> bytes:
    return rb"u00" + rb"\\{1,15}u00".join(digits)


def _percents(digits: list[bytes]) -> bytes:
    return b"%" + b"%".join(digits)


def _both_cases(data: bytes) -> tuple[list[bytes], list[bytes]]:
    lower = [b"%02x" % byte for byte in data]
    return lower, [pair.upper() for pair in lower]


@dataclass(frozen=True, slots=True)
class _Spelling:
    """A way of writing: what is always in it, how it may go on behind that, and all of it."""

    anchor: bytes
    continued: tuple[bytes, ...]
    pattern: re.Pattern[bytes]

    def stands_in(self, body: bytes, start: int, end: int) -> bool:
        first = stringzilla.find(body, self.anchor, start, end)
        if first < 0 or not self.continued:
            return first >= 0 and self.pattern.search(body, first, end) is not None
        beginnings = (self.anchor + more for more in self.continued)
        found = [stringzilla.find(body, one, first, end) for one in beginnings]
        possible = [at for at in found if at >= 0]
        return bool(possible) and self.pattern.search(body, min(possible), end) is not None


def _spelling(anchor: bytes, pattern: bytes, continued: tuple[bytes, ...] = ()) -> _Spelling:
    return _Spelling(anchor, continued, re.compile(pattern))


def _runs(data: bytes) -> Iterator[_Spelling]:
    """Spellings of many digits in a row."""
    for digits in _both_cases(data):
        together = b"".join(digits)
        yield _spelling(together, together + rb"[0-9A-Fa-f]{%d}" % _LONGEST_HASH)


def _others(data: bytes) -> Iterator[_Spelling]:
    """Spellings that are shorter, or have something between their digits."""
    for digits in _both_cases(data):
        yield _spelling(b"u00" + digits[0], _escapes(digits))
        yield _spelling(_percents(digits), _percents(digits))
    for numbers in (list(data), [byte - 256 * (byte > 127) for byte in data]):
        first, second = (str(number).encode() for number in numbers[:2])
        continued = (b"," + second, b", " + second, *_BEFORE_THE_NEXT)
        yield _spelling(first, _numbers(numbers), continued)
    for written in _rarely(data):
        # Random base64 has four letters somewhere, but seldom at its beginning.
        before = rb"(?<![A-Za-z0-9+/_-])" if written.isalnum() else b""
        yield _spelling(written, before + re.escape(written) + rb"[ -~]{%d}" % _REST_OF_A_LINE)
    quoted = quopri.encodestring(data[:4])
    yield _spelling(quoted, re.escape(quoted))
    latin = data.decode("latin-1").encode()
    yield _spelling(latin, re.escape(latin))


def _rarely(data: bytes) -> Iterator[bytes]:
    """How `data` begins in base32, Ascii85, base85 and, in a full line, uuencode: as many letters
    as what follows cannot change."""
    yield base64.b32encode(data)[: len(data) * 8 // 5]
    if len(data) > 4:
        yield base64.a85encode(data[:4])
        yield base64.b85encode(data[:4])
    else:
        # The marker behind FF D8 FF is one of C0 to FE.
        yield base64.a85encode(data + b"\xe0")[:4]
        yield base64.b85encode(data + b"\xe0")[:4]
    yield binascii.b2a_uu(data + bytes(45 - len(data)))[: 1 + len(data) * 8 // 6]


_RUNS = [spelling for data in _BEGINNINGS for spelling in _runs(data)]
_OTHERS = [spelling for data in _BEGINNINGS for spelling in _others(data)]


def holds_picture(body: bytes, start: int, end: int, *, has_run: bool) -> bool:
    """Does a picture begin in `body[start:end]`, spelled out in one of these ways?

    `has_run` says whether many digits stand in a row somewhere in it.
    """
    spellings = [*_OTHERS, *(_RUNS if has_run else ())]
    return any(spelling.stands_in(body, start, end) for spelling in spellings)

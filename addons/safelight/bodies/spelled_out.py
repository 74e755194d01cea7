"""Pictures that a program spelled out as text: hexadecimal digits, escapes, base32, base85.

Nobody writes them so on purpose to be cleaned; they are noticed, not rewritten. Only the formats
that begin with bytes no ordinary text has in a row are looked for: JPEG and PNG.
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
    from collections.abc import Iterable, Iterator

_BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
# Enough digits that no hash is as long.
_LONGEST_HASH = 128
_REST_OF_A_LINE = 50
_LONGEST = 4096  # bytes that the beginning takes at most
_LONGEST_ANCHOR = 32
_MOST_TRIED = 64
_PIECE = 1 << 17  # stays in the processor's cache
# All text in one manner: small letters.
_ALIKE = bytes(byte + 32 * (65 <= byte <= 90) for byte in range(256))


@dataclass(frozen=True, slots=True)
class _Spelling:
    """A way of writing: what it begins with, once all text is in one manner if `alike`, and all of
    it. Without its `sign` there is none."""

    anchor: bytes
    pattern: re.Pattern[bytes]
    alike: bool = True
    sign: bytes = b""

    def begins_in(self, text: bytes | memoryview, body: bytes, start: int, end: int) -> bool:
        """`text` is a piece of `body[:end]` from `start` on, in one manner if it has to be."""
        at = stringzilla.find(text, self.anchor)
        for _ in range(_MOST_TRIED):
            if at < 0:
                return False
            if self.pattern.match(body, start + at, end) is not None:
                return True
            at = stringzilla.find(text, self.anchor, at + 1)
        last = min(end, start + len(text) + _LONGEST)
        return at >= 0 and self.pattern.search(body, start + at, last) is not None


def _row(data: bytes) -> _Spelling:
    """Hexadecimal digits."""
    digits = data.hex().encode()
    pattern = digits + rb"[0-9a-f]{%d}" % _LONGEST_HASH
    return _Spelling(digits, re.compile(pattern, re.IGNORECASE))


def _packed(data: bytes) -> Iterator[_Spelling]:
    for written in _rarely(data):
        # Random base64 has four letters somewhere, but seldom at its beginning.
        before = rb"(?<![A-Za-z0-9+/_-])" if written.isalnum() else b""
        pattern = before + re.escape(written) + rb"[ -~]{%d}" % _REST_OF_A_LINE
        yield _Spelling(written, re.compile(pattern), alike=False)


def _escaped(data: bytes) -> Iterator[_Spelling]:
    """The escapes of JSON, of addresses and of mail. Text in the picture stays as it is."""
    pairs = [b"%02x" % byte for byte in data]
    json = rb"u00" + rb"\\{1,15}u00".join(pairs)
    yield _Spelling(b"u00" + pairs[0] + b"\\", re.compile(json, re.IGNORECASE), sign=b"u00")
    percents = b"%" + b"%".join(pairs)
    yield _Spelling(percents, re.compile(percents, re.IGNORECASE), sign=b"%")
    yield _literally(quopri.encodestring(data[:4]), sign=b"=")


def _literally(written: bytes, sign: bytes = b"") -> _Spelling:
    return _Spelling(written, re.compile(re.escape(written)), alike=False, sign=sign)


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


_ANYWHERE = [spelling for data in _BEGINNINGS for spelling in _escaped(data)]
# Bytes that were taken for letters.
_UNLIKE_ASCII = [_literally(data.decode("latin-1").encode()) for data in _BEGINNINGS]
_WITHOUT_WORDS = [spelling for data in _BEGINNINGS for spelling in (_row(data), *_packed(data))]


def holds_picture(
    body: bytes,
    gaps: Iterable[tuple[int, int]],
    unlike_ascii: Iterable[tuple[int, int]],
    stretches: Iterable[tuple[int, int]],
) -> bool:
    """Does a picture begin in one of the `gaps` of `body`, spelled out in one of these ways? Some
    of these are `unlike_ascii`, and `stretches` in them are no words."""
    return any(
        _stands_in(body, *where, spellings)
        for places, spellings in (
            (gaps, _ANYWHERE),
            (unlike_ascii, _UNLIKE_ASCII),
            (stretches, _WITHOUT_WORDS),
        )
        for where in places
    )


def _stands_in(body: bytes, start: int, end: int, spellings: list[_Spelling]) -> bool:
    view = memoryview(body)
    room = memoryview(bytearray(min(_PIECE, end - start)))
    signs = {one.sign for one in spellings if one.sign}
    for first in range(start, end, _PIECE - _LONGEST_ANCHOR):
        text = view[first : min(end, first + _PIECE)]
        absent = {sign for sign in signs if stringzilla.find(text, sign) < 0}
        possible = [one for one in spellings if one.sign not in absent]
        if not possible:
            continue
        alike = room[: len(text)]
        if any(one.alike for one in possible):
            stringzilla.translate(text, _ALIKE, out=alike)
        if any(one.begins_in(alike if one.alike else text, body, first, end) for one in possible):
            return True
    return False

"""Pictures written as base64 or hexadecimal with other things between the letters: spaces, lines of
any length, quotes and commas, zeros of UTF-16, escapes of every kind, a path in front.

They are noticed, not rewritten: all that belongs to no letter is left out, and what remains is read
from each of the letters at which a byte can begin.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import pybase64
import stringzilla

from safelight.bodies import base64_search, density
from safelight.bodies.base64_signs import PLAIN_LETTERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from safelight.bodies.model import Recogniser

_SHORTEST = 400  # bytes: what is shorter holds no picture with something to say
_WINDOW = 1 << 22
# So much of a picture tells that it is one, even if each letter stands on a line of its own.
_OVERLAP = 1 << 20
# Escapes of URLs once or several times over, those of Python, JavaScript and JSON, and HTML's: what
# they begin with, all of them, and in which base their number is.
_ESCAPES = (
    (
        (b"%",),
        # What all of them begin with stands in front: it is then searched for at once.
        re.compile(
            rb"%(?:(?!25)[0-9A-Fa-f]{2}(?:%(?!25)[0-9A-Fa-f]{2})*+|(?:25)*([0-9A-Fa-f]{2}))"
        ),
        16,
    ),
    ((rb"\u00", rb"\x"), re.compile(rb"\\(?:u00|x)([0-9A-Fa-f]{2})"), 16),
    (tuple(b"\\%d" % digit for digit in range(8)), re.compile(rb"\\([0-7]{1,3})"), 8),
    ((b"&#x", b"&#X"), re.compile(rb"&#[xX]([0-9A-Fa-f]{2});?"), 16),
    ((b"&#",), re.compile(rb"&#([0-9]{2,3});"), 10),
)
_BYTES = [bytes([number]) for number in range(256)]
_SIGNS = {rb"\n": b"\n", rb"\r": b"\r", rb"\t": b"\t", rb"\b": b"\b", rb"\f": b"\f", rb"\"": b'"'}
_SELDOM = 256  # letters
_NOT_LETTERS = bytes(byte for byte in range(256) if byte not in PLAIN_LETTERS)
_IS_NO_LETTER = bytes(byte in _NOT_LETTERS for byte in range(256))
_STANDARD = bytes.maketrans(b"-_", b"+/")
_SMALL = bytes(range(256)).lower()
_NOT_DIGITS = bytes(byte for byte in range(256) if byte not in b"0123456789abcdefABCDEF")
# A line of a hex dump: where it stands, bytes in groups, and most often the same as text.
_DUMPED = re.compile(
    rb"\n[ \t]*+(?:0x)?[0-9A-Fa-f]{4,16}+[: \t]++"
    rb"((?:(?:[0-9A-Fa-f]{2}){1,8}(?:[ \t-]{1,3}|(?=[\r\n|]|\Z))){2,32})"
)
_HEAD = 1 << 16
_TEXT = bytes([*b"\t\n\r", *range(32, 127)])
# More than two segments of a JPEG: what only seems to begin as one does not go on as one.
_NOTHING_MORE = bytes(1 << 18)
# What stands between texts that are read together: as many zeros as are read of a segment, in each
# of the ways in which they may be written. As base64, something else that is none of them.
_BETWEEN = bytes(72) + b"Z\n" + b"0" * 16 + b": " + b" ".join([b"00" * 8] * 9) + b"\n"
_BETWEEN_LETTERS = _BETWEEN.translate(None, _NOT_LETTERS)
_ZEROS = b"A" * len(_BETWEEN_LETTERS)


def holds_picture(
    body: bytes, stretches: Iterable[tuple[int, int]], recogniser: Recogniser
) -> bool:
    """Does a picture stand in one of the `stretches` of `body` that are no words, written in one of
    these ways?"""
    texts = (
        text
        for stretch in stretches
        for unlike_bytes in density.without_controls(body, *stretch)
        for text in density.without_numbers(body, *unlike_bytes)
    )
    windows = (window for text in texts for window in _windows(body, *text))
    return any(
        _begins_in(reading, recogniser)
        for some in _batches(windows)
        if _may_begin_in(some, recogniser)
        for window in some
        for reading in _readings(_written(window), recogniser)
    )


def _windows(body: bytes, start: int, end: int) -> Iterator[bytes]:
    while end - start >= _SHORTEST:
        yield body[start : min(end, start + _WINDOW)]
        start += _WINDOW - _OVERLAP if end - start > _WINDOW else _WINDOW


class _Written(NamedTuple):
    """What is left of a text: with `plain` characters for its escapes, if it has any, its `letters`
    alone, its `digits` alone, and those that are `dumped`."""

    plain: bytes
    letters: bytes
    dumped: bytes
    digits: bytes


def _written(text: bytes) -> _Written:
    plain = _without_escapes(text)
    letters = _only_letters(plain)
    dumped = b""
    if _holds(plain, b"\n"):
        dumped = b"".join(_DUMPED.findall(b"\n" + plain)).translate(None, _NOT_DIGITS)
    digits = _replaced(plain, b"0x", b"").translate(None, _NOT_DIGITS)
    return _Written(b"" if plain == text else plain, letters, dumped, digits)


def _batches(windows: Iterator[bytes]) -> Iterator[list[bytes]]:
    """Some at a time, as many as are no longer than the longest together."""
    some: list[bytes] = []
    size = 0
    for window in windows:
        if some and size + len(window) > _WINDOW:
            yield some
            some, size = [], 0
        some.append(window)
        size += len(window)
    if some:
        yield some


def _may_begin_in(some: list[bytes], recogniser: Recogniser) -> bool:
    """If no picture begins in all that these stand for, one behind the other and zeros between,
    none does in one of them with zeros behind it."""
    if len(some) == 1:
        return True
    together = _written(_BETWEEN.join((*some, b"")))
    letters = together.letters.replace(_BETWEEN_LETTERS, _ZEROS)
    return any(
        recogniser.first_image(memoryview(reading)) is not None
        for reading in _readings(together._replace(letters=letters), recogniser)
    )


def _readings(written: _Written, recogniser: Recogniser) -> Iterator[bytes]:
    """What it may stand for, save for what no picture can be in."""
    if written.plain:
        yield written.plain
    for first, last in base64_search.readable(written.letters, recogniser.anchors):
        yield pybase64.b64decode(written.letters[first:last], validate=True)
    if written.dumped:
        yield bytes.fromhex(written.dumped.decode("ascii"))
    small = stringzilla.translate(written.digits, _SMALL)
    if any(_holds(small, anchor.hex().encode()) for anchor in recogniser.anchors):
        for first in range(2):
            last = len(written.digits) - (len(written.digits) - first) % 2
            yield bytes.fromhex(written.digits[first:last].decode("ascii"))


def _only_letters(text: bytes) -> bytes:
    """In the standard alphabet. Cutting out what is between them is faster where that is little."""
    others: int = stringzilla.bytesum(stringzilla.translate(text, _IS_NO_LETTER))
    if _SELDOM * others > len(text):
        return text.translate(_STANDARD, _NOT_LETTERS)
    letters: bytes = stringzilla.translate(
        b"".join(stringzilla.split_byteset(text, _NOT_LETTERS)), _STANDARD
    )
    return letters


def _without_escapes(text: bytes) -> bytes:
    if b"\\" in text:
        while _holds(text, rb"\\"):
            text = _replaced(text, rb"\\", b"\\")
        for escape, sign in _SIGNS.items():
            text = _replaced(text, escape, sign)
    for begins, pattern, base in _ESCAPES:
        if any(_holds(text, beginning) for beginning in begins):
            text = pattern.sub(partial(_unescaped, base), text)
    return text


def _replaced(text: bytes, old: bytes, new: bytes) -> bytes:
    """The same as `bytes.replace`, many times as fast where there is little to replace."""
    return new.join(stringzilla.split(text, old)) if _holds(text, old) else text


def _holds(text: bytes, sign: bytes) -> bool:
    found: int = stringzilla.find(text, sign)
    return found >= 0


def _unescaped(base: int, escape: re.Match[bytes]) -> bytes:
    if escape[1] is None:  # several in a row
        return bytes.fromhex(escape[0].translate(None, b"%").decode("ascii"))
    return _BYTES[int(escape[1], base) & 255]


def _begins_in(data: bytes, recogniser: Recogniser) -> bool:
    """Does a picture begin in `data`, of which enough is there? In a program that knows pictures,
    text follows."""
    found = recogniser.first_image(memoryview(data))
    if found is None:
        return False
    head = data[found : found + _HEAD]
    return 6 * len(head.translate(None, _TEXT)) > len(head) and (
        recogniser.first_image(memoryview(data[found:] + _NOTHING_MORE)) is not None
    )

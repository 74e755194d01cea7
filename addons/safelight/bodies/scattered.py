"""Pictures written as base64 or hexadecimal with other things between the letters: spaces, lines of
any length, quotes and commas, zeros of UTF-16, escapes of every kind, a path in front.

They are noticed, not rewritten: all that belongs to no letter is left out, and what remains is read
from each of the letters at which a byte can begin.
"""

from __future__ import annotations

import binascii
import re
from functools import partial
from typing import TYPE_CHECKING

from safelight.bodies import density

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from safelight.bodies.model import Recogniser

_SHORTEST = 400  # bytes: what is shorter holds no picture with something to say
_WINDOW = 1 << 22
# So much of a picture tells that it is one, even if each letter stands on a line of its own.
_OVERLAP = 1 << 20
_BACKSLASHES = re.compile(rb"\\{2,}")
# Escapes of URLs once or several times over, those of Python, JavaScript and JSON, and HTML's: what
# they begin with, all of them, and in which base their number is.
_ESCAPES = (
    (b"%", re.compile(rb"%(?:25)*([0-9A-Fa-f]{2})"), 16),
    (b"\\", re.compile(rb"\\(?:u00|x)([0-9A-Fa-f]{2})"), 16),
    (b"\\", re.compile(rb"\\([0-7]{1,3})"), 8),
    (b"&#", re.compile(rb"&#[xX]([0-9A-Fa-f]{2});?"), 16),
    (b"&#", re.compile(rb"&#([0-9]{2,3});"), 10),
)
_BYTES = [bytes([number]) for number in range(256)]
_SIGNS = {rb"\n": b"\n", rb"\r": b"\r", rb"\t": b"\t", rb"\b": b"\b", rb"\f": b"\f", rb"\"": b'"'}
_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
_NOT_LETTERS = bytes(byte for byte in range(256) if byte not in _LETTERS)
_STANDARD = bytes.maketrans(b"-_", b"+/")
_NOT_DIGITS = bytes(byte for byte in range(256) if byte not in b"0123456789abcdefABCDEF")
# A line of a hex dump: where it stands, bytes in groups, and most often the same as text.
_DUMPED = re.compile(
    rb"\n[ \t]*(?:0x)?[0-9A-Fa-f]{4,16}[: \t]+"
    rb"((?:(?:[0-9A-Fa-f]{2}){1,8}(?:[ \t-]{1,3}|(?=[\r\n|]|\Z))){2,32})"
)
_LONGEST_DUMPED = 400
_HEAD = 1 << 16
_TEXT = bytes([*b"\t\n\r", *range(32, 127)])
# More than two segments of a JPEG: what only seems to begin as one does not go on as one.
_NOTHING_MORE = bytes(1 << 18)


def holds_picture(
    body: bytes, stretches: Iterable[tuple[int, int]], recogniser: Recogniser
) -> bool:
    """Does a picture stand in one of the `stretches` of `body` that are no words, written in one of
    these ways?"""
    return any(
        _begins_in(reading, recogniser)
        for stretch in stretches
        for text in density.without_controls(body, *stretch)
        for start, end in density.without_numbers(body, *text)
        for window in _windows(body, start, end)
        for reading in _readings(window)
    )


def _windows(body: bytes, start: int, end: int) -> Iterator[bytes]:
    while end - start >= _SHORTEST:
        yield body[start : min(end, start + _WINDOW)]
        start += _WINDOW - _OVERLAP if end - start > _WINDOW else _WINDOW


def _readings(text: bytes) -> Iterator[bytes]:
    """What `text` may stand for."""
    plain = _without_escapes(text)
    if plain != text:
        yield plain
    letters = plain.translate(_STANDARD, _NOT_LETTERS)
    for shift in range(4):
        yield binascii.a2b_base64(letters[shift : _whole(letters, shift, 4)])
    if _LONGEST_DUMPED * plain.count(b"\n") > len(plain):
        dumped = b"".join(_DUMPED.findall(b"\n" + plain)).translate(None, _NOT_DIGITS)
        yield bytes.fromhex(dumped.decode("ascii"))
    digits = plain.replace(b"0x", b"").translate(None, _NOT_DIGITS)
    for shift in range(2):
        yield bytes.fromhex(digits[shift : _whole(digits, shift, 2)].decode("ascii"))


def _whole(text: bytes, start: int, size: int) -> int:
    """The end of the last whole group of `size` letters from `start`."""
    return start + max(0, len(text) - start) // size * size


def _without_escapes(text: bytes) -> bytes:
    if b"\\" in text:
        text = _BACKSLASHES.sub(rb"\\", text) if rb"\\" in text else text
        for escape, sign in _SIGNS.items():
            text = text.replace(escape, sign)
    for begins, pattern, base in _ESCAPES:
        if begins in text:
            text = pattern.sub(partial(_unescaped, base), text)
    return text


def _unescaped(base: int, escape: re.Match[bytes]) -> bytes:
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

"""Pictures written as base64 or hexadecimal with other things between the letters: spaces, lines of
any length, quotes and commas, zeros of UTF-16, escapes of every kind, a path in front.

They are noticed, not rewritten: all that belongs to no letter is left out, and what remains is read
from each of the letters at which a byte can begin.
"""

from __future__ import annotations

import binascii
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from safelight.bodies.model import Recogniser

_BLOCK = 1024
_CAPITALS_AND_DIGITS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_KINDS = bytes(
    ord("A" if byte in _CAPITALS_AND_DIGITS else "a" if 97 <= byte <= 122 else " ")
    for byte in range(256)
)
# What is left of numbers without these is next to nothing; of escapes, their signs are left.
_DIGITS_AND_SIGNS = b"0123456789 \t\r\n.,;:-+\"'[]{}()"
_SHORTEST = 400  # bytes: what is shorter holds no picture with something to say
_WINDOW = 1 << 22
# So much of a picture tells that it is one, even if each letter stands on a line of its own.
_OVERLAP = 1 << 20
_BACKSLASHES = re.compile(rb"\\{2,}")
# Python's, JavaScript's and JSON's escapes, those of URLs once or several times over, and HTML's.
_ESCAPE = re.compile(
    rb"(?:%(?:25)*|\\u00|\\x|&#[xX])([0-9A-Fa-f]{2});?"
    rb"|\\([0-7]{1,3})|&#([0-9]{2,3});|\\([nrtbf])"
)
_ESCAPED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
_NOT_LETTERS = bytes(byte for byte in range(256) if byte not in _LETTERS)
_STANDARD = bytes.maketrans(b"-_", b"+/")
_NOT_DIGITS = bytes(byte for byte in range(256) if byte not in b"0123456789abcdefABCDEF")
_HEAD = 1 << 16
_TEXT = bytes([*b"\t\n\r", *range(32, 127)])
# More than two segments of a JPEG: what only seems to begin as one does not go on as one.
_NOTHING_MORE = bytes(1 << 18)


def holds_picture(body: bytes, gaps: Iterable[tuple[int, int]], recogniser: Recogniser) -> bool:
    """Does a picture stand in one of the `gaps` of `body`, written in one of these ways?"""
    return any(
        _begins_in(reading, recogniser)
        for gap in gaps
        for start, end in _dense(body, *gap)
        for window in _windows(body, start, end)
        for reading in _readings(window)
    )


def _dense(body: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The stretches of a gap that are written as encoded bytes are: with capitals and digits among
    their letters, unlike what people write, and not with digits alone, as numbers are."""
    gap = body[start:end]
    kinds = gap.translate(_KINDS)
    since: int | None = None
    for block in range(start, end, _BLOCK):
        until = min(block + _BLOCK, end)
        if _is_dense(gap, kinds, block - start, until - start):
            # It may begin where there is still little of it.
            since = max(start, block - _BLOCK) if since is None else since
        elif since is not None:
            yield since, until
            since = None
    if since is not None:
        yield since, end


def _is_dense(gap: bytes, kinds: bytes, start: int, end: int) -> bool:
    dense = kinds.count(b"A", start, end)
    if 4 * dense < kinds.count(b"a", start, end) or not dense:
        return False
    telling = gap[start:end].translate(None, _DIGITS_AND_SIGNS)
    return 10 * len(telling) >= dense


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
    digits = plain.replace(b"0x", b"").translate(None, _NOT_DIGITS)
    for shift in range(2):
        yield bytes.fromhex(digits[shift : _whole(digits, shift, 2)].decode("ascii"))


def _whole(text: bytes, start: int, size: int) -> int:
    """The end of the last whole group of `size` letters from `start`."""
    return start + max(0, len(text) - start) // size * size


def _without_escapes(text: bytes) -> bytes:
    if b"\\" not in text and b"%" not in text and b"&#" not in text:
        return text
    return _ESCAPE.sub(_unescaped, _BACKSLASHES.sub(rb"\\", text))


def _unescaped(match: re.Match[bytes]) -> bytes:
    hexadecimal, octal, decimal, letter = match.groups()
    if letter:
        return _ESCAPED[letter]
    if hexadecimal:
        return bytes([int(hexadecimal, 16)])
    return bytes([int(octal, 8) & 255 if octal else int(decimal) & 255])


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

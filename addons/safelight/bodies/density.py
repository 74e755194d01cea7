"""Where a body is written as encoded bytes are, whichever encoding it is: with capitals and digits
among its letters, unlike what people write.

Told of blocks, by sums at the speed of memory. Most of a chat is then not looked at any closer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import stringzilla

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCK = 1024
_PIECE = 128 * _BLOCK
_CAPITALS_AND_DIGITS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_SMALL_LETTERS = b"abcdefghijklmnopqrstuvwxyz"
# What is left of numbers without these is next to nothing; of escapes, their signs are left.
_DIGITS_AND_SIGNS = b"0123456789 \t\r\n.,;:-+\"'[]{}()"

_SIGNS_OF_TEXT = b"\0\t\n\r"  # and of text in UTF-16

# Three conditions on how often something stands in a block, each as what every byte adds to a sum:
# the sum of a block that meets one is larger than that of as many bytes that do not matter.
# At least a capital or digit for four small letters, or eight bytes of letters beyond ASCII, which
# have two or three each:
_NO_LETTER = 50
_WORDS = bytes(
    201 + _NO_LETTER
    if byte in _CAPITALS_AND_DIGITS
    else 0
    if byte in _SMALL_LETTERS
    else _NO_LETTER // 2
    if byte > 127
    else _NO_LETTER
    for byte in range(256)
)
# For ten capitals and digits at least one of what is not only in numbers:
_NO_DIGIT = 2
_NUMBERS = bytes(
    _NO_DIGIT - 2 * (byte in _CAPITALS_AND_DIGITS) + 21 * (byte not in _DIGITS_AND_SIGNS)
    for byte in range(256)
)
# At most one control character among twelve bytes, of which bytes without any order have more:
_SOME_CONTROLS = 11
_CONTROLS = bytes(
    0 if (byte < 32 or byte == 127) and byte not in _SIGNS_OF_TEXT else _SOME_CONTROLS + 1
    for byte in range(256)
)


def without_words(body: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The stretches of `body[start:end]` that are no words."""
    return _stretches(body, start, end, _WORDS, _NO_LETTER)


def without_numbers(body: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The stretches of `body[start:end]`, which holds no words, that are no lists of numbers."""
    return _stretches(body, start, end, _NUMBERS, _NO_DIGIT)


def without_controls(body: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The stretches of `body[start:end]` that could be text, or text in a binary message."""
    return _stretches(body, start, end, _CONTROLS, _SOME_CONTROLS)


def _stretches(
    body: bytes, start: int, end: int, added: bytes, usual: int
) -> Iterator[tuple[int, int]]:
    """Where the bytes of blocks add more to a sum than as many `usual` ones."""
    since: int | None = None
    until = 0
    for first, last in _above(memoryview(body)[start:end], added, usual):
        if since is not None and first > until:
            yield start + since, start + until
            since = None
        # It may begin where there is still little of it.
        since = max(0, first - _BLOCK) if since is None else since
        until = last
    if since is not None:
        yield start + since, start + until


def _above(data: memoryview, added: bytes, usual: int) -> Iterator[tuple[int, int]]:
    """Where blocks begin and end that add more, one or several in a row. In pieces that stay in
    the processor's cache."""
    room = memoryview(bytearray(min(_PIECE, len(data))))
    pairs, blocks = _every(2 * _BLOCK, room), _every(_BLOCK, room)
    for start in range(0, len(data), _PIECE):
        piece = data[start : start + _PIECE]
        if len(piece) < len(room):
            room = room[: len(piece)]
            pairs, blocks = _every(2 * _BLOCK, room), _every(_BLOCK, room)
        stringzilla.translate(piece, added, out=room)
        missing = -len(piece) % _BLOCK
        # Nothing takes away from a sum: no block is above if no two together are.
        if max(map(stringzilla.bytesum, pairs)) <= usual * (_BLOCK - missing):
            continue
        sums = [*map(stringzilla.bytesum, blocks)]
        sums[-1] += usual * missing
        if max(sums) <= usual * _BLOCK:
            continue
        if min(sums) > usual * _BLOCK:
            yield start, start + len(piece)
            continue
        for number, total in enumerate(sums):
            if total > usual * _BLOCK:
                first = start + number * _BLOCK
                yield first, min(first + _BLOCK, len(data))


def _every(size: int, room: memoryview) -> list[memoryview]:
    return [room[first : first + size] for first in range(0, len(room), size)]

"""Bytes that base64 stands for, searched for without decoding it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import stringzilla

if TYPE_CHECKING:
    from collections.abc import Iterable

_VALUES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_ALSO = {b"+": b"-", b"/": b"_"}
_MOST_TRIED = 1000
_BITS = 6  # of a letter
# How many letters are read around something: as far as a picture tells that it is one.
_BEFORE, _BEHIND = 1 << 6, 3 << 19
_MOST_GROUPS = 8


def written(places: Iterable[tuple[int, bytes]]) -> bytes:
    """A pattern for base64, in either alphabet, of what has one of these bytes where it says."""
    behind: dict[int, list[list[bytes]]] = {}
    for place in places:
        skipped, letters = _letters(*place)
        behind.setdefault(skipped, []).append(letters)
    return b"|".join(b"." * skipped + _any_of(some) for skipped, some in behind.items())


def _any_of(spellings: list[list[bytes]]) -> bytes:
    """What none of them begins with is told at once."""
    first = bytes(sorted({letter for letters in spellings for letter in letters[0]}))
    each = b"|".join(b"".join(map(_one_of, letters)) for letters in spellings)
    return b"(?=" + _one_of(first) + b")(?:" + each + b")"


def readable(letters: bytes, wanted: tuple[bytes, ...]) -> list[tuple[int, int]]:
    """Where `letters`, of the standard alphabet, may be read in groups of four so that they stand
    for something that holds one of these: from where, and up to where. What is around those that
    are found is read as well, or all, where there are many."""
    groups: set[int] = set()
    for spelling in _spellings(wanted):
        at = stringzilla.find(letters, spelling.known)
        for _ in range(_MOST_TRIED):
            if at < 0:
                break
            first = at - spelling.before
            if first >= 0 and spelling.pattern.match(letters, first) is not None:
                groups.add(first - spelling.skipped)
            at = stringzilla.find(letters, spelling.known, at + 1)
        if at >= 0:
            return _in_fours((first, len(letters)) for first in range(4))
    if len(groups) > _MOST_GROUPS:
        return _in_fours((group % 4, len(letters)) for group in groups)
    return _in_fours(
        (max(group % 4, group - _BEFORE), min(len(letters), group + _BEHIND)) for group in groups
    )


def _in_fours(places: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The different ones, each up to the last whole group of four letters in it."""
    different = set(places)
    return sorted(
        (first, last - (last - first) % 4) for first, last in different if last - first >= 4
    )


@dataclass(frozen=True, slots=True)
class _Spelling:
    """How something is written that begins `skipped` letters behind the first of four: `known` are
    letters in it, `before` many letters behind its first, that what is around it cannot change."""

    known: bytes
    before: int
    skipped: int
    pattern: re.Pattern[bytes]


@cache
def _spellings(wanted: tuple[bytes, ...]) -> tuple[_Spelling, ...]:
    return tuple(_spelling(offset, data) for data in wanted for offset in range(3))


def _spelling(offset: int, data: bytes) -> _Spelling:
    skipped, letters = _letters(offset, data)
    before = next(number for number, one in enumerate(letters) if len(one) == 1)
    known = b"".join(one for one in letters if len(one) == 1)
    return _Spelling(known, before, skipped, re.compile(b"".join(map(_one_of, letters))))


def _letters(offset: int, data: bytes) -> tuple[int, list[bytes]]:
    """How many letters stand before `data` alone, and what those from there on may be."""
    bits = "." * 8 * offset + "".join(f"{byte:08b}" for byte in data)
    bits += "." * (-len(bits) % _BITS)
    skipped = 8 * offset // _BITS
    return skipped, [
        _standing_for(bits[at : at + _BITS]) for at in range(_BITS * skipped, len(bits), _BITS)
    ]


def _standing_for(bits: str) -> bytes:
    """The letters that may stand for these; a dot is any bit."""
    told = int(bits.replace("0", "1").replace(".", "0"), 2)
    ones = int(bits.replace(".", "0"), 2)
    return bytes(letter for value, letter in enumerate(_VALUES) if value & told == ones)


def _one_of(letters: bytes) -> bytes:
    written = (letters[at : at + 1] for at in range(len(letters)))
    return b"[" + b"".join(re.escape(one + _ALSO.get(one, b"")) for one in written) + b"]"

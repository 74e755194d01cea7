"""Where base64 stands in a text, whatever it stands for.

Words are short: most text is passed over at the speed of a search for the beginning of a long one.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

import stringzilla

from safelight.bodies import base64_search
from safelight.bodies.base64_signs import (
    LETTERS,
    OTHER_SCRIPT,
    PLAIN_LETTERS,
    SHORTEST_RUN,
    Signs,
)

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from safelight.bodies.model import Recogniser

SHORTEST_WRAPPING = 400  # letters: what is shorter wraps up no picture with something to say
_LONGEST_IDLE = SHORTEST_WRAPPING - 100  # padding is not counted

# JSON in JSON doubles the backslashes at each level. Unbounded, a run of them would be tried from
# each of its characters to its end. Where each way begins with a character that is told, others are
# passed over at once.
PLAIN = rb"[A-Za-z0-9+/_-]"
_BACKSLASHES = rb"\\\\{0,14}"
ESCAPE = (
    _BACKSLASHES
    + rb"/|"
    + _BACKSLASHES
    + rb"u00(?:2[BbFf]|3[0-9]|[46][1-9A-Fa-f]|[57][0-9Aa])|%2[BbFf]"
)
ESCAPED_PADDING = rb"%3[Dd]|" + _BACKSLASHES + rb"u003[Dd]"
_PADDING = rb"=|" + ESCAPED_PADDING
_LINE_BREAKS = (
    rb"\n[ \t]*",
    rb"\r\n[ \t]*",
    _BACKSLASHES + rb"r" + _BACKSLASHES + rb"n",
    _BACKSLASHES + rb"n",
)
BREAK = rb"(?:" + rb"|".join(_LINE_BREAKS) + rb")(?=" + PLAIN + rb"|" + ESCAPE + rb")"
# A run does not start in the middle of somebody else's escape (`\n`, `%2C`, `\u0022`).
_NOT_IN_ESCAPE = rb"(?<!\\)(?<!%)(?<!%[0-9A-Fa-f])" rb"(?<!\\u)(?<!\\u.)(?<!\\u..)(?<!\\u...)"
# What fails soonest comes first: in escaped Cyrillic or Chinese, long rows are none of base64.
BEGINNING = (
    _NOT_IN_ESCAPE + rb"(?=" + PLAIN + rb"|" + ESCAPE + rb")" + rb"(?=[A-Za-z0-9+/_\\%-]{32})"
)
_GOES_ON = ESCAPE + rb"|" + BREAK + rb"|" + _PADDING
# In escaped Cyrillic or Chinese there is a word or a number every now and then.
_BEGINS = re.compile(BEGINNING + rb"(?=%b{32}|%b{0,31}+(?:%b))" % (PLAIN, PLAIN, _GOES_ON))
# What a run is behind its beginning, which is a letter or an escape.
REST = (
    rb"(?:" + PLAIN + rb"++|" + ESCAPE + rb"|" + BREAK + rb")*+" + rb"(?:" + _PADDING + rb"){0,2}"
)
_REST = re.compile(REST)
_ANY_LETTER = frozenset(LETTERS)
_MARKED = bytes(65 if byte in LETTERS else 32 for byte in range(256))
_OTHER_SCRIPTS = tuple(b"\\" * levels + b"u" for levels in (1, 2, 4))
_LONG_ENOUGH = b"A" * SHORTEST_RUN
_BEFORE_LONG_ENOUGH = b" " + _LONG_ENOUGH
_PIECE = 1 << 17
_MOST_AT_ONCE = 64


def runs(body: bytes, start: int, end: int, recogniser: Recogniser) -> Iterator[tuple[int, int]]:
    """Where base64, of any length from 32 letters on, starts and ends in `body[start:end]`, save
    for what is neither long enough to wrap anything up nor begins like a picture."""
    idle = _idle(recogniser)
    view = memoryview(body)
    position = start
    goes_on = True  # a row that may begin before
    while position < end:
        piece = view[position : min(end, position + _PIECE)]
        marked: bytes = stringzilla.translate(piece, _MARKED)
        # One that begins with the last letters of a piece does so in the next as well.
        following = position + max(1, len(marked) - SHORTEST_RUN)
        at_once = goes_on and marked.startswith(_LONG_ENOUGH)
        first = position if at_once else _row_behind(marked, position, position)
        goes_on = False
        signs: Signs | None = None
        while first is not None:
            if position < first and body.startswith(_OTHER_SCRIPTS, first):
                signs = signs or Signs(piece)
                first = position + signs.earliest(first - position)
            match = idle.match(body, first, end)
            last = match.end() if match else first
            if last < end and body[last] in _ANY_LETTER:
                if first < last and OTHER_SCRIPT in body[last : last + SHORTEST_RUN]:
                    first = last
                    if first < position + len(piece):
                        continue
                    goes_on, following = True, last
                    break
                first = _passed(body, last, end, idle)
                last = _behind(LETTERS, body, first, end)
                if last - first >= SHORTEST_RUN:
                    last = yield from _in_row(body, first, last, end, idle)
            first = _row_behind(marked, position, last)
            following = max(following, last)
        if position + len(piece) == end:
            return
        position = following


def _in_row(
    body: bytes, position: int, last: int, end: int, idle: re.Pattern[bytes]
) -> Generator[tuple[int, int], None, int]:
    """The runs that begin in the row from `position` to `last`, or in one into which they lead.
    Returns where the last row ends."""
    while (begins := _BEGINS.search(body, position, last)) is not None:
        rest = _REST.match(body, _behind(PLAIN_LETTERS, body, begins.start(), end), end)
        if rest is None:
            break
        yield begins.start(), rest.end()
        position = _passed(body, rest.end(), end, idle)
        if position > last:
            last = _behind(LETTERS, body, position, end)
    return last


def _behind(letters: bytes, body: bytes, start: int, end: int) -> int:
    """Where the first is that is none of these."""
    found: int = stringzilla.find_first_not_of(body, letters, start, end)
    return end if found < 0 else found


def _passed(body: bytes, position: int, end: int, idle: re.Pattern[bytes]) -> int:
    """The end of what is idle from `position` on."""
    while position < end and body[position] in _ANY_LETTER:
        match = idle.match(body, position, end)
        if match is None:
            break
        position = match.end()
    return position


def _row_behind(marked: bytes, start: int, position: int) -> int | None:
    """Where the next row begins from `position` on, in what is `marked` from `start` on."""
    found: int = stringzilla.find(marked, _BEFORE_LONG_ENOUGH, position - start)
    return start + found + 1 if found >= 0 else None


@cache
def _idle(recogniser: Recogniser) -> re.Pattern[bytes]:
    """What is passed over in a row: characters that are escaped, and letters, none of them escaped,
    that are too few for a run, or begin like no picture and go on in no other line: rules, paths
    and long names."""
    return re.compile(
        _NOT_IN_ESCAPE
        + rb"(?:(?:\\u(?!00)[0-9A-Fa-f]{4})++"
        + rb"|(?:(?!%b|%b)%%[0-9A-Fa-f]{2})++" % (ESCAPE, _PADDING)
        + rb"|(?!%b|%b)%b(?:[bfnrt]|u[0-9A-Fa-f]{4})" % (ESCAPE, _PADDING, _BACKSLASHES)
        + rb"|%b{1,31}+(?!%b|%b)" % (PLAIN, PLAIN, _GOES_ON)
        + rb"|(?=%b{32})%b" % (PLAIN, unlike(recogniser.beginnings))
        + rb"%b{32,%d}+(?!%b|%b)" % (PLAIN, _LONGEST_IDLE, PLAIN, _GOES_ON)
        # What is repeated without a limit takes memory for each time.
        + rb"){1,%d}+" % _MOST_AT_ONCE
    )


def unlike(beginnings: tuple[tuple[int, bytes], ...]) -> bytes:
    """A pattern for letters that stand for the beginning of nothing in which, so many bytes behind
    its start, one of these stands."""
    return rb"(?!" + base64_search.written(beginnings) + rb")"

"""Pictures written as base64 inside text: JSON strings, data URLs, form fields, plain prompts.

The text is not parsed. A base64 run is found wherever it stands, so malformed JSON, JSON inside
a JSON string and HTML inside a prompt are all the same to it. RFC 4648 sections 4 and 5 (both
alphabets, padded or not), with the escapes that transports put on `/`, `+` and `=`.
"""

from __future__ import annotations

import binascii
import re
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import chain
from typing import TYPE_CHECKING

import pybase64
import stringzilla

from safelight.bodies import base64_runs, exactness
from safelight.bodies.base64_runs import BREAK, ESCAPE, ESCAPED_PADDING, PLAIN
from safelight.bodies.base64_signs import SHORTEST_RUN
from safelight.bodies.model import Encoding, Site

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from safelight.bodies.model import Recogniser

_HEAD = 8192
_LONGEST_REPEAT = 8  # letters: no format begins with six bytes that are alike
_LONGEST_LINE = 998  # letters; RFC 5322 section 2.1.1
_ESCAPES = re.compile(ESCAPE + rb"|" + ESCAPED_PADDING)
_BREAKS = re.compile(BREAK)
_SIGNS_OF_BREAKS = (b"\n", rb"\n")


def find(
    body: bytes, runs: Iterable[tuple[int, int]], recogniser: Recogniser, part: int = 0
) -> Iterator[Site]:
    """Yield a site for each picture in the `runs` of `body`."""
    for first, last in runs:
        run = _Run(body, first, last)
        position: int | None = first
        while position is not None:
            site = _first_site(run, position, recogniser, part)
            if site is not None:
                yield site
            position = _next_line(body, site.end, last) if site else None


@dataclass
class _Run:
    """A run, of which much is asked once although many pictures may be in it."""

    body: bytes
    first: int
    last: int

    @cached_property
    def has_breaks(self) -> bool:
        """May line breaks be in it?"""
        return _has_breaks(self.body, self.first, self.last)

    @cached_property
    def is_escaped(self) -> bool:
        """Is any letter of it escaped?"""
        return _ESCAPES.search(self.body, self.first, self.last) is not None

    def breaks(self, start: int) -> Iterator[re.Match[bytes]]:
        """The line breaks from `start` on, one by one."""
        return _BREAKS.finditer(self.body, start, self.last) if self.has_breaks else iter(())


def _first_site(run: _Run, start: int, recogniser: Recogniser, part: int) -> Site | None:
    body, last = run.body, run.last
    unlike = _unlike(recogniser)
    for candidate in _candidates(body, start, last):
        if unlike.match(body, candidate, last) is not None:
            continue
        letter = body[candidate : candidate + 1]
        if letter != b"\\" and body.startswith(letter * _LONGEST_REPEAT, candidate):
            continue  # a rule in text, as of dashes
        head = body[candidate : min(last, candidate + _HEAD)]
        if _starts_image(head, last - candidate, recogniser):
            return Site(candidate, _end(run, candidate, recogniser), Encoding.BASE64, part=part)
    return None


@cache
def _unlike(recogniser: Recogniser) -> re.Pattern[bytes]:
    """Letters, none of them escaped, that stand for the beginning of no picture."""
    told = max(-(-8 * (offset + len(data)) // 6) for offset, data in recogniser.beginnings)
    return re.compile(base64_runs.unlike(recogniser.beginnings) + PLAIN + rb"{%d}" % told)


def _next_line(body: bytes, end: int, last: int) -> int | None:
    match = _BREAKS.match(body, end, last)
    return match.end() if match else None


def _end(run: _Run, start: int, recogniser: Recogniser) -> int:
    """Where the base64 that begins at `start` ends, at the run's end or on a line before: text on
    the next line may read like more of it. Lines of base64 are as long as each other, save for the
    first, which may stand behind something else, and the last."""
    body = run.body
    breaks = (match.span() for match in run.breaks(start))
    before, line = next(breaks, (run.last, run.last))
    if before == run.last or _is_all(body[start:before], recogniser):
        return before
    usual: int | None = None
    for end, following in chain(breaks, [(run.last, run.last)]):
        width = _letters(body[line:end]) if run.is_escaped else end - line
        usual = width if usual is None else usual
        if width > usual:
            return before
        if width < usual:
            return before if _is_all(body[start:before], recogniser) else end
        before, line = end, following
    return run.last


def _breaks(body: bytes, start: int, end: int) -> Iterator[re.Match[bytes]]:
    return _BREAKS.finditer(body, start, end) if _has_breaks(body, start, end) else iter(())


def _has_breaks(body: bytes, start: int, end: int) -> bool:
    """May line breaks be there? Told faster than where they are."""
    view = memoryview(body)[start:end]
    return any(stringzilla.find(view, sign) >= 0 for sign in _SIGNS_OF_BREAKS)


def _letters(line: bytes) -> int:
    return len(_ESCAPES.sub(b"A", line))


def _is_all(run: bytes, recogniser: Recogniser) -> bool:
    """Is `run` a whole picture? One that does not say where it ends is, if no line is so long."""
    try:
        data = memoryview(decode(run))
    except ValueError:
        return False
    in_lines = len(run) <= _LONGEST_LINE or any(_breaks(run, 0, len(run)))
    return exactness.ends_exactly(data, recogniser) if in_lines else recogniser.is_whole(data)


def decode(text: bytes | memoryview) -> bytes:
    """The bytes that a base64 run stands for. Raises ValueError."""
    with suppress(ValueError):
        # As most is written. No copy is made of what is large.
        return pybase64.b64decode(text, validate=True)
    plain = _plain(bytes(text)).rstrip(b"=")
    if len(plain) % 4 == 1:
        # One leftover character holds no whole byte; decoders drop it, so do we.
        plain = plain[:-1]
    try:
        return pybase64.b64decode(plain + b"=" * (-len(plain) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError("is not base64") from error


def encode(data: bytes, like: bytes) -> bytes:
    """Write `data` as base64 in the manner of the run `like`: alphabet, padding, escapes, lines."""
    padded = b"=" in _plain(like[-32:]) or len(_plain(like)) % 4 == 0
    url_safe = b"-" in like or b"_" in like
    text = pybase64.urlsafe_b64encode(data) if url_safe else pybase64.b64encode(data)
    if not padded:
        text = text.rstrip(b"=")
    return _escape_like(_break_like(text, like), like)


def _candidates(body: bytes, start: int, end: int) -> Iterator[int]:
    """A picture starts where its run does, or on a new line of it."""
    yield start
    for count, match in enumerate(_breaks(body, start, min(end, start + 4 * _HEAD))):
        if count == 16:
            return
        yield match.end()


def _starts_image(head: bytes, size: int, recogniser: Recogniser) -> bool:
    if size < SHORTEST_RUN:
        return False
    head = _plain(head).rstrip(b"=")
    try:
        decoded = pybase64.b64decode(head[: len(head) // 4 * 4], validate=True)
    except binascii.Error:
        return False
    return recogniser.starts_image(decoded, size * 3 // 4)


def _plain(text: bytes) -> bytes:
    """`text` without escapes and line breaks, in the standard alphabet."""
    if b"\\" in text:
        usual = text.replace(rb"\r", b"").replace(rb"\n", b"").replace(rb"\/", b"/")
        text = text if b"\\" in usual else usual
    if b"\\" in text or b"%" in text:
        text = _BREAKS.sub(b"", text)
        text = _ESCAPES.sub(_unescape, text)
    elif b"\n" in text:
        text = text.translate(None, _BETWEEN_LINES)
    plain: bytes = stringzilla.translate(text, _STANDARD)
    return plain


_BETWEEN_LINES = b"\r\n\t "
_STANDARD = bytes.maketrans(b"-_", b"+/")


def _unescape(match: re.Match[bytes]) -> bytes:
    escape = match[0]
    if escape.endswith(b"/"):
        return b"/"
    return bytes([int(escape[-2:], 16)])


def _break_like(text: bytes, like: bytes) -> bytes:
    match = next(_breaks(like, 0, len(like)), None)
    if match is None or match.start() == 0:
        return text
    width = len(_ESCAPES.sub(_unescape, like[: match.start()]))
    return match[0].join(text[i : i + width] for i in range(0, len(text), width))


def _escape_like(text: bytes, like: bytes) -> bytes:
    if b"\\" not in like and b"%" not in like:
        return text
    written: dict[bytes, bytes] = {}
    for match in _ESCAPES.finditer(like):
        written.setdefault(_unescape(match), match[0])
    if any(escape.startswith(b"%") for escape in written.values()):
        written.setdefault(b"=", b"%3D")
    for character in (b"/", b"+", b"="):
        if character in written and (b"\\" in written[character] or b"%" in written[character]):
            text = text.replace(character, written[character])
    return text

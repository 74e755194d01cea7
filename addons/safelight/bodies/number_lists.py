"""Pictures that a program wrote as a list of numbers: `[255, 216, 255` and `{"0":255,"1":216`, as
JavaScript writes typed arrays, with signs as Java has them, in a form or in a string in JSON.

They are noticed, not rewritten. Colors begin like pictures (`rgb(255, 216, 255)`), but do not go on
like them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import stringzilla

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from safelight.bodies.model import Recogniser

# Whatever stands between two numbers, escaped or not, and in an object the key of the second.
_SIGN = rb"(?:[^0-9A-Za-z.:%\\-]|\\{1,15}[nrt]?|%[0-9A-Fa-f]{2})"
_KEY = rb"[0-9]{1,9}(?:[\"'\\\s]|%22|%5[Cc]){0,18}(?::|%3[Aa])" + _SIGN + rb"{0,99}+"
_BETWEEN = _SIGN + rb"{1,99}+(?:" + _KEY + rb")?"
_LONGEST_BETWEEN = 500  # bytes
_NUMBER = rb"(-?[0-9]{1,3})(?![0-9.])"
_FIRST = re.compile(_NUMBER)
_NEXT = re.compile(_BETWEEN + _NUMBER)
_TELLING = 32  # bytes of a picture that tell that it is one, if there are so many
_MOST_TRIED = 1000
# A comma for whatever may stand between numbers, save for what escapes begin with.
_ALIKE = bytes(
    byte if bytes([byte]).isalnum() or byte in b".%\\-" else ord(",") for byte in range(256)
)
_SIGNS = (b",,", b"\\", b"%")
_MARKERS = (*range(0xC0, 0xC5), 0xDB, 0xDD, *range(0xE0, 0xF0), 0xFE)


@dataclass(frozen=True, slots=True)
class _List:
    """How a list begins, with `before` in front; one of the `anchors` stands in it once all text is
    in one manner, `first` at that place or before it."""

    before: bytes
    first: bytes
    anchors: tuple[bytes, ...]
    pattern: re.Pattern[bytes]

    def anchors_in(self, alike: bytes, absent: Iterable[bytes]) -> list[bytes]:
        """Those that stand in `alike`, which is in one manner and holds nothing `absent`."""
        return [
            anchor
            for anchor in self.anchors
            if not any(sign in anchor for sign in absent) and stringzilla.find(alike, anchor) >= 0
        ]

    def places(
        self, body: bytes, alike: bytes, start: int, anchors: Iterable[bytes]
    ) -> Iterator[int]:
        """Where lists begin like this, with one of its `anchors`; `alike` is `body` from `start`
        on, in one manner."""
        for anchor in anchors:
            at = stringzilla.find(alike, anchor)
            tried = 0
            while at >= 0 and tried < _MOST_TRIED:
                from_ = max(0, start + at - _LONGEST_BETWEEN)
                place = body.rfind(self.first, from_, start + at + len(self.first))
                if place >= 0 and self.pattern.match(body, place) is not None:
                    yield place
                tried += 1
                at = stringzilla.find(alike, anchor, at + 1)
            if at >= 0:
                matches = self.pattern.finditer(body, start + at, start + len(alike))
                yield from (match.start() for match in matches)


def _lists(*beginning: Iterable[int], before: bytes = b"") -> Iterator[_List]:
    """Lists that begin with one of these numbers each."""
    for signed in (False, True):
        written = [
            [str(byte - 256 * (signed and byte > 127)).encode() for byte in one]
            for one in beginning
        ]
        first, second = written[0][0], written[1][0]
        pattern = _BETWEEN.join(rb"(?:" + rb"|".join(one) + rb")" for one in written)
        escapes = (first + comma + sign for comma in (b"", b",") for sign in (b"\\", b"%"))
        anchors = (first + b"," + second, b",," + second, *escapes)
        yield _List(before, first, anchors, re.compile(pattern))
        if all(byte < 128 for one in beginning for byte in one):
            return


_STARTS = (b"\x89PNG", b"GIF8", b"RIFF", b"II*\0", b"MM\0*")
# What stands in a box, and what its size is taken to be.
_BOXES = ((b"ftyp", b"\0\0\0\x20"), (b"JXL ", b"\0\0\0\x0c"), (b"jP  ", b"\0\0\0\x0c"))
_LISTS = (
    *_lists([0xFF], [0xD8], [0xFF], _MARKERS),
    *(one for start in _STARTS for one in _lists(*([byte] for byte in start))),
    *(one for kind, size in _BOXES for one in _lists(*([byte] for byte in kind), before=size)),
)


def holds_picture(
    body: bytes, stretches: Iterable[tuple[int, int]], recogniser: Recogniser
) -> bool:
    """Is a picture written as numbers in one of the `stretches` of `body` that are no words?"""
    view = memoryview(body)
    parts = [(start, stringzilla.translate(view[start:end], _ALIKE)) for start, end in stretches]
    if not parts:
        return False
    # What does not stand in all of them together need not be looked for in each.
    together = b"x".join(alike for _, alike in parts)
    absent = [sign for sign in _SIGNS if stringzilla.find(together, sign) < 0]
    lists = [(one, one.anchors_in(together, absent)) for one in _LISTS]
    for one, anchors in lists:
        for start, alike in parts if anchors else ():
            for tried, place in enumerate(one.places(body, alike, start, anchors)):
                data = one.before + _bytes(body, place)
                # Where so many lists begin like pictures, they are not told apart any more.
                if tried == _MOST_TRIED or recogniser.first_image(memoryview(data)) == 0:
                    return True
    return False


def _bytes(body: bytes, place: int) -> bytes:
    """What the numbers from `place` on stand for, as many as tell."""
    data = bytearray()
    match = _FIRST.match(body, place)
    while match is not None and len(data) < _TELLING:
        data.append(int(match[1]) & 255)
        match = _NEXT.match(body, match.end())
    return bytes(data)

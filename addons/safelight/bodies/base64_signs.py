r"""Where base64 may stand at all in text of other scripts in escapes (`\u0444\u043e\u0442\u043e`).

All of that is written with letters of base64 and of its escapes, in rows as long as words or lines;
what base64 cannot do without is seldom in it.
"""

from __future__ import annotations

import stringzilla

SHORTEST_RUN = 32  # letters
PLAIN_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-"
LETTERS = PLAIN_LETTERS + rb"\%"  # and those of its escapes
OTHER_SCRIPT = rb"\u"
_LONGEST_ESCAPE = 24  # letters
# Between it and where base64 begins: 31 letters, the escapes of a line break, its own backslashes.
_FURTHEST_SIGN = 96
# Once letters are alike: as many as no escape or line break has to stand between.
_ROW = b" " + b"A" * SHORTEST_RUN
_ALIKE = bytes(65 if byte in PLAIN_LETTERS else 32 for byte in range(256))
_ESCAPES = (rb"\/", b"u00", b"%2", b"%3")
# A line break that a letter follows, once all other letters and `n` are alike.
_BREAKS = (rb"\nA", rb"\nn")
_ALIKE_BUT_N = bytes(
    byte if byte in rb"\n" else 65 if byte in PLAIN_LETTERS else 32 for byte in range(256)
)


class Signs:
    """The signs of base64 in one `piece` of a text."""

    def __init__(self, piece: memoryview) -> None:
        alike: bytes = stringzilla.translate(piece, _ALIKE)
        but_n: bytes = stringzilla.translate(piece, _ALIKE_BUT_N)
        self._piece = piece
        self._searches = (
            (alike, _ROW),
            *((piece, escape) for escape in _ESCAPES),
            *((but_n, line_break) for line_break in _BREAKS),
        )
        self._next = [-1] * len(self._searches)

    def earliest(self, position: int) -> int:
        """Where base64 may begin at the earliest, from `position` on, at which a row does or an
        escape: there, at a later escape in that row, or at the row that holds the next sign. What
        goes on behind the piece may have one there."""
        sign = self._first(position)
        before: int = stringzilla.find_last_not_of(self._piece, LETTERS, position, sign + 1)
        return before + 1 if before >= 0 else self._escape_before(position, sign)

    def _first(self, position: int) -> int:
        since = max(0, position - _LONGEST_ESCAPE)
        for number, (text, sign) in enumerate(self._searches):
            if self._next[number] < since:
                found = stringzilla.find(text, sign, since)
                self._next[number] = found if found >= 0 else len(text)
        return max(position, min(*self._next, len(self._piece) - 1))

    def _escape_before(self, position: int, sign: int) -> int:
        """Where the last escape begins so far before this sign that base64 with it does not;
        `position` if none does behind that."""
        last = sign - _FURTHEST_SIGN
        if last <= position:
            return position
        escape: int = stringzilla.rfind(self._piece, OTHER_SCRIPT, position, last)
        if escape < 0:
            return position
        before: int = stringzilla.find_last_not_of(self._piece, b"\\", position, escape)
        return before + 1 if before >= 0 else position

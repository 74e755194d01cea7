"""Text that stays on its line, whatever reads it."""

from __future__ import annotations

import unicodedata

# Controls, formats (such as those that turn writing around), halves of pairs, ends of lines and
# paragraphs.
_STEERING = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def printable(text: str) -> str:
    """`text` with a blank for all that could end a line or steer a terminal."""
    return "".join(" " if unicodedata.category(char) in _STEERING else char for char in text)

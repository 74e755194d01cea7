"""User data in MPEG-1, MPEG-2 and MPEG-4 pictures (ISO/IEC 13818-2 section 6.2.2.2, 14496-2 section
6.2.2.1): captions and the versions of encoders, by which decoders know their faults, stay.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_USER_DATA, _NEXT = b"\0\0\1\xb2", b"\0\0\1"
_FILLER = b" "
_KEPT = re.compile(
    rb"(?:Lavc\d{1,3}\.\d{1,3}\.\d{1,3}|XviD\d{1,4}C?|DivX\d{1,4}(?:Build|b)\d{1,6}p?"
    rb"|FFmpeg?v?[\d.]{1,9}b\d{1,6}|ffmpeg)\0*|DTG1.{1,4}|GA94.{1,250}",
    re.DOTALL,
)


def changes(data: bytes, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    """What to put where in pictures that follow each other in `data[start:end]`."""
    found = data.find(_USER_DATA, start, end)
    while found >= 0:
        begin = found + len(_USER_DATA)
        behind = data.find(_NEXT, begin, end)
        behind = end if behind < 0 else behind
        if not _KEPT.fullmatch(data, begin, behind):
            yield begin, _FILLER * (behind - begin)
        found = data.find(_USER_DATA, behind, end)

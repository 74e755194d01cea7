"""The codestream of JPEG XL (ISO/IEC 18181-1): names of channels and frames become spaces, and what
stands behind the last frame goes, where its end can be found without decoding.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from safelight.images import jxl_frames, jxl_headers
from safelight.images.jxl_bits import Bits, NoCodestreamError
from safelight.images.model import ImageError, Kind

if TYPE_CHECKING:
    from safelight.images.blanking import Blanks

SIGNATURE = b"\xff\x0a"
# Level 5, which everything has that does not say otherwise (ISO/IEC 18181-1 annex M).
_LONGEST_SIDE, _MOST_PIXELS = 1 << 18, 1 << 28


def may_begin(head: bytes) -> bool:
    """Could a codestream begin with `head`, which begins with its signature? In sound, that is a
    number like any other."""
    bits = Bits(head, len(SIGNATURE), len(head))
    try:
        found = jxl_headers.read(bits)
        sides = found.width, found.height
        if max(sides) > _LONGEST_SIDE or sides[0] * sides[1] > _MOST_PIXELS:
            return False
        if not found.profile:
            jxl_frames.end_of_frames(bits, found)
    except NoCodestreamError:
        return False
    except ImageError:
        return True
    return True


def scrub(blanks: Blanks, start: int, end: int) -> int:
    """Blank the names in the codestream `data[start:end]`; where it ends comes back. That is `end`
    where only decoding could tell."""
    bits = Bits(blanks.data, start + len(SIGNATURE), end)
    after = end
    with suppress(ImageError):
        found = jxl_headers.read(bits)
        if not found.profile:
            after = jxl_frames.end_of_frames(bits, found)
    for position, letters in bits.names:
        _blank(blanks, position, letters)
    return after


def _blank(blanks: Blanks, position: int, letters: int) -> None:
    """Put spaces in place of letters that begin in the middle of a byte."""
    size = 8 * letters
    first, last = position // 8, (position + size + 7) // 8
    shift = position % 8
    mask = (1 << size) - 1 << shift
    before = int.from_bytes(blanks.data[first:last], "little")
    spaces = int.from_bytes(b" " * letters) << shift
    after = (before & ~mask | spaces).to_bytes(last - first, "little")
    if after != blanks.data[first:last]:
        blanks.find({Kind.COMMENT}, "name in the codestream", first, last)
        blanks.put(first, after)

"""MP4 and QuickTime movies, as phones send them beside pictures: places, times, devices and
tracks of metadata are blanked in place; picture and sound are not touched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from safelight.images import movie, xmp
from safelight.images.blanking import Blanks
from safelight.images.boxes import boxes
from safelight.images.heif import free
from safelight.images.model import Examination, Format, ImageError

if TYPE_CHECKING:
    from safelight.images.boxes import Box

KEPT = frozenset({b"ftyp", b"moov", b"mdat", b"moof", b"mfra", b"sidx", b"styp", b"ssix"})


def examine(data: bytes) -> Examination:
    """Examine a movie. Raises ImageError when its boxes do not fit."""
    blanks = Blanks(data)
    found = list(boxes(data, 0, len(data)))
    moov = next((box for box in found if box.type == b"moov"), None)
    if moov is None:
        raise ImageError("This movie is cut off.")
    movie.scrub_whole(blanks, found, moov)
    for box in found:
        if box.type not in KEPT:
            kinds = xmp.kinds(data[box.payload : box.end])
            free(blanks, box, kinds, _place(box))
    width, height = movie.dimensions(data, moov)
    return Examination(Format.MP4, width, height, 1, tuple(blanks.findings), blanks.edits)


def _place(box: Box) -> str:
    known = box.type in {b"uuid", b"udta", b"meta", b"free", b"skip", b"wide"}
    return f"{box.type.decode()} box" if known else "box of an unknown kind"

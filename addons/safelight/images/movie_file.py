"""MP4 and QuickTime movies, as phones send them beside pictures: places, times, devices and
tracks of metadata are blanked in place; picture and sound are not touched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from safelight.images import brands, movie, movie_boxes, movie_shown, xmp
from safelight.images.blanking import Blanks, Ranges
from safelight.images.boxes import boxes_of_file
from safelight.images.model import Examination, Format, ImageError

if TYPE_CHECKING:
    from safelight.images.boxes import Box

KEPT = frozenset({b"ftyp", b"moov", b"mdat", b"moof", b"mfra", b"sidx", b"styp"})
_ONCE = frozenset({b"ftyp", b"moov"})
_BRANDED = frozenset({b"ftyp", b"styp"})


def examine(data: bytes) -> Examination:
    """Examine a movie. Raises ImageError when its boxes do not fit."""
    blanks = Blanks(data)
    found, end = boxes_of_file(data, KEPT)
    blanks.remove_trailer(end, b"free")
    moov = next((box for box in found if box.type == b"moov"), None)
    if moov is None:
        raise ImageError("This movie is cut off.")
    shown = Ranges(movie.scrub_tracks(blanks, found, moov))
    if shown.touches(end, len(data)):
        raise ImageError("This movie is cut off.")
    media = movie_shown.media_of(blanks, found, KEPT, shown)
    movie_shown.blank_unshown(blanks, media, shown)
    seen: set[bytes] = set()
    passed = {box.start for box in media}
    for box in found:
        if box.start in passed:
            continue
        beside(blanks, box, again=box.type in seen)
        seen.add(box.type)
    width, height = movie.dimensions(data, moov)
    return Examination(Format.MP4, width, height, 1, tuple(blanks.findings), blanks.edits)


def beside(blanks: Blanks, box: Box, *, again: bool) -> None:
    """Blank what a box of a file says besides the film; `again` if such a one came before."""
    data = blanks.data
    if box.type not in KEPT or (again and box.type in _ONCE) or not _adds_up(data, box):
        place = _place(box)
        movie_boxes.free(blanks, box, xmp.kinds(data[box.payload : box.end]), place)
    elif box.type in _BRANDED:
        brands.scrub(blanks, box)


def _adds_up(data: bytes, box: Box) -> bool:
    """Is an index of a file's segments as long as it says (section 8.16.3)?"""
    if box.type != b"sidx":
        return True
    before = 20 if data[box.payload] == 0 else 28
    rows = int.from_bytes(data[box.payload + before + 2 : box.payload + before + 4])
    return box.end - box.payload == before + 4 + 12 * rows


def _place(box: Box) -> str:
    known = box.type in {b"uuid", b"udta", b"meta", b"free", b"skip", b"wide"}
    return f"{box.type.decode()} box" if known else "box of an unknown kind"

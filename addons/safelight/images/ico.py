"""ICO and CUR: a directory of bitmaps and PNGs; each is cleaned, what is between them blanked."""

from __future__ import annotations

import struct

from safelight.images import bmp, png, png_chunks
from safelight.images.blanking import Blanks, Ranges
from safelight.images.model import Examination, Format, ImageError, Kind, Length

_HEADER, _ENTRY = 6, 16
_WITH_TRANSPARENCY = 32


def examine(data: bytes) -> Examination:
    """Examine an icon or cursor. Raises ImageError when an entry points outside the file."""
    blanks = Blanks(data)
    (count,) = struct.unpack_from("<H", data, 4)
    table_end = _HEADER + _ENTRY * count
    kept = [(0, table_end)]
    size = (0, 0)
    total = 0
    for position in range(_HEADER, table_end, _ENTRY):
        width, height, _, reserved, _, _, length, start = struct.unpack_from(
            "<BBBBHHII", data, position
        )
        total += length
        outside = start + length > len(data) or start < table_end
        if outside or reserved or total > len(data):
            raise ImageError("This icon has a picture outside the file.")
        kept.append((start, start + length))
        size = max(size, (width or 256, height or 256))
        _entry(blanks, start, start + length)
    end = max(stop for _, stop in kept)
    for start, stop in Ranges(kept).gaps(0, end):
        blanks.remove(start, stop, {Kind.UNKNOWN_DATA}, "between the pictures")
    blanks.remove_trailer(end)
    return Examination(Format.ICO, *size, 1, tuple(blanks.findings), blanks.edits)


def _entry(blanks: Blanks, start: int, end: int) -> None:
    data = blanks.data[start:end]
    if data.startswith(png_chunks.SIGNATURE):
        inner = png.examine(data)
        for finding in inner.findings:
            place = f"picture in the icon, {finding.place}"
            blanks.find({finding.kind}, place, start + finding.start, start + finding.end)
        for edit in inner.edits(Length.SAME_LENGTH):
            blanks.put(start + edit.start, edit.replacement)
        return
    header = bmp.dib(blanks.data, start, end)
    if header.size != bmp.INFO or header.palette_end != header.colours_end:
        raise ImageError("This icon holds a bitmap of a kind that is not known.")
    # The height counts the colours and, below them, a mask of one bit a pixel.
    height = abs(header.height) // 2
    mask = (header.width + 31) // 32 * 4 * height
    pixels_end = header.colours_end + header.stride * height
    if pixels_end > end:
        raise ImageError("This icon is cut off.")
    behind = min(pixels_end + mask, end)
    if header.bits < _WITH_TRANSPARENCY and blanks.data[behind:end].strip(b"\0"):
        # Some readers take the mask from here, some from where it belongs.
        raise ImageError("This icon holds a bitmap that is longer than it says.")
    blanks.remove(behind, end, {Kind.UNKNOWN_DATA}, "behind a picture in the icon")

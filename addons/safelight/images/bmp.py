"""BMP: header, masks, palette, pixels and an embedded profile stay; everything else is blanked.

Microsoft's BITMAPFILEHEADER and the DIB headers up to BITMAPV5HEADER.
"""

from __future__ import annotations

import struct

from safelight.images.blanking import Blanks, Ranges
from safelight.images.model import Examination, Format, ImageError, Kind

FILE_HEADER = 14
INFO = 40
_CORE, _OS2, _V4, _V5 = 12, 64, 108, 124
_THREE_MASKS, _CALIBRATED = 12, bytes(4)
_HEADER_SIZES = frozenset({_CORE, 16, INFO, 52, 56, 64, 108, _V5})
_RGB, _RLE8, _RLE4, _BITFIELDS, _JPEG, _PNG, _ALPHABITFIELDS = 0, 1, 2, 3, 4, 5, 6
_END_OF_LINE, _END_OF_BITMAP, _MOVE = 0, 1, 2
_EMBEDDED, _LINKED = b"DEBM", b"KNIL"  # "MBED" and "LINK", little-endian


def examine(data: bytes) -> Examination:
    """Examine a BMP. Raises ImageError when its parts do not fit in the file."""
    blanks = Blanks(data)
    (pixel_offset,) = struct.unpack_from("<I", data, 10)
    kept = [(0, 6), (10, FILE_HEADER)]
    header = dib(data, FILE_HEADER, len(data))
    # A palette may be shorter than its pixels could name; where there is none, readers differ.
    least = FILE_HEADER + header.size + (header.colours_end > FILE_HEADER + header.size)
    if pixel_offset < least:
        raise ImageError("This BMP has its picture inside its headers.")
    kept.append((FILE_HEADER, min(header.palette_end, len(data))))
    _unused_fields(blanks, header)
    end = _pixels_end(data, header, pixel_offset)
    if end > len(data):
        raise ImageError("This BMP is cut off.")
    kept.append((pixel_offset, end))
    _row_padding(blanks, header, pixel_offset)
    last = max(end, _profile(blanks, kept))
    for start, stop in Ranges(kept).gaps(0, last):
        blanks.remove(start, stop, {Kind.UNKNOWN_DATA}, "between the parts of the file")
    blanks.remove_trailer(last)
    return Examination(
        Format.BMP, header.width, abs(header.height), 1, tuple(blanks.findings), blanks.edits
    )


class Dib:
    """A device-independent bitmap's header at `start` of `data`, and what follows from it."""

    def __init__(self, data: bytes, start: int, limit: int) -> None:
        self.size: int = struct.unpack_from("<I", data, start)[0]
        self.width: int
        self.height: int
        self.bits: int
        self.compression: int
        if self.size not in _HEADER_SIZES or start + self.size > limit:
            raise ImageError("This BMP has a header of a kind that is not known.")
        self.compression, colours = _RGB, 0
        if self.size == _CORE:
            self.width, self.height, _, self.bits = struct.unpack_from("<HhHH", data, start + 4)
        else:
            self.width, self.height, _, self.bits = struct.unpack_from("<iiHH", data, start + 4)
        if self.size >= INFO:
            (self.compression,) = struct.unpack_from("<I", data, start + 16)
            (colours,) = struct.unpack_from("<I", data, start + 32)
        if self.compression in {_JPEG, _PNG} or self.width <= 0 or not self.height:
            raise ImageError("This BMP is of a kind that cannot be cleaned.")
        masks = {_BITFIELDS: 12, _ALPHABITFIELDS: 16}.get(self.compression, 0)
        if not colours and self.bits <= 8:
            colours = 1 << self.bits
        # Deeper pixels are no numbers of colours: what a palette then suggests is not drawn.
        drawn = min(colours, 1 << self.bits) if self.bits <= 8 else 0
        entry = 3 if self.size == _CORE else 4
        palette = start + self.size + (masks if self.size == INFO else 0)
        self.palette_end = palette + drawn * entry
        self.colours_end = palette + colours * entry
        self.stride = (self.width * self.bits + 31) // 32 * 4

    @property
    def is_run_length(self) -> bool:
        """Are the pixels written as runs?"""
        return self.compression in {_RLE8, _RLE4}


def dib(data: bytes, start: int, limit: int) -> Dib:
    """Read a DIB header. Raises ImageError."""
    if start + _CORE > limit:
        raise ImageError("This BMP is cut off.")
    return Dib(data, start, limit)


def _pixels_end(data: bytes, header: Dib, start: int) -> int:
    """Behind the pixels; what a header says about the length of runs is often zero or wrong."""
    if not header.is_run_length:
        return start + header.stride * abs(header.height)
    position = start
    while position + 2 <= len(data):
        length, value = data[position : position + 2]
        position += 2
        if length:
            continue
        if value == _END_OF_BITMAP:
            return position
        if value == _MOVE:
            position += 2
        elif value != _END_OF_LINE:
            size = value if header.compression == _RLE8 else (value + 1) // 2
            position += size + (size & 1)
    raise ImageError("This BMP is cut off.")


def _row_padding(blanks: Blanks, header: Dib, pixel_offset: int) -> None:
    """Rows end on four bytes; what fills them up is nobody's."""
    used = (header.width * header.bits + 7) // 8
    if header.is_run_length or used == header.stride:
        return
    end = pixel_offset + header.stride * abs(header.height)
    pixels = bytearray(blanks.data[pixel_offset:end])
    for column in range(used, header.stride):
        pixels[column :: header.stride] = bytes(abs(header.height))
    if pixels != blanks.data[pixel_offset:end]:
        blanks.find({Kind.UNKNOWN_DATA}, "padding of the rows", pixel_offset, end)
        blanks.put(pixel_offset, bytes(pixels))


def _unused_fields(blanks: Blanks, header: Dib) -> None:
    """Blank what the header has no use for: fields of OS/2 that nobody reads, masks of pixels that
    need none, the primaries of a standard colour space."""
    start, size = FILE_HEADER, header.size
    unused = []
    if size == _OS2:
        unused.append((start + INFO, start + size))
    elif size > INFO and header.compression not in {_BITFIELDS, _ALPHABITFIELDS}:
        unused.append((start + INFO, start + INFO + _THREE_MASKS))
    if size >= _V4 and blanks.data[start + 56 : start + 60] != _CALIBRATED:
        unused.append((start + 60, start + _V4))
    if size == _V5:
        is_profile = blanks.data[start + 56 : start + 60] in {_EMBEDDED, _LINKED}
        unused.append((start + (_V5 - 4 if is_profile else _V4 + 4), start + _V5))
    for first, last in unused:
        blanks.remove(first, last, {Kind.UNKNOWN_DATA}, "field of the header that nobody reads")


def _profile(blanks: Blanks, kept: list[tuple[int, int]]) -> int:
    """Keep an embedded profile without its texts; a linked one is a path on somebody's disk."""
    data = blanks.data
    (size,) = struct.unpack_from("<I", data, FILE_HEADER)
    if size < _V5:
        return 0
    kind = data[FILE_HEADER + 56 : FILE_HEADER + 60]
    offset, length = struct.unpack_from("<II", data, FILE_HEADER + 112)
    start = FILE_HEADER + int(offset)
    end = start + int(length)
    if kind not in {_EMBEDDED, _LINKED} or not length or end > len(data):
        return 0
    kept.append((start, end))
    if kind == _EMBEDDED:
        blanks.scrub_profile(start, end)
    else:
        blanks.remove(start, end, {Kind.SOFTWARE}, "name of a colour profile")
    return end

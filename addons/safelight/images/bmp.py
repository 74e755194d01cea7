"""BMP: header, masks, palette, pixels and an embedded profile stay; everything else is blanked.

Microsoft's BITMAPFILEHEADER and the DIB headers up to BITMAPV5HEADER.
"""

from __future__ import annotations

import struct

from safelight.images.blanking import Blanks, Ranges
from safelight.images.model import Examination, Format, ImageError, Kind

FILE_HEADER = 14
_CORE, _V5 = 12, 124
_RGB, _RLE8, _RLE4, _BITFIELDS, _JPEG, _PNG, _ALPHABITFIELDS = 0, 1, 2, 3, 4, 5, 6
_EMBEDDED, _LINKED = b"DEBM", b"KNIL"  # "MBED" and "LINK", little-endian


def examine(data: bytes) -> Examination:
    """Examine a BMP. Raises ImageError when its parts do not fit in the file."""
    blanks = Blanks(data)
    (pixel_offset,) = struct.unpack_from("<I", data, 10)
    kept = [(0, 6), (10, FILE_HEADER)]
    header = dib(data, FILE_HEADER, len(data))
    if pixel_offset < header.colours_end:
        raise ImageError("This BMP has its picture inside its headers.")
    kept.append((FILE_HEADER, header.colours_end))
    end = pixel_offset + header.pixel_size
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
        self.image_size: int
        if self.size == _CORE:
            self.width, self.height, _, self.bits = struct.unpack_from("<HhHH", data, start + 4)
            self.compression, self.image_size, colours = _RGB, 0, 0
        elif self.size >= 40 and start + self.size <= limit:
            self.width, self.height, _, self.bits, self.compression, self.image_size = (
                struct.unpack_from("<iiHHII", data, start + 4)
            )
            (colours,) = struct.unpack_from("<I", data, start + 32)
        else:
            raise ImageError("This BMP has a header of a kind that is not known.")
        if self.compression in {_JPEG, _PNG} or self.width <= 0 or not self.height:
            raise ImageError("This BMP is of a kind that cannot be cleaned.")
        masks = {_BITFIELDS: 12, _ALPHABITFIELDS: 16}.get(self.compression, 0)
        if not colours and self.bits <= 8:
            colours = 1 << self.bits
        entry = 3 if self.size == _CORE else 4
        extra = masks if self.size == 40 else 0
        self.colours_end = start + self.size + extra + colours * entry
        self.stride = (self.width * self.bits + 31) // 32 * 4

    @property
    def pixel_size(self) -> int:
        """Bytes of pixel data."""
        if self.compression in {_RLE8, _RLE4}:
            return self.image_size
        return self.stride * abs(self.height)


def dib(data: bytes, start: int, limit: int) -> Dib:
    """Read a DIB header. Raises ImageError."""
    if start + _CORE > limit:
        raise ImageError("This BMP is cut off.")
    return Dib(data, start, limit)


def _row_padding(blanks: Blanks, header: Dib, pixel_offset: int) -> None:
    """Rows end on four bytes; what fills them up is nobody's."""
    used = (header.width * header.bits + 7) // 8
    if header.compression in {_RLE8, _RLE4} or used == header.stride:
        return
    end = pixel_offset + header.stride * abs(header.height)
    pixels = bytearray(blanks.data[pixel_offset:end])
    for column in range(used, header.stride):
        pixels[column :: header.stride] = bytes(abs(header.height))
    if pixels != blanks.data[pixel_offset:end]:
        blanks.find({Kind.UNKNOWN_DATA}, "padding of the rows", pixel_offset, end)
        blanks.put(pixel_offset, bytes(pixels))


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

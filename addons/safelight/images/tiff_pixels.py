"""Strips and tiles of a TIFF: how long they must be, and what those that are pictures of another
format carry (TIFF 6.0 sections 7, 15 and 22; DNG 1.7; libtiff's compression schemes).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from safelight.images import jp2, jpeg, jxl, packed_ends, png, webp
from safelight.images.model import ImageError, Kind, Length

if TYPE_CHECKING:
    from collections.abc import Callable

    from safelight.images.blanking import Blanks
    from safelight.images.model import Examination
    from safelight.images.tiff_walk import Walk

JPEG = 7
_NONE, _YCBCR, _SEPARATE = 1, 6, 2
_LZW, _PACKBITS, _ZSTANDARD = 5, 32773, 50000
_DEFLATED = frozenset({8, 32946})
_MOST_UNPACKED = 1 << 28
_JPEG_SCHEMES = frozenset({6, JPEG, 34892})
_EXAMINERS: dict[int, Callable[[bytes], Examination]] = {
    **dict.fromkeys(_JPEG_SCHEMES, jpeg.examine),
    **dict.fromkeys((33003, 33004, 33005, 34712), jp2.examine),
    **dict.fromkeys((50002, 52546), jxl.examine),
    34933: png.examine,
    50001: webp.examine,
}
_ADOBE_SIZE = 12
_ADOBE, _COMMENT, _SCAN, _END, _UNUSED = 0xEE, 0xFE, 0xDA, 0xD9, b"\xff\xef"


@dataclass(frozen=True, slots=True)
class Raster:
    """How a page's samples are laid out; `rows` and `columns` are those of a strip or a tile."""

    width: int
    height: int
    columns: int
    rows: int
    samples: int
    bits: int
    compression: int
    photometric: int
    planar: int
    tiled: bool

    def sizes(self, parts: int) -> list[int] | None:
        """How many bytes each part takes without packing; None where only the file can say.

        Parts that no pixel needs take none.
        """
        subsampled = self.photometric == _YCBCR and self.samples > 1
        known = self.columns and self.rows and self.bits and self.samples
        if subsampled or not known:
            return None
        separate = self.planar == _SEPARATE
        row = (self.columns * self.bits * (1 if separate else self.samples) + 7) // 8
        down = -(-self.height // self.rows)
        across = -(-self.width // self.columns) if self.tiled else 1
        plane = down * across
        needed = plane * (self.samples if separate else 1)
        sizes = [row * self.rows] * min(needed, parts)
        if not self.tiled:
            for last in range(plane - 1, len(sizes), plane):
                sizes[last] = row * (self.height - (down - 1) * self.rows)
        return sizes + [0] * (parts - len(sizes))

    @property
    def is_packed(self) -> bool:
        """Do its parts take fewer bytes than their pixels?"""
        return self.compression != _NONE


def clean_end(walk: Walk, start: int, end: int, compression: int, size: int | None) -> None:
    """Blank what stands behind the end of a packed part whose pixels take `size` bytes, where
    that end can be told. Raises ImageError."""
    data = walk.data
    behind = None
    if compression in _DEFLATED:
        walk.spend(end - start)
        behind = packed_ends.deflated(data, start, end, size or _MOST_UNPACKED)
    elif compression == _ZSTANDARD:
        behind = packed_ends.zstandard(data, start, end)
    elif compression == _PACKBITS and size and _may_walk(walk, end - start):
        behind = packed_ends.packbits(data, start, end, size)
    elif (
        compression == _LZW
        and not _ends_like_lzw(data, start, end)
        and _may_walk(walk, end - start)
    ):
        used = packed_ends.lzw(data[start:end], 8, size or _MOST_UNPACKED, big_endian=True)
        behind = None if used is None else start + used
    if behind is not None:
        walk.blanks.remove(behind, end, {Kind.UNKNOWN_DATA}, "behind the pixels of a page")


def _ends_like_lzw(data: bytes, start: int, end: int) -> bool:
    """Is its end plain, or is it LZW as it was before TIFF 6.0, which is left alone?"""
    is_old = data[start] == 0 and data[start + 1 : start + 2] != b"" and data[start + 1] & 1
    tail = data[max(start, end - 3) : end]
    return bool(is_old) or packed_ends.ends_like_lzw(tail, 8, big_endian=True)


def _may_walk(walk: Walk, size: int) -> bool:
    """Going code by code takes long, so only so many bytes of a file are looked at."""
    walk.walkable -= size
    return walk.walkable >= 0


def clean_stream(blanks: Blanks, start: int, end: int, compression: int) -> None:
    """Take what a strip or tile carries besides its pixels. Raises ImageError."""
    examine = _EXAMINERS.get(compression)
    stream = blanks.data[start:end]
    is_jpeg = compression in _JPEG_SCHEMES
    if examine is None or (is_jpeg and not stream.startswith(b"\xff\xd8")):
        return
    try:
        inner = examine(stream)
        edits = inner.edits(Length.SAME_LENGTH)
    except (ImageError, IndexError) as error:
        if not is_jpeg:
            raise ImageError("A part of this TIFF cannot be cleaned.") from error
        clean_tables(blanks, start, end)
        return
    for one in inner.findings:
        blanks.find({one.kind}, f"part of a page, {one.place}", start + one.start, start + one.end)
    for edit in edits:
        blanks.put(start + edit.start, edit.replacement)


def clean_tables(blanks: Blanks, start: int, end: int) -> None:
    """Blank what the segments before the pixels say: of JPEG tables, or of a stream that its
    neighbours complete. Raises ImageError."""
    data = blanks.data
    position = start + 2
    while position + 4 <= end:
        if data[position] != 0xFF:
            raise ImageError("This TIFF holds a damaged JPEG.")
        marker = data[position + 1]
        if marker == 0xFF:
            position += 1
            continue
        if marker == _END:
            break
        behind = position + 2 + int.from_bytes(data[position + 2 : position + 4])
        if behind > end or behind < position + 4:
            raise ImageError("This TIFF holds a damaged JPEG.")
        if marker == _SCAN:
            return
        if marker == _COMMENT or 0xE0 <= marker <= 0xEF:
            used = position + 4 + (_ADOBE_SIZE if marker == _ADOBE else 0)
            if blanks.blank(used, behind):
                kind = Kind.COMMENT if marker == _COMMENT else Kind.UNKNOWN_DATA
                blanks.find({kind}, "segment before the pixels of a page", position, behind)
                blanks.put(position, _UNUSED if marker == _COMMENT else b"")
        position = behind
    blanks.remove(min(position + 2, end), end, {Kind.UNKNOWN_DATA}, "behind the tables of a page")

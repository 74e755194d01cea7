"""Examine and clean a picture of any format."""

from __future__ import annotations

import struct
import zlib
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from safelight.images import (
    bmp,
    gif,
    heif,
    ico,
    jp2,
    jpeg_pair,
    jxl,
    movie_file,
    png,
    psd,
    svg,
    tiff,
    webp,
)
from safelight.images.model import Examination, Format, ImageError, Length, apply
from safelight.images.sniff import sniff

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_EXAMINERS: dict[Format, Callable[[bytes], Examination]] = {
    Format.JPEG: jpeg_pair.examine,
    Format.PNG: png.examine,
    Format.WEBP: webp.examine,
    Format.GIF: gif.examine,
    Format.HEIF: partial(heif.examine, known=Format.HEIF),
    Format.AVIF: partial(heif.examine, known=Format.AVIF),
    Format.TIFF: tiff.examine,
    Format.JXL: jxl.examine,
    Format.JP2: jp2.examine,
    Format.BMP: bmp.examine,
    Format.ICO: ico.examine,
    Format.PSD: psd.examine,
    Format.MP4: movie_file.examine,
    Format.SVG: lambda data: svg.examine(data, _strip_inside),
}


def examine(data: bytes) -> Examination:
    """What `data` is and carries. Raises ImageError when that cannot be told for certain."""
    known = sniff(data)
    if known is None:
        raise ImageError("This is not a picture of a kind that is known.")
    if known not in _EXAMINERS:
        # Their maker notes hold both the serial number and what colours are computed from.
        raise ImageError("Camera RAW pictures cannot be cleaned; save it as JPEG or DNG first.")
    with _damaged(known):
        return _EXAMINERS[known](data)


def strip(data: bytes, length: Length = Length.COMPACT) -> bytes:
    """`data` without anything private, read again before it is returned.

    The result is never longer than `data`, and exactly as long with `Length.SAME_LENGTH`. A
    clean picture comes back as it is. Raises ImageError.
    """
    examination = examine(data)
    with _damaged(examination.format):
        cleaned = apply(data, examination.edits(length))
    if len(cleaned) > len(data) or (length is Length.SAME_LENGTH and len(cleaned) != len(data)):
        raise ImageError("This picture cannot be cleaned without making it longer.")
    again = examine(cleaned)
    if again.findings or again.edits(length):
        raise ImageError("This picture could not be cleaned for certain.")
    return cleaned


def _strip_inside(data: bytes, length: Length) -> bytes:
    """Clean a picture inside another; only one that holds no further ones."""
    if sniff(data) is Format.SVG:
        raise ImageError("A drawing inside this drawing cannot be cleaned.")
    return strip(data, length)


@contextmanager
def _damaged(known: Format) -> Iterator[None]:
    """Whatever a reader of numbers and tables stumbles on is damage in the picture."""
    try:
        yield
    except (IndexError, ValueError, OverflowError, struct.error, zlib.error) as error:
        raise ImageError(f"This {known.upper()} is damaged.") from error

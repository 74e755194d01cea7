"""Examine and clean a picture of any format."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from safelight.images import (
    archive,
    bmp,
    gif,
    heif,
    ico,
    jp2,
    jpeg_pair,
    jxl,
    movie_file,
    pdf,
    png,
    psd,
    raw,
    svg,
    tiff,
    webp,
)
from safelight.images.damage import STUMBLES, damaged
from safelight.images.keeping import Keep, keeping
from safelight.images.model import (
    Examination,
    Format,
    ImageError,
    Length,
    UnalterableError,
    apply,
    moved,
)
from safelight.images.sniff import sniff

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# How deep pictures may stand in documents that stand in archives, and so on.
DEEPEST = 4
# These are told which coded pixels were walked before: ranges that are proven.
_PROVING: dict[Format, Callable[[bytes, Iterable[tuple[int, int]]], Examination]] = {
    Format.JPEG: jpeg_pair.examine,
    Format.PNG: png.examine,
}
_EXAMINERS: dict[Format, Callable[[bytes], Examination]] = {
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
}
# These hold whole files of other formats; the second argument examines one.
_HOLDERS: dict[Format, Callable[[bytes, Callable[[bytes], Examination]], Examination]] = {
    Format.SVG: svg.examine,
    Format.PDF: pdf.examine,
    Format.ZIP: archive.examine,
}


def examine(data: bytes, keep: frozenset[Keep] = frozenset()) -> Examination:
    """What `data` is and carries besides what it is to `keep`. Raises ImageError when that cannot
    be told for certain."""
    with keeping(keep):
        return _examine(data, DEEPEST)


def _examine(data: bytes, depth: int, proven: Iterable[tuple[int, int]] = ()) -> Examination:
    known = sniff(data)
    if known is None:
        raise ImageError("This is not a picture of a kind that is known.")
    if known is Format.RAW:
        raise ImageError(raw.REFUSED)
    if not depth:
        raise ImageError("Pictures stand too deep inside each other.")
    try:
        if (walked := _PROVING.get(known)) is not None:
            return walked(data, proven)
        if (held := _HOLDERS.get(known)) is not None:
            return held(data, lambda inside: _examine(inside, depth - 1))
        return _EXAMINERS[known](data)
    except STUMBLES as error:
        raise damaged(known) from error


def strip(
    data: bytes, length: Length = Length.COMPACT, keep: frozenset[Keep] = frozenset()
) -> bytes:
    """`data` without anything private, read again before it is returned.

    The result is exactly as long as `data` with `Length.SAME_LENGTH`, and otherwise never longer,
    save for documents: these are written anew. A clean picture comes back as it is. Raises
    ImageError, and its UnalterableError where only this length cannot be had. What `keep` names
    stays where it stands in an Exif block or a TIFF tag.
    """
    with keeping(keep):
        return clean(data, _examine(data, DEEPEST), length)


def clean(data: bytes, examination: Examination, length: Length) -> bytes:
    """As `strip`, of what was examined already."""
    try:
        edits = examination.edits(length)
        if not edits:
            return data
        cleaned = apply(data, edits)
    except STUMBLES as error:
        raise damaged(examination.format) from error
    longer = len(cleaned) > len(data) and not examination.format.is_document
    if longer or (length is Length.SAME_LENGTH and len(cleaned) != len(data)):
        raise UnalterableError(examination.format, length)
    proven = moved(examination.proven, edits)
    again = _examine(cleaned, DEEPEST, proven)
    if again.found or again.edits(length) or len(proven) != len(examination.proven):
        raise ImageError("This picture could not be cleaned for certain.")
    return cleaned

"""JPEG XL (ISO/IEC 18181-2): the codestream stays; metadata boxes, also compressed ones, go."""

from __future__ import annotations

from safelight.images import exif, xmp
from safelight.images.blanking import Blanks
from safelight.images.boxes import Box, boxes
from safelight.images.model import (
    Edit,
    Examination,
    Format,
    ImageError,
    Kind,
    Length,
    UnalterableError,
)

_SIGNATURE_BOX = b"JXL "
KEPT = frozenset({b"JXL ", b"ftyp", b"jxll", b"jxlc", b"jxlp", b"jxli", b"jhgm"})
# Not `free`: some readers then take the file for a movie.
FILLER = b"skip"
_KINDS = {
    b"jumb": {Kind.CONTENT_CREDENTIALS},
    b"jbrd": {Kind.UNKNOWN_DATA},
    b"brob": {Kind.UNKNOWN_DATA},
}


def examine(data: bytes) -> Examination:
    """Examine a JPEG XL. Raises ImageError when its boxes do not fit.

    A naked codestream has no place for metadata. Width and height are 0: only a decoder knows.
    """
    if data.startswith(b"\xff\x0a"):
        return Examination(Format.JXL, 0, 0, 1, (), _nothing)
    blanks = Blanks(data)
    found = list(boxes(data, 0, len(data)))
    if not any(box.type in {b"jxlc", b"jxlp"} for box in found):
        raise ImageError("This JPEG XL holds no picture.")
    carrier = next((box for box in found if box.type == b"Exif"), None)
    needed = _minimal_exif(data, carrier) if carrier else b""
    goes = [box for box in found if not _stays(data, box)]
    goes = [box for box in goes if box is not carrier or data[box.start : box.end] != needed]
    for box in goes:
        blanks.find(_kinds(data, box), _place(box), box.start, box.end)

    def plan(length: Length) -> tuple[Edit, ...]:
        edits: list[Edit] = []
        for box in goes:
            kept = needed if box is carrier else b""
            if length is Length.COMPACT:
                edits.append(Edit(box.start, box.end, kept))
            elif not kept:
                edits += skipped(data, box)
            else:
                edits.append(Edit(box.start, box.end, kept + _filler(box, len(kept))))
        return tuple(edits)

    return Examination(Format.JXL, 0, 0, 1, tuple(blanks.findings), plan)


def _minimal_exif(data: bytes, box: Box) -> bytes:
    """The codestream says how to turn the picture, but some viewers go by Exif: a box with that
    number alone, or b""."""
    prefix, block = _exif_block(data[box.payload : box.end])
    tiff = exif.minimal(exif.Rendering(exif.parse(block).rendering.orientation), 0, 0)
    size = 8 + len(prefix) + len(tiff)
    return size.to_bytes(4) + b"Exif" + prefix + tiff if tiff else b""


def _exif_block(payload: bytes) -> tuple[bytes, bytes]:
    """What stands before the TIFF structure, and that itself. Before it stands an offset, which
    some writers leave out."""
    if payload[:4] in (b"II*\0", b"MM\0*"):
        return b"", payload
    return bytes(4), payload[4 + int.from_bytes(payload[:4]) :]


def _filler(box: Box, used: int) -> bytes:
    spare = box.end - box.start - used
    if not spare:
        return b""
    if spare < 8:
        raise UnalterableError(Format.JXL, Length.SAME_LENGTH)
    return spare.to_bytes(4) + FILLER + bytes(spare - 8)


def skipped(data: bytes, box: Box) -> tuple[Edit, Edit]:
    """The edits that make a box one that readers skip: its type and its payload."""
    type_at = box.start + 4
    blank = bytes(box.end - box.payload)
    header = data[type_at + 4 : box.payload]
    return Edit(type_at, box.payload, FILLER + header), Edit(box.payload, box.end, blank)


def is_skipped(data: bytes, box: Box) -> bool:
    """Is this a box that `skipped` left?"""
    return box.type == FILLER and not data[box.payload : box.end].strip(b"\0")


def _nothing(_: Length) -> tuple[Edit, ...]:
    return ()


def _stays(data: bytes, box: Box) -> bool:
    return box.type in KEPT or is_skipped(data, box)


def _kinds(data: bytes, box: Box) -> set[Kind]:
    payload = data[box.payload : box.end]
    if box.type == b"Exif":
        return exif.parse(_exif_block(payload)[1]).kinds or {Kind.UNKNOWN_DATA}
    if box.type == b"xml ":
        return xmp.kinds(payload)
    return _KINDS.get(box.type, {Kind.UNKNOWN_DATA})


def _place(box: Box) -> str:
    known = box.type in {b"Exif", b"xml ", *_KINDS}
    return f"{box.type.decode().strip()} box" if known else "box of an unknown kind"

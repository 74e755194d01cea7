"""JPEG 2000 (ISO/IEC 15444-1): header and codestream stay, other boxes and comments go."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from safelight.images import jxl, xmp
from safelight.images.blanking import Blanks
from safelight.images.boxes import boxes
from safelight.images.model import Edit, Examination, Format, ImageError, Kind, Length

if TYPE_CHECKING:
    from safelight.images.boxes import Box

_KEPT = frozenset(
    {
        b"jP  ",
        b"ftyp",
        b"jp2h",
        b"jp2c",
        b"rreq",
        b"jpch",
        b"jplh",
        b"comp",
        b"ftbl",
        b"flst",
        b"copt",
        b"inst",
        b"drep",
        b"roid",
    }
)
_XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_GEOTIFF_UUID = bytes.fromhex("b14bf8bd083d4b43a5ae8cd7d5a6ce03")
_SOC, _SOT, _COM, _SIZ = 0xFF4F, 0xFF90, 0xFF64, 0xFF51


def examine(data: bytes) -> Examination:
    """Examine a JP2 file or a naked codestream. Raises ImageError when its parts do not fit."""
    blanks = Blanks(data)
    if data.startswith(b"\xff\x4f"):
        size = _codestream(blanks, 0, len(data))
        return Examination(Format.JP2, *size, 1, tuple(blanks.findings), blanks.edits)
    goes: list[Box] = []
    size = (0, 0)
    for box in boxes(data, 0, len(data)):
        if box.type == b"jp2c":
            size = _codestream(blanks, box.payload, box.end)
        elif box.type == b"jp2h":
            _header(blanks, box)
        elif box.type not in _KEPT and not jxl.is_skipped(data, box):
            goes.append(box)
            blanks.find(_kinds(data, box), _place(box), box.start, box.end)
    if size == (0, 0):
        raise ImageError("This JPEG 2000 holds no picture.")

    def plan(length: Length) -> tuple[Edit, ...]:
        edits = list(blanks.edits(length))
        for box in goes:
            whole = (Edit(box.start, box.end),)
            edits += whole if length is Length.COMPACT else jxl.skipped(data, box)
        return tuple(sorted(edits, key=lambda edit: edit.start))

    return Examination(Format.JP2, *size, 1, tuple(blanks.findings), plan)


def _codestream(blanks: Blanks, start: int, end: int) -> tuple[int, int]:
    """Blank the comments of the main header (A.9.2); width and height come back (A.5.1)."""
    data = blanks.data
    position = start + 2
    size = (0, 0)
    while position + 4 <= end:
        marker, length = struct.unpack_from(">HH", data, position)
        if marker == _SOT:
            return size
        if length < 2 or position + 2 + length > end or marker < 0xFF00:
            break
        if marker == _SIZ:
            right, bottom, left, top = struct.unpack_from(">IIII", data, position + 6)
            size = (right - left, bottom - top)
        elif marker == _COM:
            text = position + 6
            if blanks.blank(text, position + 2 + length, b" "):
                blanks.find(
                    {Kind.COMMENT}, "comment in the codestream", position, position + 2 + length
                )
        position += 2 + length
    raise ImageError("This JPEG 2000 is cut off or damaged.")


def _header(blanks: Blanks, header: Box) -> None:
    """Scrub a colour profile in the header's `colr` boxes."""
    for box in boxes(blanks.data, header.payload, header.end):
        if box.type != b"colr" or blanks.data[box.payload : box.payload + 1] not in (b"\2", b"\3"):
            continue
        blanks.scrub_profile(box.payload + 3, box.end)


def _kinds(data: bytes, box: Box) -> set[Kind]:
    payload = data[box.payload : box.end]
    if box.type == b"uuid" and payload.startswith(_XMP_UUID):
        return xmp.kinds(payload)
    if box.type == b"uuid" and payload.startswith(_GEOTIFF_UUID):
        return {Kind.LOCATION}
    if box.type == b"jumb":
        return {Kind.CONTENT_CREDENTIALS}
    return xmp.kinds(payload) if box.type == b"xml " else {Kind.UNKNOWN_DATA}


def _place(box: Box) -> str:
    known = box.type in {b"uuid", b"jumb", b"xml ", b"uinf", b"asoc"}
    return f"{box.type.decode().strip()} box" if known else "box of an unknown kind"

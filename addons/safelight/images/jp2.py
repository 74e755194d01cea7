"""JPEG 2000 (ISO/IEC 15444-1): header and codestream stay, other boxes and comments go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safelight.images import brands, jp2_codestream, jxl, xmp
from safelight.images.blanking import Blanks
from safelight.images.boxes import boxes
from safelight.images.model import Edit, Examination, Format, ImageError, Kind, Length

if TYPE_CHECKING:
    from safelight.images.boxes import Box

_KEPT = frozenset({b"jP  ", b"ftyp", b"jp2h", b"jp2c", b"jpch", b"jplh"})
_ONCE = frozenset({b"jP  ", b"ftyp", b"jp2h", b"jp2c"})
# What puts several codestreams together (15444-2 annex M).
_COMPOSING = frozenset({b"comp", b"ftbl", b"flst", b"copt", b"inst", b"drep"})
_HOLDERS = frozenset({b"jp2h", b"jpch", b"jplh", b"cgrp", b"res "})
_KEPT_INSIDE = _HOLDERS | {b"ihdr", b"bpcc", b"colr", b"pclr", b"cmap", b"cdef", b"resc", b"resd"}
_KEPT_INSIDE |= {b"opct", b"creg"}
_PAYLOADS = {b"ihdr": 14, b"resc": 10, b"resd": 10}
_ENUMERATED, _LONGEST_ENUMERATED = 1, 7 + 28
_DEEPEST = 4
_XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_GEOTIFF_UUID = bytes.fromhex("b14bf8bd083d4b43a5ae8cd7d5a6ce03")


def examine(data: bytes) -> Examination:
    """Examine a JP2 file or a naked codestream. Raises ImageError when its parts do not fit."""
    blanks = Blanks(data)
    if data.startswith(b"\xff\x4f"):
        size, end = jp2_codestream.examine(blanks, 0, len(data))
        blanks.remove_trailer(end)
        return Examination(Format.JP2, *size, 1, tuple(blanks.findings), blanks.edits)
    goes: list[Box] = []
    size = (0, 0)
    seen: set[bytes] = set()
    for box in boxes(data, 0, len(data)):
        if box.type in _COMPOSING or (box.type in _ONCE and box.type in seen):
            raise ImageError("This JPEG 2000 is put together of several pictures.")
        seen.add(box.type)
        if box.type == b"jp2c":
            size, end = jp2_codestream.examine(blanks, box.payload, box.end)
            blanks.remove(end, box.end, {Kind.UNKNOWN_DATA}, "after the end of the picture")
        elif box.type in _HOLDERS:
            scrub_header(blanks, box)
        elif box.type == b"ftyp":
            brands.scrub(blanks, box)
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


def scrub_header(blanks: Blanks, header: Box, depth: int = 0) -> None:
    """What decoding needs stays inside a header; a colour profile is scrubbed."""
    data = blanks.data
    if depth > _DEEPEST:
        raise ImageError("This JPEG 2000 is nested too deeply.")
    for box in boxes(data, header.payload, header.end):
        size = box.end - box.payload
        if box.type not in _KEPT_INSIDE or size != _PAYLOADS.get(box.type, size):
            if not jxl.is_skipped(data, box):
                blanks.find(_kinds(data, box), _place(box), box.start, box.end)
                for edit in jxl.skipped(data, box):
                    blanks.put(edit.start, edit.replacement)
        elif box.type in _HOLDERS:
            scrub_header(blanks, box, depth + 1)
        elif box.type == b"colr":
            _colour(blanks, box)


def _colour(blanks: Blanks, box: Box) -> None:
    if blanks.data[box.payload] != _ENUMERATED:
        blanks.scrub_profile(box.payload + 3, box.end)
    elif box.end - box.payload > _LONGEST_ENUMERATED:
        raise ImageError("This JPEG 2000 has a damaged colour space.")


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

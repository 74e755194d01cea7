"""JPEG 2000 (ISO/IEC 15444-1): header and codestream stay, other boxes and comments go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safelight.images import brands, jp2_codestream, jxl, xmp
from safelight.images.blanking import Blanks
from safelight.images.boxes import boxes, boxes_of_file
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
# These may come more than once in a header: several ways to say which colours it has.
_SEVERAL = frozenset({b"colr", jxl.FILLER})
_ENUMERATED, _PROFILES, _BY_NUMBERS = 1, frozenset({2, 3}), 5
# Colour spaces that have numbers of their own (15444-2 M.11.7.3): CIELab and CIEJab.
_ENUMERATED_SIZE, _MORE_NUMBERS = 7, {14: 28, 19: 16}
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
    found, after = boxes_of_file(data, _KEPT)
    blanks.remove_trailer(after, jxl.FILLER)
    for box in found:
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
    seen: set[bytes] = set()
    for box in boxes(data, header.payload, header.end):
        size = box.end - box.payload
        again = box.type in seen and box.type not in _SEVERAL
        seen.add(box.type)
        if again or box.type not in _KEPT_INSIDE or size != _PAYLOADS.get(box.type, size):
            if not jxl.is_skipped(data, box):
                blanks.find(_kinds(data, box), _place(box), box.start, box.end)
                for edit in jxl.skipped(data, box):
                    blanks.put(edit.start, edit.replacement)
        elif box.type in _HOLDERS:
            scrub_header(blanks, box, depth + 1)
        elif box.type == b"colr" and data[box.payload] in _PROFILES:
            blanks.scrub_profile(box.payload + 3, box.end)
        else:
            end = min(box.payload + _needed(data, box), box.end)
            blanks.remove(end, box.end, {Kind.UNKNOWN_DATA}, "behind a box of the header")


def _needed(data: bytes, box: Box) -> int:
    """How many bytes of its payload a box in a header needs (15444-1 I.5.3, 15444-2 M.11.7)."""
    payload = data[box.payload : box.end]
    if box.type == b"colr":
        if payload[0] == _BY_NUMBERS:
            return 10
        more = _MORE_NUMBERS.get(int.from_bytes(payload[3:7]), 0)
        return _ENUMERATED_SIZE + more if payload[0] == _ENUMERATED else 3
    if box.type == b"pclr":
        depths = payload[3 : 3 + payload[2]]
        row = sum(((depth & 0x7F) + 8) // 8 for depth in depths)
        return 3 + len(depths) + int.from_bytes(payload[:2]) * row
    if box.type == b"cdef":
        return 2 + 6 * int.from_bytes(payload[:2])
    return len(payload)


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

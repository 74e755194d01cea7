"""Photoshop documents (Adobe's specification): image resources that only describe it go."""

from __future__ import annotations

import struct

from safelight.images import iptc, psd_layers, psd_pixels, xmp
from safelight.images.blanking import Blanks
from safelight.images.model import Edit, Examination, Format, ImageError, Kind, Length

_HEADER = 26
# Resolution, colour profile, halftone, transparency, grid, aspect ratio, display colours.
_KEPT = frozenset({1005, 1010, 1013, 1016, 1032, 1037, 1039, 1046, 1047, 1049, 1064, 1077})
# Bytes of those whose length is fixed, and of rows that others consist of, behind their heads.
_SIZES = {1005: 16, 1010: 10, 1013: 72, 1016: 112, 1037: 4, 1046: 2, 1047: 2, 1049: 4, 1064: 12}
_GUIDES, _GUIDE, _DISPLAY_COLOURS, _DISPLAY_COLOUR = (1032, 16), 5, (1077, 4), 13
_ICC = 1039
_INDEXED, _DUOTONE, _PALETTE = 2, 8, 768
MOST_RESOURCES = 10_000


def examine(data: bytes) -> Examination:
    """Examine a PSD or PSB. Raises ImageError when its sections do not fit."""
    height, width = struct.unpack_from(">II", data, 14)
    colours = _HEADER + 4 + _length(data, _HEADER, 4)
    start = colours + 4
    end = start + _length(data, colours, 4)
    wide = 8 if data[4:6] == b"\0\2" else 4
    layers_end = end + wide + _length(data, end, wide)
    if layers_end + 2 > len(data):
        raise ImageError("This Photoshop document is cut off.")
    blanks = Blanks(data)
    blanks.remove_trailer(_picture_end(data, layers_end))
    blanks.remove(6, 12, {Kind.UNKNOWN_DATA}, "header")
    _colour_table(blanks, _HEADER + 4, colours)
    psd_layers.scrub(blanks, end + wide, layers_end)
    removed: list[Edit] = []
    for number, begin, payload, stop, finish in _resources(data, start, end):
        blank = _blank_resource(finish - begin)
        if number not in _KEPT and data[begin:finish] != blank:
            kinds = _kinds(number, data[payload:stop])
            blanks.find(kinds, f"image resource {number}", begin, finish)
            removed.append(Edit(begin, finish, blank))
    for number, begin, payload, stop, finish in _resources(data, start, end):
        if number not in _KEPT:
            continue
        if number == _ICC:
            blanks.scrub_profile(payload, stop)
        used = min(payload + _used(data, number, payload, stop), stop)
        for first, last in ((begin + 7, payload - 4), (used, stop), (stop, finish)):
            place = f"image resource {number}"
            blanks.remove(first, last, {Kind.UNKNOWN_DATA}, place)

    def plan(length: Length) -> tuple[Edit, ...]:
        edits = list(blanks.edits(length))
        if length is Length.COMPACT and removed:
            size = end - start - sum(one.end - one.start for one in removed)
            edits.append(Edit(colours, start, struct.pack(">I", size)))
            edits += [Edit(one.start, one.end) for one in removed]
        else:
            edits += removed
        return tuple(sorted(edits, key=lambda edit: edit.start))

    return Examination(Format.PSD, width, height, 1, tuple(blanks.findings), plan)


def _picture_end(data: bytes, start: int) -> int:
    """Behind the merged picture."""
    channels, height, width, depth = map(int, struct.unpack_from(">HIIH", data, 12))
    row, large = (width * depth + 7) // 8, data[4:6] == b"\0\2"
    end = psd_pixels.end(data, start, len(data), channels * height, row, large=large)
    if end is None:
        raise ImageError("This Photoshop document's picture is cut off or damaged.")
    return end


def _colour_table(blanks: Blanks, start: int, end: int) -> None:
    """Only indexed pictures have a palette here, and duotones what only Photoshop can read."""
    mode = int.from_bytes(blanks.data[24:26])
    if mode != _DUOTONE:
        used = start + (_PALETTE if mode == _INDEXED else 0)
        blanks.remove(min(used, end), end, {Kind.UNKNOWN_DATA}, "colour mode data")


def _length(data: bytes, position: int, size: int) -> int:
    if position + size > len(data):
        raise ImageError("This Photoshop document is cut off.")
    return int.from_bytes(data[position : position + size])


type _Resource = tuple[int, int, int, int, int]


def _resources(data: bytes, start: int, end: int) -> list[_Resource]:
    """Number, start, payload start, payload end and end of every image resource."""
    found: list[_Resource] = []
    position = start
    if end > len(data):
        raise ImageError("This Photoshop document is cut off.")
    while position < end:
        name_length = data[position + 6]
        payload = position + 6 + (name_length + 2) // 2 * 2 + 4
        size = _length(data, payload - 4, 4)
        stop = payload + (size + 1) // 2 * 2
        if data[position : position + 4] not in (b"8BIM", b"MeSa", b"AgHg", b"PHUT", b"DCSR"):
            raise ImageError("This Photoshop document is damaged.")
        if stop > end or len(found) > MOST_RESOURCES:
            raise ImageError("This Photoshop document is damaged.")
        number = int.from_bytes(data[position + 4 : position + 6])
        found.append((number, position, payload, payload + size, stop))
        position = stop
    return found


def _used(data: bytes, number: int, start: int, end: int) -> int:
    """How many bytes a resource of this number needs of those from `start` to `end`."""
    if number == _GUIDES[0]:
        return _GUIDES[1] + _GUIDE * int.from_bytes(data[start + 12 : start + 16])
    if number == _DISPLAY_COLOURS[0]:
        head, (channels,) = _DISPLAY_COLOURS[1], struct.unpack_from(">H", data, 12)
        rows = (end - start - head) // _DISPLAY_COLOUR
        return head + _DISPLAY_COLOUR * min(rows, int(channels))
    return _SIZES.get(number, end - start)


def _blank_resource(size: int) -> bytes:
    """A resource of a number that nobody uses, of zeros."""
    return b"8BIM" + struct.pack(">HHI", 0x1000, 0, size - 12) + bytes(size - 12)


def _kinds(number: int, value: bytes) -> set[Kind]:
    if number == 1060:
        return xmp.kinds(value)
    if number == 1028:
        return iptc.record_kinds(value)
    if number in {1033, 1036}:
        return {Kind.THUMBNAIL}
    if number in {1058, 1059}:
        return {Kind.DEVICE}
    return {Kind.UNKNOWN_DATA}

"""Boxes that tell decoders how a track or an item is coded: what they need stays, and what stands
behind that goes (ISO/IEC 14496-15, 14496-1, codec mappings registered at mp4ra.org).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from safelight.images import av1, descriptors, jp2, nal_units
from safelight.images.model import ImageError, Kind
from safelight.images.movie_boxes import name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from safelight.images.blanking import Blanks
    from safelight.images.boxes import Box

# Payloads in bytes of boxes that hold numbers alone.
_SIZES = {
    b"pasp": 8,
    b"clap": 32,
    b"btrt": 12,
    b"fiel": 2,
    b"gama": 4,
    b"mdcv": 24,
    b"clli": 4,
    b"SmDm": 28,
    b"CoLL": 8,
    b"cclv": 37,
    b"amve": 8,
    b"st3d": 5,
    b"prhd": 16,
    b"equi": 20,
    b"cbmp": 12,
    b"prji": 8,
    b"stri": 5,
    b"hero": 5,
    b"blin": 8,
    b"dadj": 8,
    b"hfov": 4,
    b"srat": 8,
    b"enda": 2,
    b"frma": 4,
    b"dac3": 3,
    b"ddts": 20,
    b"pcmC": 6,
    b"damr": 9,
    b"d263": 7,
    b"vpcC": 12,
    b"dvcC": 24,
    b"dvvC": 24,
    b"dvwC": 24,
    b"alac": 52,
    b"mp4a": 4,
    b"\0\0\0\0": 0,
}
_ALAC, _ALAC_LAYOUT = 28, b"chan"
_AVC_HIGH = frozenset({100, 110, 122, 144, 244})
_AVC_PARAMETERS = frozenset({7, 8, 13})
_HEVC_PARAMETERS = frozenset({32, 33, 34})
_ARRAYS = {b"hvcC": 22, b"lhvC": 5}
_AV1_FIXED = 4
# Colours by numbers, with their payloads in bytes, and colours by a profile.
COLOURS = {b"nclx": 11, b"nclc": 10}
PROFILES = frozenset({b"prof", b"rICC"})
_FLAC_STREAM_INFO, _FLAC_PADDING = 0, 1
_MESSAGE = "message to decoders"


def scrub(blanks: Blanks, box: Box) -> None:
    """Blank what a box that is known says besides how to decode. Raises ImageError."""
    if box.type in _SCRUBBED:
        _SCRUBBED[box.type](blanks, box)
        return
    size = _needed(blanks.data, box)
    end = box.end if size is None else min(box.payload + size, box.end)
    blanks.remove(end, box.end, {Kind.UNKNOWN_DATA}, f"behind the {name(box)} box")


def _needed(data: bytes, box: Box) -> int | None:
    """How many bytes of its payload a box needs; None for one that is needed whole."""
    payload = data[box.payload : box.end]
    if box.type == b"chan":
        return 16 + 20 * int.from_bytes(payload[12:16])
    if box.type == b"dOps":
        # Mapping family 0 has no table of channels (RFC 7845 section 5.1.1).
        return 11 if not payload[10:11].strip(b"\0") else 13 + payload[1]
    if box.type == b"SA3D":
        return 12 + 4 * int.from_bytes(payload[8:12])
    if box.type == b"dec3":
        return _enhanced_ac3(payload)
    if box.type == b"alac":
        return _SIZES[b"alac"] if payload[_ALAC + 4 : _ALAC + 8] == _ALAC_LAYOUT else _ALAC
    return _SIZES.get(box.type)


def _enhanced_ac3(payload: bytes) -> int:
    """ETSI TS 102 366 section F.6: substreams of 3 bytes, 4 where others depend on them; then, for
    objects in the sound, 2 more."""
    position = 2
    for _ in range((payload[1] & 7) + 1):
        position += 4 if payload[position + 2] >> 1 & 15 else 3
    return position + (2 if payload[position : position + 1] == b"\1" else 0)


def _avc(blanks: Blanks, box: Box) -> None:
    """14496-15 section 5.3.3.1: parameter sets of sequences and pictures, extensions."""
    data = blanks.data
    units, position = _units(data, box, box.payload + 6, data[box.payload + 5] & 31)
    more, position = _units(data, box, position + 1, data[position])
    units += more
    if data[box.payload + 1] in _AVC_HIGH and position + 4 <= box.end:
        more, position = _units(data, box, position + 4, data[position + 3])
        units += more
    _scrub_units(blanks, units, nal_units.AVC, _AVC_PARAMETERS)
    blanks.remove(position, box.end, {Kind.UNKNOWN_DATA}, "behind the avcC box")


def _units(data: bytes, box: Box, position: int, count: int) -> tuple[list[tuple[int, int]], int]:
    """The units of a list that begins at `position`, and where that ends."""
    units = []
    for _ in range(count):
        start = position + 2
        position = start + int.from_bytes(data[position:start])
        if position > box.end:
            raise ImageError("This file says wrongly how it is to be decoded.")
        units.append((start, position))
    return units, position


def _scrub_units(
    blanks: Blanks,
    units: Iterable[tuple[int, int]],
    codec: nal_units.Codec,
    kept: frozenset[int],
) -> None:
    data = blanks.data
    others = [
        (start, end) for start, end in units if end > start and codec.kind(data, start) not in kept
    ]
    if others:
        changes = ((start, nal_units.cleaned(data[start:end], codec)) for start, end in others)
        blanks.put_all(changes, {Kind.SOFTWARE}, _MESSAGE)


def _hevc(blanks: Blanks, box: Box) -> None:
    """14496-15 sections 8.3.3.1 and 9.6.3: arrays of units."""
    data = blanks.data
    units: list[tuple[int, int]] = []
    position = box.payload + _ARRAYS[box.type] + 1
    for _ in range(data[position - 1]):
        count = int.from_bytes(data[position + 1 : position + 3])
        more, position = _units(data, box, position + 3, count)
        units += more
    _scrub_units(blanks, units, nal_units.HEVC, _HEVC_PARAMETERS)
    blanks.remove(position, box.end, {Kind.UNKNOWN_DATA}, f"behind the {name(box)} box")


def _av1(blanks: Blanks, box: Box) -> None:
    data = blanks.data
    start = min(box.payload + _AV1_FIXED, box.end)
    end = av1.behind(data, start, box.end)
    blanks.put_all(av1.changes(data, start, end), {Kind.UNKNOWN_DATA}, _MESSAGE)
    if end < box.end:
        blanks.find({Kind.UNKNOWN_DATA}, "behind the av1C box", end, box.end)
        blanks.put(end, av1.padding(box.end - end))


def _colour(blanks: Blanks, box: Box) -> None:
    kind = blanks.data[box.payload : box.payload + 4]
    if kind in PROFILES:
        blanks.scrub_profile(box.payload + 4, box.end)
        return
    size = COLOURS.get(kind, 0)
    blanks.remove(
        min(box.payload + size, box.end), box.end, {Kind.UNKNOWN_DATA}, "behind the colr box"
    )


def _auxiliary(blanks: Blanks, box: Box) -> None:
    """What a picture that belongs to others is about (ISO/IEC 23008-12 section 7.5.3)."""
    end = blanks.data.find(b"\0", box.payload + 4, box.end)
    if end >= 0:
        blanks.remove(end, box.end, {Kind.UNKNOWN_DATA}, "behind the auxi box")


def _sphere(blanks: Blanks, box: Box) -> None:
    """Spherical Video V2: the program that made it is named beside how to show it."""
    blanks.remove(box.payload + 4, box.end, {Kind.SOFTWARE}, "svhd box")


def _flac(blanks: Blanks, box: Box) -> None:
    """Comments and covers among a FLAC stream's blocks (RFC 9639 section 8) become padding."""
    data = blanks.data
    position = box.payload + 4
    while position + 4 <= box.end:
        behind = position + 4 + int.from_bytes(data[position + 1 : position + 4])
        if behind > box.end:
            raise ImageError("This movie is damaged.")
        if data[position] & 0x7F != _FLAC_STREAM_INFO:
            blanks.remove(position + 4, behind, {Kind.AUTHOR}, "FLAC block")
            blanks.put(position, bytes([data[position] & 0x80 | _FLAC_PADDING]))
        position = behind


_SCRUBBED: dict[bytes, Callable[[Blanks, Box], None]] = {
    b"avcC": _avc,
    b"hvcC": _hevc,
    b"lhvC": _hevc,
    b"av1C": _av1,
    b"colr": _colour,
    b"svhd": _sphere,
    b"auxi": _auxiliary,
    b"dfLa": _flac,
    b"esds": descriptors.scrub,
    b"jp2h": jp2.scrub_header,
    b"j2kH": jp2.scrub_header,
}

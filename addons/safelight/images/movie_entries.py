"""Sample descriptions of a movie's tracks: what decoders need stays (ISO/IEC 14496-12 section
8.5.2, 14496-15, QuickTime File Format).
"""

from __future__ import annotations

import struct
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from safelight.images import coding, decoder_boxes
from safelight.images.boxes import Box, boxes
from safelight.images.model import ImageError, Kind
from safelight.images.movie_boxes import free
from safelight.images.movie_samples import Packing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safelight.images.blanking import Blanks

PICTURES = frozenset({b"vide", b"pict", b"auxv"})
_FIXED = {b"vide": 78, b"pict": 78, b"auxv": 78, b"clcp": 8}
_TELEPHONE = frozenset({b"alaw", b"ulaw"})
_SOUND_SIZES = {0: 28, 1: 44, 2: 64}
_VENDOR, _MAKER, _COMPRESSOR = (12, 16), (12, 24), (42, 74)
_KEPT = frozenset(
    b"avcC hvcC vvcC lhvC av1C vpcC esds dvcC dvvC dvwC colr pasp clap btrt fiel gama mdcv clli "
    b"SmDm CoLL cclv amve st3d sv3d vexu hfov wave chan chnl srat dac3 dec3 dac4 ddts dOps dfLa "
    b"alac pcmC SA3D mhaC damr d263 frma enda glbl jp2h eyes stri hero must cams cmfy bfil proj "
    b"auxi prhd equi cbmp mshp prji blin dadj svhd".split()
) | {b"\0\0\0\0", b"mp4a"}
_HOLDERS = frozenset({b"wave", b"sv3d", b"vexu", b"eyes", b"proj", b"cams", b"cmfy"})
_ENCRYPTED = frozenset({b"sinf", b"encv", b"enca", b"enct", b"encs"})
_DEEPEST = 6


@dataclass(frozen=True, slots=True)
class Description:
    """What the sample descriptions of a track say of how its samples are packed and coded."""

    packing: Packing
    coding: coding.Coding | None


def scrub(blanks: Blanks, stsd: Box, handler: bytes) -> Description:
    """Blank what sample descriptions say besides how to decode. Raises ImageError."""
    data = blanks.data
    packing = Packing()
    codings = []
    (count,) = struct.unpack_from(">I", data, stsd.payload + 4)
    for number, entry in enumerate(boxes(data, stsd.payload + 8, stsd.end)):
        if number >= count:
            free(blanks, entry, {Kind.UNKNOWN_DATA}, "behind the sample descriptions")
            continue
        if entry.type in _ENCRYPTED:
            raise ImageError("This movie is encrypted.")
        if handler == b"soun":
            packing, start = _sound(blanks, entry)
        else:
            start = entry.payload + _FIXED[handler]
        if start > entry.end:
            raise ImageError("This movie is damaged.")
        if handler == b"soun":
            _blank(blanks, entry, _VENDOR, "maker in a sample description")
        elif handler != b"clcp":
            _blank(blanks, entry, _MAKER, "maker in a sample description")
            _blank(blanks, entry, _COMPRESSOR, "name of a compressor")
        codings.append(coding.of(data, entry.type, _described(data, start, entry.end)))
        _children(blanks, start, entry.end)
    alike = codings and codings.count(codings[0]) == len(codings)
    return Description(packing, codings[0] if alike else None)


def _described(data: bytes, start: int, end: int) -> Iterator[Box]:
    """The boxes of a description, and those inside QuickTime's for sound."""
    with suppress(ImageError):
        for box in boxes(data, start, end):
            yield box
            if box.type == b"wave":
                yield from _described(data, box.payload, box.end)


def auxiliary_type(data: bytes, entry: Box) -> bytes:
    """What a picture that belongs to others is about, as its sample description says it; b"" for
    one that does not say."""
    for box in _described(data, entry.payload + _FIXED[b"vide"], entry.end):
        if box.type == b"auxi":
            return data[box.payload + 4 : box.end].partition(b"\0")[0]
    return b""


def _blank(blanks: Blanks, entry: Box, place: tuple[int, int], name: str) -> None:
    start, end = place
    blanks.remove(entry.payload + start, entry.payload + end, {Kind.SOFTWARE}, name)


def _sound(blanks: Blanks, entry: Box) -> tuple[Packing, int]:
    """How sound is packed, and where the boxes behind the fixed fields begin."""
    data = blanks.data
    version, channels, bits = struct.unpack_from(">8xH6xHH", data, entry.payload)
    if version not in _SOUND_SIZES:
        raise ImageError("This movie describes its sound in a way that is not known.")
    # What telephones make of 16 bits takes 8.
    packing = Packing(1, channels * (1 if entry.type in _TELEPHONE else (bits + 7) // 8))
    start = entry.payload + _SOUND_SIZES[version]
    if version == 1 and start <= entry.end:
        samples, _, size = struct.unpack_from(">III", data, entry.payload + 28)
        packing = Packing(samples, size) if samples else packing
        if not _are_boxes(data, start, entry.end):
            # ISO files say version 1 too, without the fields of QuickTime.
            start = entry.payload + _SOUND_SIZES[0]
    elif version == 2 and start <= entry.end:
        size, samples = struct.unpack_from(">II", data, entry.payload + 56)
        packing = Packing(max(samples, 1), size)
    return packing, start


def _are_boxes(data: bytes, start: int, end: int) -> bool:
    try:
        return all(box.type.isascii() for box in boxes(data, start, end))
    except ImageError:
        return False


def _children(blanks: Blanks, start: int, end: int, depth: int = 0) -> None:
    data = blanks.data
    if depth > _DEEPEST:
        raise ImageError("This movie is nested too deeply.")
    # QuickTime ends its lists with four zeros where others end them with nothing.
    if end - start == 4 and data[start:end] == bytes(4):
        return
    seen: set[tuple[bytes, bytes]] = set()
    terminated = end - start > 4 and not _are_boxes(data, start, end)
    for box in boxes(data, start, end - 4 if terminated else end):
        if box.type in _ENCRYPTED:
            raise ImageError("This movie is encrypted.")
        kind = data[box.payload : box.payload + 4] if box.type == b"colr" else b""
        if box.type not in _KEPT or (box.type, kind) in seen:
            free(blanks, box, {Kind.UNKNOWN_DATA}, "box in a sample description")
        elif box.type in _HOLDERS:
            _children(blanks, box.payload, box.end, depth + 1)
        else:
            decoder_boxes.scrub(blanks, box)
        seen.add((box.type, kind))
    if terminated:
        blanks.remove(end - 4, end, {Kind.UNKNOWN_DATA}, "end of a sample description")

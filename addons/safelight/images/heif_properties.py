"""Properties of HEIF items (ISO/IEC 23008-12 section 6.5): what decoding and showing need stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safelight.images import heif_items, hevc
from safelight.images.model import Kind
from safelight.images.movie_boxes import free, name

if TYPE_CHECKING:
    from safelight.images.blanking import Blanks
    from safelight.images.boxes import Box

# Payloads in bytes; None where they say how long they are, or differ.
_KEPT: dict[bytes, int | None] = {
    b"ispe": 12,
    b"pasp": 8,
    b"clap": 32,
    b"irot": 1,
    b"imir": 1,
    b"rloc": 12,
    b"lsel": 2,
    b"a1op": 1,
    b"clli": 4,
    b"mdcv": 24,
    b"cclv": None,
    b"amve": 8,
    b"ndwt": 8,
    b"reve": 13,
    b"pixi": None,
    b"colr": None,
    b"auxC": None,
    b"a1lx": None,
    b"iscl": 12,
    b"tols": 6,
    **dict.fromkeys([b"av1C", b"hvcC", b"lhvC", b"avcC", b"vvcC", b"evcC", b"jpgC", b"j2kH"]),
    **dict.fromkeys([b"uncC", b"cmpd", b"cpat", b"cmpC", b"icef", b"mskC", b"oinf", b"splz"]),
    b"free": 0,
    b"subs": None,
}
_COLOURS = {b"nclx": 11, b"nclc": 10}
_PROFILES = (b"prof", b"rICC")
_HEVC_AUXILIARY = b"urn:mpeg:hevc:2015:auxid:"
_LONGEST_DETAIL = 32
_ESSENTIAL = 0x80


def scrub(blanks: Blanks, found: heif_items.Items) -> None:
    """Blank what properties say besides how to show the items. Raises ImageError."""
    private = {index for index, box in enumerate(found.properties, 1) if not _stays(blanks, box)}
    for index, position in found.associations:
        if index in private:
            # An unknown property that is essential would make readers refuse the picture.
            blanks.put(position, bytes([blanks.data[position] & ~_ESSENTIAL]))


def _stays(blanks: Blanks, box: Box) -> bool:
    data = blanks.data
    kind = data[box.payload : box.payload + 4]
    known = box.type in _KEPT and (box.type != b"colr" or kind in _PROFILES or kind in _COLOURS)
    if not known:
        free(blanks, box, {Kind.COMMENT}, f"{name(box)} property")
        return False
    if box.type == b"colr" and kind in _PROFILES:
        blanks.scrub_profile(box.payload + 4, box.end)
    elif box.type == b"hvcC":
        hevc.scrub(blanks, box)
    end = box.payload + _needed(data, box, kind)
    blanks.remove(end, box.end, {Kind.UNKNOWN_DATA}, f"behind the {name(box)} property")
    return True


def _needed(data: bytes, box: Box, kind: bytes) -> int:
    """How many bytes of its payload a property needs, at most."""
    whole = box.end - box.payload
    if box.type == b"colr":
        return min(whole, _COLOURS.get(kind, whole))
    if box.type == b"pixi":
        return min(whole, 5 + data[box.payload + 4])
    if box.type == b"auxC":
        urn = data[box.payload + 4 : box.end].partition(b"\0")[0]
        # Only HEVC has something to add to what an auxiliary picture is.
        detail = _LONGEST_DETAIL if urn.startswith(_HEVC_AUXILIARY) else 0
        kept = 4 + len(urn) + 1 + detail if urn in heif_items.KEPT_AUXILIARIES else 4
        return min(whole, kept)
    size = _KEPT[box.type]
    return whole if size is None else min(whole, size)

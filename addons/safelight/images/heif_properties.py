"""Properties of HEIF items (ISO/IEC 23008-12 section 6.5): what decoding and showing need stays."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from safelight.images import decoder_boxes, heif_items, tiff_pixels
from safelight.images.model import ImageError, Kind
from safelight.images.movie_boxes import free, name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from safelight.images.blanking import Blanks
    from safelight.images.boxes import Box

# Payloads in bytes; None where they say how long they are, or differ.
_KEPT: dict[bytes, int | None] = {
    b"ispe": 12,
    b"irot": 1,
    b"imir": 1,
    b"rloc": 12,
    b"lsel": 2,
    b"a1op": 1,
    b"ndwt": 8,
    b"reve": 13,
    b"iscl": 12,
    b"tols": 6,
    b"cmpC": 9,
    b"mskC": 5,
    b"free": 0,
    **dict.fromkeys([b"pixi", b"auxC", b"a1lx", b"jpgC", b"cmpd", b"subs"]),
    **dict.fromkeys([b"uncC", b"cpat", b"icef", b"oinf", b"splz"]),
}
# What tracks say in the same boxes.
_DECODING = frozenset(b"pasp clap clli mdcv cclv amve av1C hvcC lhvC avcC vvcC evcC j2kH".split())
_COLOURS = {*decoder_boxes.COLOURS, *decoder_boxes.PROFILES}
_HEVC_AUXILIARY = b"urn:mpeg:hevc:2015:auxid:"
_LONGEST_DETAIL = 32
_ESSENTIAL = 0x80
_FREE = b"free"
_MOST_COMPONENTS = 1_000


def scrub(blanks: Blanks, found: heif_items.Items, kept: set[int]) -> None:
    """Blank what properties say besides how to show the items `kept`. Raises ImageError."""
    used = _properties(found.items[number] for number in kept)
    others = _properties(found.items.values())
    private = {
        index
        for index, box in enumerate(found.properties, 1)
        if not _stays(blanks, box, used=index in used, told=index in others)
    }
    if not private:
        return
    for start, width, indices in found.associations:
        for place, index in enumerate(indices):
            if index in private:
                # An unknown property that is essential would make readers refuse the picture.
                position = start + width * place
                blanks.put(position, bytes([blanks.data[position] & ~_ESSENTIAL]))


def _properties(items: Iterable[heif_items.Item]) -> set[int]:
    """The numbers of those that items have: many have the same."""
    return set(chain.from_iterable({tuple(item.properties) for item in items}))


def _stays(blanks: Blanks, box: Box, *, used: bool, told: bool) -> bool:
    """Blank what a property says besides how to show items. One that only belongs to items that go
    is `told` with them."""
    data = blanks.data
    colour = box.type == b"colr" and data[box.payload : box.payload + 4] in _COLOURS
    known = colour or box.type in _DECODING or box.type in _KEPT
    if not known or not (used or box.type == _FREE):
        findings = len(blanks.findings)
        free(blanks, box, {Kind.COMMENT if used else Kind.UNKNOWN_DATA}, f"{name(box)} property")
        if told and known:
            del blanks.findings[findings:]
        return False
    if box.type in _DECODING or colour:
        decoder_boxes.scrub(blanks, box)
        return True
    if box.type == b"jpgC":
        tiff_pixels.clean_tables(blanks, box.payload, box.end)
        return True
    end = box.payload + _needed(blanks, box)
    if end < box.end:
        blanks.remove(end, box.end, {Kind.UNKNOWN_DATA}, f"behind the {name(box)} property")
    return True


def _needed(blanks: Blanks, box: Box) -> int:
    """How many bytes of its payload a property needs, at most."""
    data = blanks.data
    whole = box.end - box.payload
    size = _KEPT[box.type]
    if size is not None:
        return min(whole, size)
    if box.type == b"pixi":
        return min(whole, _depths(blanks, box))
    if box.type == b"a1lx":
        return min(whole, 13 if data[box.payload] & 1 else 7)
    if box.type == b"uncC":
        # Components of 5 bytes each, then how they lie (23001-17 section 5.2); profiles have none.
        components = int.from_bytes(data[box.payload + 8 : box.payload + 12])
        return min(whole, 8 if data[box.payload] else 36 + 5 * components)
    if box.type == b"subs":
        return min(whole, _subsamples(data, box))
    if box.type == b"cmpd":
        return min(whole, _components(blanks, box))
    if box.type == b"auxC":
        urn = data[box.payload + 4 : box.end].partition(b"\0")[0]
        # Only HEVC has something to add to what an auxiliary picture is.
        detail = _LONGEST_DETAIL if urn.startswith(_HEVC_AUXILIARY) else 0
        kept = 4 + len(urn) + 1 + detail if urn in heif_items.KEPT_AUXILIARIES else 4
        return min(whole, kept)
    return whole


def _depths(blanks: Blanks, box: Box) -> int:
    """Bits of each channel; in longer ones also what each is, which may have a name."""
    data = blanks.data
    position = box.payload + 5 + data[box.payload + 4]
    if data[box.payload + 3] & 1:
        for _ in range(data[box.payload + 4]):
            flags = data[position]
            position += 2 if flags & 2 else 1
            if flags & 1:
                position = _blank_text(blanks, position, box.end)
    return position - box.payload


def _subsamples(data: bytes, box: Box) -> int:
    """Parts of an item (14496-12 section 8.7.7)."""
    size = 10 if data[box.payload] else 8
    position = box.payload + 8
    for _ in range(int.from_bytes(data[box.payload + 4 : position])):
        if position > box.end:
            break
        position += 6 + size * int.from_bytes(data[position + 4 : position + 6])
    return position - box.payload


def _components(blanks: Blanks, box: Box) -> int:
    """Components of uncompressed pictures (ISO/IEC 23001-17): those that nobody registered have a
    name."""
    data = blanks.data
    position = box.payload + 4
    for _ in range(min(int.from_bytes(data[box.payload : position]), _MOST_COMPONENTS)):
        own = data[position] & 0x80
        position += 2
        if own:
            position = _blank_text(blanks, position, box.end)
    return position - box.payload


def _blank_text(blanks: Blanks, start: int, end: int) -> int:
    """Put other letters in a text that ends with a zero; behind it comes back."""
    stop = blanks.data.find(b"\0", start, end)
    if stop < 0:
        raise ImageError("This picture is cut off or damaged.")
    if blanks.blank(start, stop, b"x"):
        blanks.find({Kind.UNKNOWN_DATA}, "name of a component", start, stop)
    return stop + 1

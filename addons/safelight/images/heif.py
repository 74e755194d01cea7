"""HEIF and AVIF (ISO/IEC 23008-12): metadata items, thumbnails and depth maps are blanked in place.

The table that says where everything stands is not touched, so every offset stays true.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from safelight.images import (
    brands,
    exif_kinds,
    heif_gainmap,
    heif_items,
    heif_pictures,
    heif_properties,
    heif_tables,
    movie,
    movie_shown,
    xmp,
)
from safelight.images.blank import is_blank
from safelight.images.blanking import Blanks, Ranges
from safelight.images.boxes import Box, boxes, boxes_of_file
from safelight.images.model import Examination, Format, ImageError, Kind
from safelight.images.movie_boxes import free, name

if TYPE_CHECKING:
    from collections.abc import Callable

    from safelight.images.heif_items import Item, Items

_KEPT_BOXES = frozenset({b"ftyp", b"meta", b"mdat", b"moov"})
_ONCE = frozenset({b"ftyp", b"meta", b"moov"})
# Groups of items that are shown in place of each other, or one to each eye.
_GROUPS = frozenset({b"altr", b"ster"})
_GROUP_HEADER = 12
# Nobody numbers items and tracks so high that letters would be such.
_HIGHEST_NUMBER = 65_535
_OWN_FILE = b"\0\0\0\x1cdref" + bytes(4) + b"\0\0\0\x01\0\0\0\x0curl \0\0\0\x01"
_MORE_FIELDS = frozenset({b"mime", b"uri "})
_FREE = b"free"
_LONGEST_LOOK = 1_000_000
_C2PA = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")


def examine(data: bytes, known: Format) -> Examination:
    """Examine a HEIF or AVIF. Raises ImageError when its parts do not fit."""
    blanks = Blanks(data)
    top, end = boxes_of_file(data, _KEPT_BOXES)
    blanks.remove_trailer(end, _FREE)
    meta = next((box for box in top if box.type == b"meta"), None)
    moov = next((box for box in top if box.type == b"moov"), None)
    if meta is None and moov is None:
        raise ImageError("This picture describes no picture.")
    size = (0, 0)
    places = movie.scrub_tracks(blanks, top, moov) if moov is not None else []
    inside = []
    if meta is not None:
        found = heif_tables.read(data, meta)
        size = _dimensions(data, found)
        kept = heif_items.needed(data, found)
        kept |= heif_gainmap.carriers(blanks, found, kept) or _orientation_carrier(blanks, found)
        if found.primary in found.items and found.primary not in kept:
            raise ImageError("The main picture of this file is of a kind that is not known.")
        _items(blanks, found, kept, places)
        _references(blanks, found, kept)
        heif_properties.scrub(blanks, found, kept)
        _meta_boxes(blanks, found)
        places += [extent for item in found.items.values() for extent in item.extents]
        inside = [found.idat] if found.idat else []
    shown = Ranges(places)
    if shown.touches(end, len(data)):
        raise ImageError("This picture is cut off.")
    media = movie_shown.media_of(blanks, top, _KEPT_BOXES | {b"moof"}, shown)
    movie_shown.blank_unshown(blanks, [*media, *inside], shown)
    seen: set[bytes] = set()
    passed = {box.start for box in media}
    for box in top:
        if box.start in passed:
            continue
        fragment = box.type == b"moof" and moov is not None
        stays = fragment or box.type in _KEPT_BOXES
        if not stays or (box.type in _ONCE and box.type in seen):
            free(blanks, box, _top_kinds(data, box), f"{name(box)} box")
        elif box.type == b"ftyp":
            brands.scrub(blanks, box)
        seen.add(box.type)
    return Examination(known, *size, 1, tuple(blanks.findings), blanks.edits)


def _top_kinds(data: bytes, box: Box) -> set[Kind]:
    if box.type == b"uuid" and data.startswith(_C2PA, box.payload):
        return {Kind.CONTENT_CREDENTIALS}
    if box.type == b"uuid":
        return xmp.kinds(data[box.payload : box.end])
    return {Kind.VOICE_OR_VIDEO if box.type == b"mpvd" else Kind.UNKNOWN_DATA}


def _dimensions(data: bytes, found: Items) -> tuple[int, int]:
    item = found.items.get(found.primary)
    for index in item.properties if item else ():
        box = found.properties[index - 1] if 0 < index <= len(found.properties) else None
        if box is not None and box.type == b"ispe":
            start = box.payload + 4
            return int.from_bytes(data[start : start + 4]), int.from_bytes(
                data[start + 4 : start + 8]
            )
    return 0, 0


def _orientation_carrier(blanks: Blanks, found: Items) -> set[int]:
    """Some decoders turn the picture by an XMP item when no Exif item is there: it then stays,
    with that number alone."""
    if any(item.type == b"Exif" for item in found.items.values()):
        return set()
    for number, item in found.items.items():
        if item.type != b"mime" or len(item.extents) != 1:
            continue
        [(start, end)] = item.extents
        packet = blanks.data[start:end]
        plain = heif_gainmap.plain_name(blanks, item)
        if plain is None:
            continue
        needed = xmp.minimal(xmp.orientation(packet)).ljust(end - start)
        if needed.strip() and len(needed) == end - start:
            if needed != packet:
                blanks.find(xmp.kinds(packet), "XMP item", start, end)
                blanks.put(start, needed)
            blanks.put(item.name, plain)
            return {number}
    return set()


def _items(blanks: Blanks, found: Items, kept: set[int], samples: list[tuple[int, int]]) -> None:
    extents = (extent for number in kept for extent in found.items[number].extents)
    shared = Ranges([*extents, *samples])
    codings: heif_pictures.Codings = {}
    for number, item in found.items.items():
        if number in kept:
            if item.type != b"mime":
                _blank_name(blanks, item)
                heif_pictures.scrub(blanks, found, item, codings)
            continue
        written = [part for one in item.extents for part in shared.gaps(*one)]
        stands = any(not is_blank(blanks.data, start, end) for start, end in written)
        if stands or not _is_hidden(blanks.data, item):
            tells, place = _described(blanks.data, found, item)
            blanks.find(tells, place, item.infe.start, item.infe.end)
        for start, end in written:
            blanks.blank(start, end)
        _hide(blanks, item)


def _is_hidden(data: bytes, item: Item) -> bool:
    return bool(data[item.infe.payload + 3] & 1) and item.type in {b"skip", *_MORE_FIELDS}


def _hide(blanks: Blanks, item: Item) -> None:
    """Set the hidden flag; a type that no reader knows, except where more fields depend on it."""
    flags = item.infe.payload + 3
    blanks.put(flags, bytes([blanks.data[flags] | 1]))
    if item.type not in _MORE_FIELDS:
        blanks.put(item.name - 4, b"skip")
    _blank_name(blanks, item)


def _blank_name(blanks: Blanks, item: Item) -> None:
    place = "name of an item"
    blanks.remove(item.name, item.infe.end, {Kind.UNKNOWN_DATA}, place)


def _described(
    data: bytes, found: Items, item: Item
) -> tuple[set[Kind] | Callable[[], set[Kind]], str]:
    if item.type == b"Exif":
        return partial(_exif_kinds, data, item), "Exif item"
    if item.type == b"mime":
        return (lambda: xmp.kinds(_content(data, item))), "XMP item"
    auxiliary = heif_items.auxiliary_type(found, item)
    if b"depth" in auxiliary or auxiliary.endswith(b"auxid:2") or b"matte" in auxiliary:
        return {Kind.DEPTH_MAP}, "auxiliary image"
    if item.type in heif_items.IMAGE_TYPES:
        return {Kind.THUMBNAIL}, "auxiliary image" if auxiliary else "thumbnail item"
    return {Kind.UNKNOWN_DATA}, "item of an unknown kind"


def _exif_kinds(data: bytes, item: Item) -> set[Kind]:
    content = _content(data, item)
    offset = int.from_bytes(content[:4])
    return exif_kinds.of_block(content[4 + offset :])


def _content(data: bytes, item: Item) -> bytes:
    return b"".join(data[start:end] for start, end in item.extents[:1])[:_LONGEST_LOOK]


def _references(blanks: Blanks, found: Items, kept: set[int]) -> None:
    """What said that something belongs to the picture must not, once that is gone."""
    for reference in found.references:
        if reference.source not in kept and reference.type != _FREE:
            blanks.put(reference.box.start + 4, _FREE)


def _meta_boxes(blanks: Blanks, found: Items) -> None:
    data = blanks.data
    for box in found.boxes:
        if box.type == b"hdlr":
            movie.blank_handler_name(blanks, box)
        elif box.type == b"grpl":
            _groups(blanks, box, found)
        elif box.type not in heif_tables.DESCRIBING and not _is_own_file(data, box):
            free(blanks, box, {Kind.UNKNOWN_DATA}, f"{name(box)} box in the description")
    for start, end in found.slack:
        blanks.remove(start, end, {Kind.UNKNOWN_DATA}, "between the parts of the description")


def _is_own_file(data: bytes, box: Box) -> bool:
    """Does it say that everything is in this file, and nothing else?"""
    return box.type == b"dinf" and data[box.payload : box.end] == _OWN_FILE


def _groups(blanks: Blanks, grpl: Box, found: Items) -> None:
    for box in boxes(blanks.data, grpl.payload, grpl.end):
        start = box.payload + _GROUP_HEADER
        count = int.from_bytes(blanks.data[start - 4 : start])
        members = [int.from_bytes(blanks.data[at : at + 4]) for at in range(start, box.end, 4)]
        known = all(one in found.items or one <= _HIGHEST_NUMBER for one in members)
        if box.type not in _GROUPS or box.end - start != 4 * count or not known:
            free(blanks, box, {Kind.UNKNOWN_DATA}, "group of items")

"""Apple's HDR gain maps in HEIF: how bright they make the picture is said by XMP that describes the
gain map, and by two numbers in the maker note; these numbers stay, and nothing beside them.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from safelight.images import exif_kinds, gainmap, heif_items, xmp

if TYPE_CHECKING:
    from safelight.images.blanking import Blanks
    from safelight.images.heif_items import Item, Items

XMP_ITEM = b"\0application/rdf+xml\0"


def carriers(blanks: Blanks, found: Items, kept: set[int]) -> set[int]:
    """The items with such numbers, once they hold nothing else."""
    if heif_items.APPLE_GAIN_MAP not in found.auxiliaries.values():
        return set()
    maps = {
        number
        for number in kept
        if heif_items.auxiliary_type(found, found.items[number]) == heif_items.APPLE_GAIN_MAP
    }
    described = {
        one.source: maps.intersection(one.targets)
        for one in found.references
        if one.type == b"cdsc"
    }
    carrying = set()
    for number in described:
        item = found.items.get(number)
        if item is None or len(item.extents) != 1:
            continue
        of_map = item.type == b"mime" and described[number] and _packet(blanks, item)
        if of_map or (item.type == b"Exif" and _note(blanks, item)):
            carrying.add(number)
    return carrying


def plain_name(blanks: Blanks, item: Item) -> bytes | None:
    """The name and the type of an XMP item with nothing private; None for one that is none."""
    written = blanks.data[item.name : item.infe.end]
    plain = XMP_ITEM.ljust(len(written), b"\0")
    return plain if XMP_ITEM in b"\0" + written and len(plain) == len(written) else None


def _packet(blanks: Blanks, item: Item) -> bool:
    [(start, end)] = item.extents
    packet = blanks.data[start:end]
    plain = plain_name(blanks, item)
    needed = gainmap.minimal_packet(packet).ljust(end - start)
    if plain is None or not gainmap.is_described(packet) or len(needed) != end - start:
        return False
    if needed != packet:
        blanks.find(xmp.kinds(packet), "XMP item", start, end)
        blanks.put(start, needed)
    blanks.put(item.name, plain)
    return True


def _note(blanks: Blanks, item: Item) -> bool:
    """Put a block with the numbers of the maker note alone in place of Exif."""
    [(start, end)] = item.extents
    content = blanks.data[start:end]
    tiff = content[4 + int.from_bytes(content[:4]) :]
    note = gainmap.headroom_note(tiff)
    needed = (bytes(4) + gainmap.with_note(b"", note)).ljust(end - start, b"\0")
    if not note or len(needed) != end - start:
        return False
    if needed != content:
        blanks.find(partial(exif_kinds.of_block, tiff), "Exif item", start, end)
        blanks.put(start, needed)
    return True

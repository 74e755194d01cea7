"""The tables in the `meta` box of a HEIF or AVIF file (ISO/IEC 14496-12 section 8.11): which items
there are, where they stand, what refers to what.
"""

from __future__ import annotations

import struct
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from safelight.images.boxes import boxes
from safelight.images.heif_items import Associations, Item, Items, Reference
from safelight.images.model import ImageError

if TYPE_CHECKING:
    from safelight.images.boxes import Box

# What a `meta` box says of its items, each of it once.
DESCRIBING = frozenset({b"hdlr", b"pitm", b"iinf", b"iloc", b"iprp", b"iref", b"idat"})
_LONGEST_URN = 200
# Number of an item, its protection, its type.
_SHORT_INFO, _LONG_INFO = struct.Struct(">HH4s"), struct.Struct(">IH4s")
_SIZES, _COUNT = struct.Struct(">BB"), struct.Struct(">I")
_CODES = {0: "0s", 1: "B", 2: "H", 4: "I", 8: "Q"}
MOST_ITEMS = 50_000
MOST_LINKS = 200_000
MOST_EXTENTS = 200_000


def read(data: bytes, meta: Box) -> Items:
    """Read the `meta` box. Raises ImageError when its parts do not fit."""
    found = Items()
    children: dict[bytes, Box] = {}
    for box in boxes(data, meta.payload + 4, meta.end):
        found.boxes.append(box)
        if box.type in DESCRIBING and children.setdefault(box.type, box) is not box:
            raise ImageError("This picture is described twice.")
    try:
        _read_tables(data, children, found)
    except struct.error as error:
        raise _cut_off() from error
    return found


def _cut_off() -> ImageError:
    return ImageError("This picture is cut off or damaged.")


def _read_tables(data: bytes, children: dict[bytes, Box], found: Items) -> None:
    """Raises ImageError, and struct.error where a table ends within its fields."""
    if b"pitm" in children:
        box = children[b"pitm"]
        version, start, table = _full(data, box)
        layout = _layout(2 if version == 0 else 4)
        (found.primary,) = layout.unpack_from(table)
        found.slack.append((start + layout.size, box.end))
    if b"iinf" in children:
        _read_infos(data, children[b"iinf"], found)
    if b"iloc" in children:
        found.idat = children.get(b"idat")
        _read_locations(data, children[b"iloc"], found)
    if b"iref" in children:
        _read_references(data, children[b"iref"], found)
    if b"iprp" in children:
        _read_properties(data, children[b"iprp"], found)


def _full(data: bytes, box: Box) -> tuple[int, int, bytes]:
    """The version of a box, where its fields start behind that and its flags, and the fields."""
    start = box.payload + 4
    if start > box.end:
        raise _cut_off()
    return data[box.payload], start, data[start : box.end]


def _read_infos(data: bytes, iinf: Box, found: Items) -> None:
    version, start, table = _full(data, iinf)
    count = _layout(2 if version == 0 else 4)
    count.unpack_from(table)
    items = found.items
    for box in boxes(data, start + count.size, iinf.end):
        if box.type != b"infe":
            found.slack.append((box.start + 4, box.end))
            continue
        entry_version, fields, entry = _full(data, box)
        if entry_version < 2 or len(items) > MOST_ITEMS:
            raise ImageError("This picture describes its parts in a way that is not known.")
        layout = _SHORT_INFO if entry_version == 2 else _LONG_INFO
        number, _, type_ = layout.unpack_from(entry)
        if number in items:
            raise ImageError("This picture is described twice.")
        items[number] = Item(number, type_, box, fields + layout.size)


def _read_locations(data: bytes, iloc: Box, found: Items) -> None:
    version, start, table = _full(data, iloc)
    sizes, more = _SIZES.unpack_from(table)
    offset_size, length_size = sizes >> 4, sizes & 15
    base_size, index_size = more >> 4, (more & 15) if version else 0
    if not {offset_size, length_size, base_size, index_size} <= {0, 4, 8}:
        raise ImageError("This picture is damaged.")
    id_size, method_size = (2 if version < 2 else 4), (2 if version else 0)
    row = _layout(id_size, method_size, 2, base_size, 2)
    extent = _layout(index_size, offset_size, length_size)
    # By method, where what items are stored in begins and ends.
    stored = {0: (0, len(data))}
    if found.idat is not None:
        stored[1] = (found.idat.payload, found.idat.end)
    extents_left, bytes_left = MOST_EXTENTS, 2 * len(data)
    (count,) = _layout(id_size).unpack_from(table, _SIZES.size)
    position = _SIZES.size + id_size
    for _ in range(count):
        number, method, reference, base, pieces = row.unpack_from(table, position)
        position += row.size
        if reference:
            raise ImageError("This picture takes its contents from another file.")
        extents_left -= pieces + 1
        if extents_left < 0:
            raise ImageError("This picture is in too many pieces.")
        extents = []
        for _ in range(pieces):
            extents.append(extent.unpack_from(table, position))
            position += extent.size
        item = found.items.get(number)
        if item is None:
            continue
        place = stored.get((method or 0) & 15)
        if place is None:
            raise ImageError("This picture stores its parts in a way that is not known.")
        shift, limit = place
        shift += base or 0
        item.extents = places = []
        for _, offset, length in extents:
            # A length of zero means all of it.
            begin = shift + (offset or 0)
            end = begin + length if length else limit
            if begin > limit or end > limit:
                raise ImageError("This picture is cut off.")
            places.append((begin, end))
            bytes_left -= end - begin
        if bytes_left < 0:
            raise ImageError("This picture refers to the same place too often.")
    found.slack.append((start + position, iloc.end))


@lru_cache(maxsize=256)
def _list(count: int, size: int) -> struct.Struct:
    """So many numbers of this size in bytes."""
    return struct.Struct(f">{count}{_CODES[size]}")


@cache
def _layout(*sizes: int) -> struct.Struct:
    """Numbers of these sizes in bytes; one of no size is read as b""."""
    return struct.Struct(">" + "".join(_CODES[size] for size in sizes))


def _read_references(data: bytes, iref: Box, found: Items) -> None:
    version, start, _ = _full(data, iref)
    width = 2 if version == 0 else 4
    head = _layout(width, 2)
    links_left = MOST_LINKS
    for box in boxes(data, start, iref.end):
        entry = data[box.payload : box.end]
        source, count = head.unpack_from(entry)
        links_left -= count + 1
        if links_left < 0:
            raise ImageError("This picture is in too many pieces.")
        targets = _list(count, width).unpack_from(entry, head.size)
        found.references.append(Reference(box.type, box, source, targets))
        found.slack.append((box.payload + head.size + width * count, box.end))
        if box.type == b"dimg":
            found.inputs[source] = found.inputs.get(source, 0) + count


def _read_properties(data: bytes, iprp: Box, found: Items) -> None:
    links_left = MOST_LINKS
    for box in boxes(data, iprp.payload, iprp.end):
        if box.type == b"ipco" and not found.properties:
            found.properties = list(boxes(data, box.payload, box.end))
        elif box.type == b"ipma":
            links_left = _read_associations(data, box, found, links_left)
        else:
            found.slack.append((box.start + 4, box.end))
    for index, box in enumerate(found.properties, 1):
        if box.type == b"auxC":
            start = box.payload + 4
            urn = data[start : min(box.end, start + _LONGEST_URN)].partition(b"\0")[0]
            found.auxiliaries[index] = urn


def _read_associations(data: bytes, ipma: Box, found: Items, links_left: int) -> int:
    """Which items have which properties; how many more there may be comes back."""
    version, start, table = _full(data, ipma)
    width = 2 if data[ipma.payload + 3] & 1 else 1
    head = _layout(2 if version == 0 else 4, 1)
    index_bits = 0x7FFF if width == 2 else 0x7F
    (rows,) = _COUNT.unpack_from(table)
    position = _COUNT.size
    for _ in range(rows):
        number, count = head.unpack_from(table, position)
        position += head.size
        written = _list(count, width).unpack_from(table, position)
        indices = [one & index_bits for one in written]
        links_left -= count
        if links_left < 0:
            raise ImageError("This picture is in too many pieces.")
        found.associations.append(Associations(start + position, width, indices))
        position += width * count
        if number in found.items:
            found.items[number].properties += indices
    found.slack.append((start + position, ipma.end))
    return links_left

"""The tables in the `meta` box of a HEIF or AVIF file (ISO/IEC 14496-12 section 8.11): which items
there are, where they stand, what refers to what.
"""

from __future__ import annotations

import struct
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

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
_SIZES = struct.Struct(">BB")
_CODES = {0: "0s", 1: "B", 2: "H", 4: "I", 8: "Q"}
MOST_ITEMS = 50_000
MOST_LINKS = 200_000
MOST_EXTENTS = 200_000


class Reader:
    """Reads the fields of a table in a range of the file."""

    def __init__(self, data: bytes, start: int, end: int) -> None:
        self.data = data
        self.position = start
        self.end = end

    def fields(self, layout: struct.Struct) -> tuple[Any, ...]:
        """The next fields. Raises ImageError past the end."""
        start = self.position
        self.position = start + layout.size
        if self.position > self.end:
            raise ImageError("This picture is cut off or damaged.")
        return layout.unpack_from(self.data, start)


def read(data: bytes, meta: Box) -> Items:
    """Read the `meta` box. Raises ImageError when its parts do not fit."""
    found = Items()
    children: dict[bytes, Box] = {}
    for box in boxes(data, meta.payload + 4, meta.end):
        found.boxes.append(box)
        if box.type in DESCRIBING and children.setdefault(box.type, box) is not box:
            raise ImageError("This picture is described twice.")
    if b"pitm" in children:
        version, reader = _full(data, children[b"pitm"])
        (found.primary,) = reader.fields(_layout(2 if version == 0 else 4))
        found.slack.append((reader.position, reader.end))
    if b"iinf" in children:
        _read_infos(data, children[b"iinf"], found)
    if b"iloc" in children:
        found.idat = children.get(b"idat")
        _read_locations(data, children[b"iloc"], found)
    if b"iref" in children:
        _read_references(data, children[b"iref"], found)
    if b"iprp" in children:
        _read_properties(data, children[b"iprp"], found)
    return found


def _full(data: bytes, box: Box) -> tuple[int, Reader]:
    """The version of a box, and what follows its flags."""
    reader = Reader(data, box.payload + 4, box.end)
    if reader.position > box.end:
        raise ImageError("This picture is cut off or damaged.")
    return data[box.payload], reader


def _read_infos(data: bytes, iinf: Box, found: Items) -> None:
    version, reader = _full(data, iinf)
    reader.fields(_layout(2 if version == 0 else 4))
    for box in boxes(data, reader.position, iinf.end):
        if box.type != b"infe":
            found.slack.append((box.start + 4, box.end))
            continue
        entry_version, entry = _full(data, box)
        if entry_version < 2 or len(found.items) > MOST_ITEMS:
            raise ImageError("This picture describes its parts in a way that is not known.")
        number, _, type_ = entry.fields(_SHORT_INFO if entry_version == 2 else _LONG_INFO)
        if number in found.items:
            raise ImageError("This picture is described twice.")
        found.items[number] = Item(number, type_, box, entry.position)


def _read_locations(data: bytes, iloc: Box, found: Items) -> None:
    version, reader = _full(data, iloc)
    sizes, more = reader.fields(_SIZES)
    offset_size, length_size = sizes >> 4, sizes & 15
    base_size, index_size = more >> 4, (more & 15) if version else 0
    if not {offset_size, length_size, base_size, index_size} <= {0, 4, 8}:
        raise ImageError("This picture is damaged.")
    id_size, method_size = (2 if version < 2 else 4), (2 if version else 0)
    row = _layout(id_size, method_size, 2, base_size, 2)
    extent = _layout(index_size, offset_size, length_size)
    extents_left, bytes_left = MOST_EXTENTS, 2 * len(data)
    (count,) = reader.fields(_layout(id_size))
    for _ in range(count):
        number, method, reference, base, pieces = reader.fields(row)
        if reference:
            raise ImageError("This picture takes its contents from another file.")
        extents_left -= pieces + 1
        if extents_left < 0:
            raise ImageError("This picture is in too many pieces.")
        extents = [reader.fields(extent) for _ in range(pieces)]
        item = found.items.get(number)
        if item is None:
            continue
        shift, limit = _stored(data, (method or 0) & 15, found.idat)
        shift += base or 0
        item.extents = []
        for _, offset, length in extents:
            # A length of zero means all of it.
            start = shift + (offset or 0)
            end = start + length if length else limit
            if start > limit or end > limit:
                raise ImageError("This picture is cut off.")
            item.extents.append((start, end))
            bytes_left -= end - start
        if bytes_left < 0:
            raise ImageError("This picture refers to the same place too often.")
    found.slack.append((reader.position, iloc.end))


@lru_cache(maxsize=256)
def _list(count: int, size: int) -> struct.Struct:
    """So many numbers of this size in bytes."""
    return struct.Struct(f">{count}{_CODES[size]}")


@cache
def _layout(*sizes: int) -> struct.Struct:
    """Numbers of these sizes in bytes; one of no size is read as b""."""
    return struct.Struct(">" + "".join(_CODES[size] for size in sizes))


def _stored(data: bytes, method: int, idat: Box | None) -> tuple[int, int]:
    """Where what items are stored in by this method begins and ends."""
    if method == 0:
        return 0, len(data)
    if method == 1 and idat is not None:
        return idat.payload, idat.end
    raise ImageError("This picture stores its parts in a way that is not known.")


def _read_references(data: bytes, iref: Box, found: Items) -> None:
    version, reader = _full(data, iref)
    width = 2 if version == 0 else 4
    head = _layout(width, 2)
    links_left = MOST_LINKS
    for box in boxes(data, reader.position, iref.end):
        entry = Reader(data, box.payload, box.end)
        source, count = entry.fields(head)
        links_left -= count + 1
        if links_left < 0:
            raise ImageError("This picture is in too many pieces.")
        targets = entry.fields(_list(count, width))
        found.references.append(Reference(box.type, box, source, targets))
        found.slack.append((entry.position, box.end))
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
    version, reader = _full(data, ipma)
    width = 2 if data[ipma.payload + 3] & 1 else 1
    head = _layout(2 if version == 0 else 4, 1)
    index_bits = 0x7FFF if width == 2 else 0x7F
    (rows,) = reader.fields(_layout(4))
    for _ in range(rows):
        number, count = reader.fields(head)
        start = reader.position
        indices = [one & index_bits for one in reader.fields(_list(count, width))]
        links_left -= count
        if links_left < 0:
            raise ImageError("This picture is in too many pieces.")
        found.associations.append(Associations(start, width, indices))
        if number in found.items:
            found.items[number].properties += indices
    found.slack.append((reader.position, ipma.end))
    return links_left

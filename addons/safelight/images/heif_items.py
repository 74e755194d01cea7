"""The items of a HEIF or AVIF file (ISO/IEC 23008-12 and 14496-12 section 8.11): what there is,
where it stands, what refers to what, and what is needed to show the picture.
"""

from __future__ import annotations

import struct
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from safelight.images.boxes import Box, boxes
from safelight.images.model import ImageError

if TYPE_CHECKING:
    from collections.abc import Iterator

IMAGE_TYPES = frozenset(
    b"hvc1 av01 grid iovl iden jpeg avc1 vvc1 evc1 j2k1 unci tmap mski lhv1 hvt1".split()
)
APPLE_GAIN_MAP = b"urn:com:apple:photo:2020:aux:hdrgainmap"
KEPT_AUXILIARIES = (
    b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha",
    b"urn:mpeg:hevc:2015:auxid:1",
    b"urn:mpeg:avc:2015:auxid:1",
    APPLE_GAIN_MAP,
)
# What a `meta` box says of its items (14496-12 section 8.11), each of it once.
DESCRIBING = frozenset({b"hdlr", b"pitm", b"iinf", b"iloc", b"iprp", b"iref", b"idat"})
_LONGEST_URN = 200
_MADE_OF, _BELONGS = frozenset({b"dimg", b"base", b"exbl", b"prem"}), frozenset({b"auxl", b"dimg"})
# Number of an item, its protection, its type.
_SHORT_INFO, _LONG_INFO = struct.Struct(">HH4s"), struct.Struct(">IH4s")
_CODES = {0: "0s", 1: "B", 2: "H", 4: "I", 8: "Q"}
MOST_ITEMS = 50_000
MOST_LINKS = 200_000
MOST_EXTENTS = 200_000


@dataclass(slots=True)
class Item:
    """An item: its type, where its `infe` box is, its extents in the file, its properties."""

    id: int
    type: bytes
    infe: Box
    name: int
    extents: list[tuple[int, int]] = field(default_factory=list)
    properties: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference box of `type` from one item to others."""

    type: bytes
    box: Box
    source: int
    targets: tuple[int, ...]


@dataclass(slots=True)
class Items:
    """Everything the `meta` box says. `properties` are boxes, numbered from 1 by their place."""

    primary: int = 0
    items: dict[int, Item] = field(default_factory=dict)
    references: list[Reference] = field(default_factory=list)
    # Of how many others an item is made.
    inputs: Counter[int] = field(default_factory=Counter)
    properties: list[Box] = field(default_factory=list)
    associations: list[tuple[int, int]] = field(default_factory=list)
    # Ranges of the boxes that describe which hold nothing.
    slack: list[tuple[int, int]] = field(default_factory=list)
    idat: Box | None = None


class Reader:
    """Reads big-endian numbers of given sizes from a range of the file."""

    def __init__(self, data: bytes, start: int, end: int) -> None:
        self.data = data
        self.position = start
        self.end = end

    def number(self, size: int) -> int:
        """The next `size` bytes. Raises ImageError past the end."""
        start = self.position
        end = self.position = start + size
        if end > self.end:
            raise ImageError("This picture is cut off or damaged.")
        return int.from_bytes(self.data[start:end])

    def fields(self, layout: struct.Struct) -> tuple[Any, ...]:
        """The next fields of a table. Raises ImageError past the end."""
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
        if box.type in DESCRIBING and children.setdefault(box.type, box) is not box:
            raise ImageError("This picture is described twice.")
    if b"pitm" in children:
        version, reader = _full(data, children[b"pitm"])
        found.primary = reader.number(2 if version == 0 else 4)
        found.slack.append((reader.position, reader.end))
    if b"iinf" in children:
        _read_infos(data, children[b"iinf"], found)
    if b"iloc" in children:
        found.idat = children.get(b"idat")
        _read_locations(data, children[b"iloc"], found.idat, found)
    if b"iref" in children:
        found.references = list(_references(data, children[b"iref"], found))
        for one in found.references:
            found.inputs[one.source] += len(one.targets) if one.type == b"dimg" else 0
    if b"iprp" in children:
        _read_properties(data, children[b"iprp"], found)
    return found


def needed(data: bytes, found: Items) -> set[int]:
    """The items that are shown, or that what is shown is made of."""
    kept = {number for number, item in found.items.items() if item.type in IMAGE_TYPES}
    owners: dict[int, set[int]] = defaultdict(set)
    for reference in found.references:
        if reference.type == b"dimg":
            for target in reference.targets:
                owners[target].add(reference.source)
        elif reference.type == b"auxl":
            owners[reference.source].update(reference.targets)
    auxiliaries = {one.source for one in found.references if one.type == b"auxl"}
    removed = {one.source for one in found.references if one.type == b"thmb"}
    removed |= {number for number in auxiliaries if not _is_kept_auxiliary(data, found, number)}
    removed |= _never_shown(data, found)
    return kept - _with_belongings(removed, owners, found.primary)


def _never_shown(data: bytes, found: Items) -> set[int]:
    """Hidden items that nothing is made of, and that belong to nothing."""
    needed = {target for one in found.references if one.type in _MADE_OF for target in one.targets}
    needed |= {one.source for one in found.references if one.type in _BELONGS}
    hidden = {number for number, item in found.items.items() if data[item.infe.payload + 3] & 1}
    return hidden - needed - {found.primary}


def _with_belongings(removed: set[int], owners: dict[int, set[int]], primary: int) -> set[int]:
    """What belongs to something that goes, goes with it: a thumbnail's alpha, a grid's tiles."""
    belongings: dict[int, list[int]] = defaultdict(list)
    for number, those in owners.items():
        for owner in those:
            belongings[owner].append(number)
    gone: set[int] = set()
    pending = [number for number in removed if number != primary]
    while pending:
        number = pending.pop()
        if number in gone:
            continue
        gone.add(number)
        for other in belongings[number]:
            owners[other].discard(number)
            if not owners[other] and other != primary:
                pending.append(other)
    return gone


def _is_kept_auxiliary(data: bytes, found: Items, number: int) -> bool:
    item = found.items.get(number)
    return item is not None and auxiliary_type(data, found, item) in KEPT_AUXILIARIES


def auxiliary_type(data: bytes, found: Items, item: Item) -> bytes:
    """The URN of an auxiliary image, or b""."""
    for index in item.properties:
        if 0 < index <= len(found.properties) and found.properties[index - 1].type == b"auxC":
            box = found.properties[index - 1]
            urn = data[box.payload + 4 : min(box.end, box.payload + 4 + _LONGEST_URN)]
            return urn.partition(b"\0")[0]
    return b""


def _full(data: bytes, box: Box) -> tuple[int, Reader]:
    reader = Reader(data, box.payload, box.end)
    version = reader.number(1)
    reader.number(3)
    return version, reader


def _read_infos(data: bytes, iinf: Box, found: Items) -> None:
    version, reader = _full(data, iinf)
    reader.number(2 if version == 0 else 4)
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


def _read_locations(data: bytes, iloc: Box, idat: Box | None, found: Items) -> None:
    version, reader = _full(data, iloc)
    sizes, more = reader.number(1), reader.number(1)
    offset_size, length_size = sizes >> 4, sizes & 15
    base_size, index_size = more >> 4, (more & 15) if version else 0
    if not {offset_size, length_size, base_size, index_size} <= {0, 4, 8}:
        raise ImageError("This picture is damaged.")
    id_size, method_size = (2 if version < 2 else 4), (2 if version else 0)
    item = _layout(id_size, method_size, 2, base_size, 2)
    extent = _layout(index_size, offset_size, length_size)
    extents_left, bytes_left = MOST_EXTENTS, 2 * len(data)
    for _ in range(reader.number(id_size)):
        number, method, reference, base, count = reader.fields(item)
        if reference:
            raise ImageError("This picture takes its contents from another file.")
        extents = []
        extents_left -= count + 1
        if extents_left < 0:
            raise ImageError("This picture is in too many pieces.")
        for _ in range(count):
            _, offset, length = reader.fields(extent)
            start = (base or 0) + (offset or 0)
            extents.append((start, start + (length or 0)))
        if number in found.items:
            placed = _in_file(data, extents, (method or 0) & 15, idat)
            found.items[number].extents = list(placed)
            bytes_left -= sum(end - start for start, end in found.items[number].extents)
            if bytes_left < 0:
                raise ImageError("This picture refers to the same place too often.")
    found.slack.append((reader.position, iloc.end))


def _layout(*sizes: int) -> struct.Struct:
    """Numbers of these sizes in bytes; one of no size is read as b""."""
    return struct.Struct(">" + "".join(_CODES[size] for size in sizes))


def _in_file(
    data: bytes, extents: list[tuple[int, int]], method: int, idat: Box | None
) -> Iterator[tuple[int, int]]:
    shift, limit = 0, len(data)
    if method == 1 and idat is not None:
        shift, limit = idat.payload, idat.end
    elif method != 0:
        raise ImageError("This picture stores its parts in a way that is not known.")
    for start, end in extents:
        # A length of zero means all of it.
        stop = limit if start == end else end + shift
        if start + shift > limit or stop > limit:
            raise ImageError("This picture is cut off.")
        yield start + shift, stop


def _references(data: bytes, iref: Box, found: Items) -> Iterator[Reference]:
    version, reader = _full(data, iref)
    width = 2 if version == 0 else 4
    links_left = MOST_LINKS
    for box in boxes(data, reader.position, iref.end):
        entry = Reader(data, box.payload, box.end)
        source = entry.number(width)
        count = entry.number(2)
        links_left -= count + 1
        if links_left < 0:
            raise ImageError("This picture is in too many pieces.")
        yield Reference(box.type, box, source, tuple(entry.number(width) for _ in range(count)))
        found.slack.append((entry.position, box.end))


def _read_properties(data: bytes, iprp: Box, found: Items) -> None:
    for box in boxes(data, iprp.payload, iprp.end):
        if box.type == b"ipco" and not found.properties:
            found.properties = list(boxes(data, box.payload, box.end))
        elif box.type == b"ipma":
            _read_associations(data, box, found)
        else:
            found.slack.append((box.start + 4, box.end))


def _read_associations(data: bytes, ipma: Box, found: Items) -> None:
    version, reader = _full(data, ipma)
    width = 2 if data[ipma.payload + 3] & 1 else 1
    head = _layout(2 if version == 0 else 4, 1)
    index_bits = 0x7FFF if width == 2 else 0x7F
    for _ in range(reader.number(4)):
        number, count = reader.fields(head)
        start = reader.position
        indices = [one & index_bits for one in reader.fields(_layout(*[width] * count))]
        found.associations += [
            (index, start + width * place) for place, index in enumerate(indices)
        ]
        if len(found.associations) > MOST_LINKS:
            raise ImageError("This picture is in too many pieces.")
        if number in found.items:
            found.items[number].properties += indices
    found.slack.append((reader.position, ipma.end))

"""The items of a HEIF or AVIF file (ISO/IEC 23008-12 and 14496-12 section 8.11): what there is, and
what is needed to show the picture.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safelight.images.boxes import Box

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
_MADE_OF, _BELONGS = frozenset({b"dimg", b"base", b"exbl", b"prem"}), frozenset({b"auxl", b"dimg"})


@dataclass(slots=True)
class Item:
    """An item: its type, where its `infe` box is, its extents in the file, its properties."""

    id: int
    type: bytes
    infe: Box
    name: int
    extents: Sequence[tuple[int, int]] = ()
    properties: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Reference:
    """A reference box of `type` from one item to others."""

    type: bytes
    box: Box
    source: int
    targets: tuple[int, ...]


class Associations(NamedTuple):
    """The numbers of the properties of an item: each in so many bytes, from `start` on."""

    start: int
    width: int
    indices: list[int]


@dataclass(slots=True)
class Items:
    """Everything the `meta` box says. `properties` are boxes, numbered from 1 by their place;
    `auxiliaries` are those that say what an auxiliary image is, by a URN."""

    primary: int = 0
    items: dict[int, Item] = field(default_factory=dict)
    references: list[Reference] = field(default_factory=list)
    # Of how many others an item is made.
    inputs: dict[int, int] = field(default_factory=dict)
    properties: list[Box] = field(default_factory=list)
    auxiliaries: dict[int, bytes] = field(default_factory=dict)
    associations: list[Associations] = field(default_factory=list)
    # Ranges of the boxes that describe which hold nothing.
    slack: list[tuple[int, int]] = field(default_factory=list)
    idat: Box | None = None
    boxes: list[Box] = field(default_factory=list)


def needed(data: bytes, found: Items) -> set[int]:
    """The items that are shown, or that what is shown is made of."""
    kept = {number for number, item in found.items.items() if item.type in IMAGE_TYPES}
    removed = _never_shown(data, found)
    owners: dict[int, set[int]] = defaultdict(set)
    for reference in found.references:
        if reference.type == b"dimg":
            for target in reference.targets:
                owners[target].add(reference.source)
        elif reference.type == b"auxl":
            owners[reference.source].update(reference.targets)
            if not _is_kept_auxiliary(found, reference.source):
                removed.add(reference.source)
        elif reference.type == b"thmb":
            removed.add(reference.source)
    return kept - _with_belongings(removed, owners, found.primary)


def _never_shown(data: bytes, found: Items) -> set[int]:
    """Hidden items that nothing is made of, and that belong to nothing."""
    hidden = {number for number, item in found.items.items() if data[item.infe.payload + 3] & 1}
    for one in found.references:
        if one.type in _MADE_OF:
            hidden.difference_update(one.targets)
        if one.type in _BELONGS:
            hidden.discard(one.source)
    return hidden - {found.primary}


def _with_belongings(removed: set[int], owners: dict[int, set[int]], primary: int) -> set[int]:
    """What belongs to something that goes, goes with it: a thumbnail's alpha, a grid's tiles."""
    if not removed:
        return removed
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


def _is_kept_auxiliary(found: Items, number: int) -> bool:
    item = found.items.get(number)
    return item is not None and auxiliary_type(found, item) in KEPT_AUXILIARIES


def auxiliary_type(found: Items, item: Item) -> bytes:
    """The URN of an auxiliary image, or b""."""
    known = found.auxiliaries
    return next((known[one] for one in item.properties if one in known), b"") if known else b""

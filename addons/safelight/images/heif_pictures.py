"""What items of pictures hold besides the picture: messages to decoders, metadata of a JPEG inside,
bytes behind the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from safelight.images import coding, gainmap, jp2, jpeg
from safelight.images.blanking import Blanks
from safelight.images.model import ImageError, Kind, Length, told

if TYPE_CHECKING:
    from collections.abc import Callable

    from safelight.images.heif_items import Item, Items
    from safelight.images.model import Examination

    # By the type of an item, and the numbers of its properties.
    type Codings = dict[tuple[bytes, tuple[int, ...]], coding.Coding | None]

# Whole files of another format.
_FILES: dict[bytes, Callable[[bytes], Examination]] = {
    b"jpeg": jpeg.examine,
    b"j2k1": jp2.examine,
}
_LARGE = 1


def scrub(blanks: Blanks, found: Items, item: Item, codings: Codings) -> None:
    """Blank what an item says besides its picture; `codings` are those of items that were looked at
    before. Raises ImageError."""
    if item.type in _DERIVED:
        _derived(blanks, item, found.inputs.get(item.id, 0))
    elif item.type in _FILES:
        _across(blanks, item, lambda inner: _file(inner, _FILES[item.type]))
    else:
        described = (item.type, tuple(item.properties))
        if described not in codings:
            codings[described] = _coding(blanks.data, found, item)
        how = codings[described]
        if how is not None and len(item.extents) == 1:
            [(start, end)] = item.extents
            _coded(blanks, start, end, how)
        elif how is not None:
            _across(blanks, item, lambda inner: _coded(inner, 0, len(inner.data), how))


def _coding(data: bytes, found: Items, item: Item) -> coding.Coding | None:
    told = range(1, len(found.properties) + 1)
    boxes = [found.properties[index - 1] for index in item.properties if index in told]
    return coding.of(data, item.type, boxes)


def _across(blanks: Blanks, item: Item, scrub: Callable[[Blanks], None]) -> None:
    """Scrub what an item's extents hold together, and carry the edits back to where they stand."""
    data = blanks.data
    extents = [extent for extent in item.extents if extent[1] > extent[0]]
    inner = Blanks(b"".join(data[start:end] for start, end in extents))
    scrub(inner)
    for one in told(inner.findings):
        blanks.find({one.kind}, f"{one.place} of an item", item.infe.start, item.infe.end)
    blanks.carry(inner, extents)


def _coded(blanks: Blanks, start: int, end: int, how: coding.Coding) -> None:
    how, after, needed = how.fitting(blanks.data, start, end)
    if after == start < end:
        raise ImageError("A part of this picture is not coded as it says.")
    if not needed:
        changes = how.changes(blanks.data, start, end)
        blanks.put_all(changes, {Kind.SOFTWARE}, "message to decoders")
    if after < end:
        rest = [(after, how.filler(end - after))]
        blanks.put_all(rest, {Kind.UNKNOWN_DATA}, "behind the picture")


def _file(inner: Blanks, examine: Callable[[bytes], Examination]) -> None:
    examination = examine(inner.data)
    inner.findings += examination.findings
    for edit in examination.edits(Length.SAME_LENGTH):
        inner.put(edit.start, edit.replacement)


def _derived(blanks: Blanks, item: Item, inputs: int) -> None:
    """Pictures made of others say how in a few bytes (ISO/IEC 23008-12 section 6.6)."""
    parts = (blanks.data[start : min(end, start + _LONGEST_HEAD)] for start, end in item.extents)
    head = b"".join(parts)
    left = _DERIVED[item.type](head, inputs)
    for start, end in item.extents:
        used = min(left, end - start)
        blanks.remove(start + used, end, {Kind.UNKNOWN_DATA}, "behind the data of an item")
        left -= used


def _nothing(_: bytes, __: int) -> int:
    return 0


def _grid(head: bytes, _: int) -> int:
    return 12 if head[1] & _LARGE else 8


def _overlay(head: bytes, inputs: int) -> int:
    return 10 + (2 + 2 * inputs) * (4 if head[1] & _LARGE else 2)


def _gain_map(head: bytes, _: int) -> int:
    """A version, which later ones change together with what follows."""
    return _LONGEST_GAIN_MAP if head[0] else 1 + gainmap.iso_size(head[1:])


_LONGEST_HEAD, _LONGEST_GAIN_MAP = 16, 300
_DERIVED: dict[bytes, Callable[[bytes, int], int]] = {
    b"iden": _nothing,
    b"grid": _grid,
    b"iovl": _overlay,
    b"tmap": _gain_map,
}

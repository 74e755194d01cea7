"""TIFF, BigTIFF and DNG (TIFF 6.0, BigTIFF design, DNG 1.7): what no kept tag refers to is blanked.

Everything in a TIFF is found by its offset, so nothing moves: entry tables are packed inside
their own space, and every byte that nothing kept refers to becomes zero.
"""

from __future__ import annotations

import struct
from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from safelight.images import exif, iptc, jpeg, xmp
from safelight.images import tiff_tables as tags
from safelight.images.blanking import Blanks, Ranges
from safelight.images.model import Examination, Finding, Format, ImageError, Kind, Length
from safelight.images.tiff_layout import INTEGERS, TYPE_SIZES, Entry, Layout, layout_of

MOST_DIRECTORIES = 1_000
MOST_ENTRIES = 20_000
_PAIRS = (
    (tags.STRIP_OFFSETS, tags.STRIP_COUNTS),
    (tags.TILE_OFFSETS, tags.TILE_COUNTS),
    (tags.JPEG_OFFSET, tags.JPEG_LENGTH),
)


@dataclass(frozen=True, slots=True)
class _Preview:
    """A smaller copy of another page; `next` is where the page behind it stands, or 0."""

    next: int


@dataclass(slots=True)
class _Walk:
    data: bytes
    layout: Layout
    blanks: Blanks
    kept: list[tuple[int, int]] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)
    entries: int = 0
    # Tags may all point to the same bytes; what is read in all stays in proportion to the file.
    readable: int = 0
    looked_at_exif: bool = False
    previews_go: bool = False
    size: tuple[int, int] = (0, 0)
    orientation: int = 1

    def spend(self, size: int) -> None:
        self.readable -= size
        if self.readable < 0:
            raise ImageError("This TIFF refers to the same place too often.")

    def integers(self, entry: Entry | None) -> list[int]:
        if entry is None or entry.type not in INTEGERS:
            return []
        self.spend(entry.end - entry.start)
        values = struct.unpack_from(
            f"{self.layout.order}{entry.count}{INTEGERS[entry.type]}", self.data, entry.start
        )
        return list(values)


def examine(data: bytes) -> Examination:
    """Examine a TIFF. Raises ImageError when an offset leads astray."""
    layout = layout_of(data)
    walk = _Walk(data, layout, Blanks(data))
    walk.readable = 8 * len(data) + 100_000
    header = 16 if layout.big else 8
    walk.kept.append((0, header))
    first = layout.number(data[header - layout.offset_size : header])
    pending = deque([first])
    while pending:
        offset = pending.popleft()
        if offset:
            pending += _directory(walk, offset)
    if walk.size == (0, 0):
        raise ImageError("This TIFF holds no picture.")
    end = max(stop for _, stop in walk.kept)
    for start, stop in Ranges(walk.kept).gaps(0, end):
        walk.blanks.remove(start, stop, {Kind.UNKNOWN_DATA}, "between the parts of the file")
    walk.blanks.remove_trailer(end)
    findings = _merged(walk)
    return Examination(Format.TIFF, *walk.size, walk.orientation, findings, walk.blanks.edits)


def _merged(walk: _Walk) -> tuple[Finding, ...]:
    """Values of removed tags leave gaps behind: those are the same finding, named better."""
    named = [one for one in walk.blanks.findings if one.place != "between the parts of the file"]
    return tuple(named or walk.blanks.findings)


def _directory(walk: _Walk, offset: int) -> list[int]:
    """Keep what is needed of the directory at `offset`; the offsets of further ones come back."""
    if offset in walk.seen:
        return []  # a loop; what is in it has been looked at
    if len(walk.seen) >= MOST_DIRECTORIES:
        raise ImageError("This TIFF has too many pages.")
    walk.seen.add(offset)
    layout, data = walk.layout, walk.data
    table = offset + layout.count_size
    count = layout.number(data[offset:table])
    table_end = table + count * layout.entry + layout.offset_size
    walk.entries += count
    if table_end > len(data) or offset < 8 or walk.entries > MOST_ENTRIES:
        raise ImageError("This TIFF is cut off or damaged.")
    entries = [_entry(walk, table + number * layout.entry) for number in range(count)]
    stays = [entry for entry in entries if entry.tag in tags.KEPT]
    by_tag = {entry.tag: entry for entry in stays}
    _keep_values(walk, stays)
    _keep_picture(walk, by_tag)
    for entry in entries:
        if entry.tag not in tags.KEPT:
            place = f"tag {entry.tag:#06x}"
            walk.blanks.find(_kinds(walk, entry), place, entry.position, entry.position + 1)
    following = layout.number(data[table_end - layout.offset_size : table_end])
    if len(walk.seen) == 1:
        walk.previews_go = not _is_reduced(walk, by_tag) and tags.DNG_VERSION not in by_tag
    while walk.previews_go and following and (behind := _behind_preview(walk, following)):
        walk.blanks.find({Kind.THUMBNAIL}, "page of a preview", following, following + 1)
        walk.seen.add(following)
        following = behind.next
    _pack(walk, offset, table_end, stays, following)
    if tags.ORIENTATION in by_tag and len(walk.seen) == 1:
        [value] = walk.integers(by_tag[tags.ORIENTATION])[:1] or [1]
        walk.orientation = value if 2 <= value <= 8 else 1
    width, height = walk.integers(by_tag.get(tags.WIDTH)), walk.integers(by_tag.get(tags.HEIGHT))
    if width and height and walk.size == (0, 0):
        walk.size = (width[0], height[0])
    return [*walk.integers(by_tag.get(tags.SUB_IFDS)), following]


def _behind_preview(walk: _Walk, offset: int) -> _Preview | None:
    """What follows the page at `offset` if it is only a smaller copy of another; else None."""
    layout, data = walk.layout, walk.data
    table = offset + layout.count_size
    count = layout.number(data[offset:table])
    end = table + count * layout.entry
    walk.entries += count
    if offset in walk.seen or end + layout.offset_size > len(data) or walk.entries > MOST_ENTRIES:
        return None
    entries = (_entry(walk, table + number * layout.entry) for number in range(count))
    if not _is_reduced(walk, {entry.tag: entry for entry in entries}):
        return None
    return _Preview(layout.number(data[end : end + layout.offset_size]))


def _is_reduced(walk: _Walk, by_tag: dict[int, Entry]) -> bool:
    """NewSubfileType bit 0, or SubfileType 2 (TIFF 6.0, pages 36 and 40)."""
    new, old = (
        walk.integers(by_tag.get(tags.NEW_SUBFILE)),
        walk.integers(by_tag.get(tags.OLD_SUBFILE)),
    )
    return new[:1] == [1] or (not new and old[:1] == [2])


def _entry(walk: _Walk, position: int) -> Entry:
    layout, data = walk.layout, walk.data
    tag, type_ = struct.unpack_from(f"{layout.order}HH", data, position)
    value = position + layout.entry - layout.offset_size
    count = layout.number(data[position + 4 : value])
    size = TYPE_SIZES.get(type_, 1) * count
    start = (
        value
        if size <= layout.offset_size
        else layout.number(data[value : value + layout.offset_size])
    )
    if tag in tags.KEPT and start + size > len(data):
        raise ImageError("This TIFF is cut off or damaged.")
    return Entry(tag, type_, count, position, start, min(start + size, len(data)))


def _keep_values(walk: _Walk, stays: list[Entry]) -> None:
    for entry in stays:
        walk.kept.append((entry.start, entry.end))
        if entry.tag == tags.ICC_PROFILE:
            walk.spend(entry.end - entry.start)
            walk.blanks.scrub_profile(entry.start, entry.end)


def _keep_picture(walk: _Walk, by_tag: dict[int, Entry]) -> None:
    """Strips, tiles and JPEG streams stay; their places and sizes must be given."""
    for offsets_tag, counts_tag in _PAIRS:
        offsets = walk.integers(by_tag.get(offsets_tag))
        counts = walk.integers(by_tag.get(counts_tag))
        if not offsets:
            continue
        if len(offsets) != len(counts):
            raise ImageError("This TIFF does not say how long its parts are.")
        for start, size in zip(offsets, counts, strict=True):
            if start + size > len(walk.data):
                raise ImageError("This TIFF is cut off.")
            walk.spend(size)
            walk.kept.append((start, start + size))
            _clean_stream(walk, start, start + size)
    for table_tag, size in zip(tags.JPEG_TABLE_TAGS, (64, 16 + 12, 16 + 256), strict=True):
        for start in walk.integers(by_tag.get(table_tag)):
            walk.kept.append((start, min(start + size, len(walk.data))))


def _clean_stream(walk: _Walk, start: int, end: int) -> None:
    """A picture inside that is a whole JPEG can carry all that a JPEG can."""
    stream = walk.data[start:end]
    if not stream.startswith(b"\xff\xd8\xff"):
        return
    try:
        inner = jpeg.examine(stream)
        edits = inner.edits(Length.SAME_LENGTH)
    except ImageError:
        return  # tables alone, or a piece that its neighbours complete
    for one in inner.findings:
        walk.blanks.find(
            {one.kind}, f"JPEG inside, {one.place}", start + one.start, start + one.end
        )
    for edit in edits:
        walk.blanks.put(start + edit.start, edit.replacement)


def _pack(walk: _Walk, offset: int, table_end: int, stays: list[Entry], following: int) -> None:
    """Write the table anew in its own space: fewer entries, the link behind them, then zeros."""
    layout, data = walk.layout, walk.data
    order: Literal["little", "big"] = "little" if layout.order == "<" else "big"
    link = following.to_bytes(layout.offset_size, order)
    count = len(stays).to_bytes(layout.count_size, order)
    rows = [data[one.position : one.position + layout.entry] for one in stays]
    packed = count + b"".join(rows) + link
    walk.kept.append((offset, table_end))
    walk.blanks.put(offset, packed.ljust(table_end - offset, b"\0"))


def _kinds(walk: _Walk, entry: Entry) -> set[Kind]:
    value = walk.data[entry.start : min(entry.end, entry.start + 1_000_000)]
    walk.spend(len(value))
    if entry.tag in tags.LOCATION:
        return {Kind.LOCATION}
    if entry.tag == tags.XMP:
        return xmp.kinds(value)
    if entry.tag == tags.PHOTOSHOP:
        return iptc.kinds(value)
    if entry.tag == tags.IPTC:
        return iptc.record_kinds(value)
    if entry.tag == tags.EXIF_IFD and not walk.looked_at_exif:
        walk.looked_at_exif = True
        return exif.parse(_as_exif(walk)).kinds or {Kind.UNKNOWN_DATA}
    if entry.tag == tags.C2PA:
        return {Kind.CONTENT_CREDENTIALS}
    if entry.tag == tags.IMAGE_SOURCE_DATA:
        return {Kind.EDIT_HISTORY}
    return {exif.kind_of(entry.tag)}


def _as_exif(walk: _Walk) -> bytes:
    return b"" if walk.layout.big else walk.data

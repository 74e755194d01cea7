"""TIFF, BigTIFF and DNG (TIFF 6.0, BigTIFF design, DNG 1.7): what no kept tag refers to is blanked.

Everything in a TIFF is found by its offset, so nothing moves: entry tables are packed inside
their own space, and every byte that nothing kept refers to becomes zero.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal

from safelight.images import exif_kinds, iptc, tiff_pixels, xmp
from safelight.images import tiff_tables as tags
from safelight.images.blanking import Blanks, Ranges
from safelight.images.model import Examination, Finding, Format, Found, ImageError, Kind
from safelight.images.tiff_layout import Entry, layout_of
from safelight.images.tiff_walk import Walk

MOST_DIRECTORIES = 1_000
MOST_ENTRIES = 20_000
MOST_PARTS = 200_000
_PAIRS = (
    (tags.STRIP_OFFSETS, tags.STRIP_COUNTS),
    (tags.TILE_OFFSETS, tags.TILE_COUNTS),
    (tags.JPEG_OFFSET, tags.JPEG_LENGTH),
)


@dataclass(frozen=True, slots=True)
class _Preview:
    """A smaller copy of another page; `next` is where the page behind it stands, or 0."""

    next: int


def examine(data: bytes) -> Examination:
    """Examine a TIFF. Raises ImageError when an offset leads astray."""
    layout = layout_of(data)
    walk = Walk(data, layout, Blanks(data))
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


def value_at(data: bytes, position: int) -> bytes:
    """What the tag whose entry stands at `position` says. Raises ImageError where it is cut off."""
    entry = Walk(data, layout_of(data), Blanks(data)).entry(position)
    return data[entry.start : entry.end]


def _merged(walk: Walk) -> tuple[Finding | Found, ...]:
    """Values of removed tags leave gaps behind: those are the same finding, named better."""
    named = [one for one in walk.blanks.findings if one.place != "between the parts of the file"]
    return tuple(named or walk.blanks.findings)


def _directory(walk: Walk, offset: int) -> list[int]:
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
    entries = [walk.entry(table + number * layout.entry) for number in range(count)]
    stays = [entry for entry in entries if _is_kept(walk, entry)]
    by_tag = {entry.tag: entry for entry in stays}
    _keep_values(walk, stays)
    _keep_picture(walk, by_tag)
    kept_at = {entry.position for entry in stays}
    for entry in entries:
        if entry.position not in kept_at:
            place = f"{tags.name(entry.tag)} tag"
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


def _behind_preview(walk: Walk, offset: int) -> _Preview | None:
    """What follows the page at `offset` if it is only a smaller copy of another; else None."""
    layout, data = walk.layout, walk.data
    table = offset + layout.count_size
    count = layout.number(data[offset:table])
    end = table + count * layout.entry
    walk.entries += count
    if offset in walk.seen or end + layout.offset_size > len(data) or walk.entries > MOST_ENTRIES:
        return None
    entries = (walk.entry(table + number * layout.entry) for number in range(count))
    if not _is_reduced(walk, {entry.tag: entry for entry in entries}):
        return None
    return _Preview(layout.number(data[end : end + layout.offset_size]))


def _is_reduced(walk: Walk, by_tag: dict[int, Entry]) -> bool:
    """NewSubfileType bit 0, or SubfileType 2 (TIFF 6.0, pages 36 and 40)."""
    new, old = (
        walk.integers(by_tag.get(tags.NEW_SUBFILE)),
        walk.integers(by_tag.get(tags.OLD_SUBFILE)),
    )
    return new[:1] == [1] or (not new and old[:1] == [2])


def _is_kept(walk: Walk, entry: Entry) -> bool:
    return tags.is_kept(entry.tag, entry.type, entry.count) and (
        entry.tag not in tags.OPCODES or _are_opcodes(walk.data[entry.start : entry.end])
    )


def _are_opcodes(value: bytes) -> bool:
    """Do lists of corrections to raw values add up (DNG 1.7 chapter 7)?"""
    count, position = int.from_bytes(value[:4]), 4
    for _ in range(min(count, MOST_ENTRIES)):
        position += 16 + int.from_bytes(value[position + 12 : position + 16])
        if position > len(value):
            return False
    return position == len(value)


def _keep_values(walk: Walk, stays: list[Entry]) -> None:
    for entry in stays:
        walk.kept.append((entry.start, entry.end))
        if entry.tag in tags.ICC_PROFILES:
            walk.spend(entry.end - entry.start)
            walk.blanks.scrub_profile(entry.start, entry.end)
        elif entry.tag == tags.JPEG_TABLES:
            walk.spend(entry.end - entry.start)
            tiff_pixels.clean_tables(walk.blanks, entry.start, entry.end)


def _keep_picture(walk: Walk, by_tag: dict[int, Entry]) -> None:
    """Strips, tiles and JPEG streams stay; their places and sizes must be given."""
    for offsets_tag, counts_tag in _PAIRS:
        offsets = walk.integers(by_tag.get(offsets_tag))
        counts = walk.integers(by_tag.get(counts_tag))
        if not offsets:
            continue
        walk.parts += len(offsets)
        if walk.parts > MOST_PARTS:
            raise ImageError("This TIFF is in too many pieces.")
        raster = _raster(walk, by_tag, tiled=offsets_tag == tags.TILE_OFFSETS)
        sizes = raster.sizes(len(offsets)) if offsets_tag != tags.JPEG_OFFSET else None
        # Old writers say nothing, or zero, about parts whose length anyone can work out.
        counts = [0] * len(offsets) if sizes and not counts else counts
        if len(offsets) != len(counts):
            raise ImageError("This TIFF does not say how long its parts are.")
        for start, said, size in zip(offsets, counts, sizes or counts, strict=True):
            if start + said > len(walk.data) or (not size and not sizes):
                raise ImageError("This TIFF is cut off.")
            end = min(start + size, len(walk.data))
            walk.spend(size)
            walk.kept.append((start, end))
            tiff_pixels.clean_stream(walk.blanks, start, end, raster.compression)
    for table_tag, size in zip(tags.JPEG_TABLE_TAGS, (64, 16 + 12, 16 + 256), strict=True):
        for start in walk.integers(by_tag.get(table_tag)):
            walk.kept.append((start, min(start + size, len(walk.data))))


def _raster(walk: Walk, by_tag: dict[int, Entry], *, tiled: bool) -> tiff_pixels.Raster:
    def number(tag: int, default: int) -> int:
        return next(iter(walk.integers(by_tag.get(tag))), default)

    width, height = number(tags.WIDTH, 0), number(tags.HEIGHT, 0)
    depths = set(walk.integers(by_tag.get(tags.BITS)))
    return tiff_pixels.Raster(
        width,
        height,
        columns=number(tags.TILE_WIDTH, 0) if tiled else width,
        rows=number(tags.TILE_HEIGHT, 0) if tiled else min(number(tags.ROWS, height), height),
        samples=number(tags.SAMPLES, 1),
        bits=next(iter(depths or {1})) if len(depths) <= 1 else 0,
        compression=number(tags.COMPRESSION, 1),
        photometric=number(tags.PHOTOMETRIC, 0),
        planar=number(tags.PLANAR, 1),
        tiled=tiled,
    )


def _pack(walk: Walk, offset: int, table_end: int, stays: list[Entry], following: int) -> None:
    """Write the table anew in its own space: fewer entries, the link behind them, then zeros."""
    layout, data = walk.layout, walk.data
    order: Literal["little", "big"] = "little" if layout.order == "<" else "big"
    link = following.to_bytes(layout.offset_size, order)
    count = len(stays).to_bytes(layout.count_size, order)
    rows = [data[one.position : one.position + layout.entry] for one in stays]
    packed = count + b"".join(rows) + link
    walk.kept.append((offset, table_end))
    walk.blanks.put(offset, packed.ljust(table_end - offset, b"\0"))


def _kinds(walk: Walk, entry: Entry) -> set[Kind]:
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
        return exif_kinds.of_block(_as_exif(walk))
    if entry.tag == tags.C2PA:
        return {Kind.CONTENT_CREDENTIALS}
    if entry.tag == tags.IMAGE_SOURCE_DATA:
        return {Kind.EDIT_HISTORY}
    return {exif_kinds.of_tag(entry.tag)}


def _as_exif(walk: Walk) -> bytes:
    return b"" if walk.layout.big else walk.data

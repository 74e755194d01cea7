"""TIFF, BigTIFF and DNG (TIFF 6.0, BigTIFF design, DNG 1.7): what no kept tag refers to is blanked.

Everything in a TIFF is found by its offset, so nothing moves: entry tables are packed inside
their own space, and every byte that nothing kept refers to becomes zero.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from safelight.images import dng, exif_kinds, iptc, raw, tiff_pages, tiff_pixels, xmp
from safelight.images import tiff_tables as tags
from safelight.images.blanking import Blanks, Ranges
from safelight.images.model import Examination, Finding, Format, Found, ImageError, Kind
from safelight.images.tiff_layout import layout_of
from safelight.images.tiff_walk import Walk

if TYPE_CHECKING:
    from safelight.images.tiff_layout import Entry

MOST_DIRECTORIES = 20_000
MOST_PARTS = 200_000
_PAIRS = (
    (tags.STRIP_OFFSETS, tags.STRIP_COUNTS),
    (tags.TILE_OFFSETS, tags.TILE_COUNTS),
    (tags.JPEG_OFFSET, tags.JPEG_LENGTH),
)
_PALETTE = 3
_GAP = "between the parts of the file"


def examine(data: bytes) -> Examination:
    """Examine a TIFF. Raises ImageError when an offset leads astray."""
    layout = layout_of(data)
    walk = Walk(data, layout, Blanks(data))
    walk.readable = 8 * len(data) + 100_000
    # Directories may overlap; entries of all of them stay in proportion to the file, too.
    walk.entries_left = len(data) // 4 + 1_000
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
    # Readers want to find as much as the file says, even where they need less.
    reach = max(end, min(walk.reach, len(data)))
    for start, stop in Ranges(walk.kept).gaps(0, reach):
        walk.blanks.remove(start, stop, {Kind.UNKNOWN_DATA}, _GAP)
    walk.blanks.remove_trailer(reach)
    findings = _merged(walk)
    return Examination(Format.TIFF, *walk.size, walk.orientation, findings, walk.blanks.edits)


def value_at(data: bytes, position: int) -> bytes:
    """What the tag whose entry stands at `position` says. Raises ImageError where it is cut off."""
    entry = Walk(data, layout_of(data), Blanks(data)).entry(position)
    return data[entry.start : entry.end]


def _merged(walk: Walk) -> tuple[Finding | Found, ...]:
    """Values of removed tags leave gaps behind: those are the same finding, named better."""
    named = [one for one in walk.blanks.findings if one.place != _GAP]
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
    walk.entries_left -= count
    if table_end > len(data) or offset < 8 or walk.entries_left < 0:
        raise ImageError("This TIFF is cut off or damaged.")
    entries = [walk.entry(table + number * layout.entry) for number in range(count)]
    by_tag = _needed(walk, entries)
    is_first = len(walk.seen) == 1
    if is_first:
        walk.is_dng = tags.DNG_VERSION in by_tag
        walk.previews_go = not walk.is_dng and not tiff_pages.is_reduced(walk, by_tag)
    if not walk.is_dng:
        shows, scheme = (
            _number(walk, by_tag, tags.PHOTOMETRIC),
            _number(walk, by_tag, tags.COMPRESSION),
        )
        raw.refuse((entry.tag for entry in entries), shows, scheme)
    pages = walk.integers(by_tag.get(tags.SUB_IFDS))
    staying = tiff_pages.staying(walk, pages)
    if pages != staying:
        by_tag |= walk.shortened(by_tag.pop(tags.SUB_IFDS), staying)
    _keep_values(walk, list(by_tag.values()))
    _keep_picture(walk, by_tag)
    for entry in entries:
        if entry.tag not in by_tag and entry.tag != tags.SUB_IFDS:
            place = f"{tags.name(entry.tag)} tag"
            walk.blanks.find(_kinds(walk, entry), place, entry.position, entry.position + 1)
    following = layout.number(data[table_end - layout.offset_size : table_end])
    following = tiff_pages.next_staying(walk, following)
    _pack(walk, offset, table_end, list(by_tag.values()), following)
    if is_first:
        value = _number(walk, by_tag, tags.ORIENTATION)
        walk.orientation = value if 2 <= value <= 8 else 1
    width, height = (_number(walk, by_tag, tag) for tag in (tags.WIDTH, tags.HEIGHT))
    if width and height and walk.size == (0, 0):
        walk.size = (width, height)
    return [*staying, following]


def _needed(walk: Walk, entries: list[Entry]) -> dict[int, Entry]:
    """The entries that stay, by their tags. Raises ImageError where pixels cannot be found."""
    samples = next((one for one in entries if one.tag == tags.SAMPLES), None)
    [each] = walk.integers(samples)[:1] or [1]
    found: dict[int, Entry] = {}
    for entry in entries:
        if not tags.is_kept(entry.tag, entry.type, entry.count, each):
            if entry.tag in tags.ESSENTIAL:
                raise ImageError("This TIFF writes its numbers in a way that cannot be read.")
            continue
        if entry.tag in found and walk.value(found[entry.tag]) != walk.value(entry):
            raise ImageError("This TIFF says two things about one page.")
        found.setdefault(entry.tag, entry)
    shows = walk.integers(found.get(tags.PHOTOMETRIC))
    if shows != [_PALETTE] and tags.INDEXED not in found:
        found.pop(tags.COLOUR_MAP, None)
    for tag in tags.OPCODES & found.keys():
        if dng.corrections(walk.value(found[tag])) is None:
            del found[tag]
    return found


def _number(walk: Walk, by_tag: dict[int, Entry], tag: int, default: int = 0) -> int:
    return next(iter(walk.integers(by_tag.get(tag))), default)


def _keep_values(walk: Walk, stays: list[Entry]) -> None:
    for entry in stays:
        walk.kept.append((entry.start, entry.end))
        if entry.tag in tags.ICC_PROFILES:
            walk.spend(entry.end - entry.start)
            walk.blanks.scrub_profile(entry.start, entry.end)
        elif entry.tag == tags.JPEG_TABLES:
            walk.spend(entry.end - entry.start)
            tiff_pixels.clean_tables(walk.blanks, entry.start, entry.end)
        elif entry.tag in tags.OPCODES | tags.GAIN_MAPS:
            _scrub_values(walk, entry)


def _scrub_values(walk: Walk, entry: Entry) -> None:
    value = walk.value(entry)
    if entry.tag in tags.OPCODES:
        clean = dng.corrections(value) or value
    else:
        is_second = entry.tag != min(tags.GAIN_MAPS)
        clean = dng.gains(value, walk.layout.order, second=is_second)
    if clean != value:
        walk.blanks.find({Kind.UNKNOWN_DATA}, f"tag {entry.tag:#06x}", entry.start, entry.end)
        walk.blanks.put(entry.start, clean)


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
        if offsets_tag == tags.JPEG_OFFSET:
            _keep_jpeg(walk, by_tag, offsets, counts)
            continue
        raster = _raster(walk, by_tag, tiled=offsets_tag == tags.TILE_OFFSETS)
        sizes = raster.sizes(len(offsets))
        # Old writers say nothing, or zero, about parts whose length anyone can work out.
        if sizes and not counts and not raster.is_packed:
            counts = sizes
        if len(offsets) != len(counts):
            raise ImageError("This TIFF does not say how long its parts are.")
        for number, (start, said) in enumerate(zip(offsets, counts, strict=True)):
            _keep_part(walk, raster, start, said, sizes[number] if sizes else None)
    for table_tag, size in zip(tags.JPEG_TABLE_TAGS, (64, 16 + 12, 16 + 256), strict=True):
        for start in walk.integers(by_tag.get(table_tag)):
            walk.kept.append((start, min(start + size, len(walk.data))))


def _keep_part(
    walk: Walk, raster: tiff_pixels.Raster, start: int, said: int, size: int | None
) -> None:
    """Keep a strip or a tile, of `said` bytes by the file's word, whose pixels take `size`."""
    needed = said if raster.is_packed or size is None else size
    if raster.is_packed and not start and not said:
        return  # a part that was never written
    if start < 0 or said < 0 or start > len(walk.data) or (not needed and size is None):
        raise ImageError("This TIFF is cut off.")
    if raster.is_packed and (not said or start + said > len(walk.data)):
        raise ImageError("This TIFF is cut off.")
    walk.reach = max(walk.reach, start + said)
    end = min(start + needed, len(walk.data))
    walk.spend(needed)
    walk.kept.append((start, end))
    tiff_pixels.clean_stream(walk.blanks, start, end, raster.compression)
    tiff_pixels.clean_end(walk, start, end, raster.compression, size)


def _keep_jpeg(walk: Walk, by_tag: dict[int, Entry], offsets: list[int], counts: list[int]) -> None:
    """Keep a JPEG stream; what does not say its length must be one that strips make up."""
    if not counts:
        strips = walk.integers(by_tag.get(tags.STRIP_OFFSETS))
        if not strips or min(strips) > min(offsets):
            raise ImageError("This TIFF does not say how long its parts are.")
        return
    raster = _raster(walk, by_tag, tiled=False)
    for start, said in zip(offsets, counts, strict=True):
        if said:
            _keep_part(walk, replace(raster, compression=tiff_pixels.JPEG), start, said, None)


def _raster(walk: Walk, by_tag: dict[int, Entry], *, tiled: bool) -> tiff_pixels.Raster:
    def number(tag: int, default: int) -> int:
        return _number(walk, by_tag, tag, default)

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
    layout = walk.layout
    order: Literal["little", "big"] = "little" if layout.order == "<" else "big"
    link = following.to_bytes(layout.offset_size, order)
    count = len(stays).to_bytes(layout.count_size, order)
    rows = [walk.row(one) for one in stays]
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

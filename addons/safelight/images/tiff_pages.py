"""Pages of a TIFF that are not the picture: smaller copies of it, and maps of what it shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from safelight.images import tiff_tables as tags
from safelight.images.model import Kind

if TYPE_CHECKING:
    from safelight.images.tiff_layout import Entry
    from safelight.images.tiff_walk import Walk

# DNG 1.7: depth, and masks of skin, hair, sky.
_DEPTH, _SEMANTIC_MASK = 51177, 52527
_OLD_REDUCED = 2


@dataclass(frozen=True, slots=True)
class Page:
    """The entries of a page by their tags; `next` is where the page behind it stands, or 0."""

    by_tag: dict[int, Entry]
    next: int


def peek(walk: Walk, offset: int) -> Page | None:
    """The page at `offset`; None where that was looked at already, or cannot be."""
    layout, data = walk.layout, walk.data
    table = offset + layout.count_size
    count = layout.number(data[offset:table])
    end = table + count * layout.entry
    walk.entries_left -= count
    if offset in walk.seen or end + layout.offset_size > len(data) or walk.entries_left < 0:
        return None
    entries = (walk.entry(table + number * layout.entry) for number in range(count))
    by_tag = {entry.tag: entry for entry in entries}
    return Page(by_tag, layout.number(data[end : end + layout.offset_size]))


def is_reduced(walk: Walk, by_tag: dict[int, Entry]) -> bool:
    """NewSubfileType bit 0, or SubfileType 2 (TIFF 6.0, pages 36 and 40)."""
    new, old = (
        walk.integers(by_tag.get(tags.NEW_SUBFILE)),
        walk.integers(by_tag.get(tags.OLD_SUBFILE)),
    )
    return bool(new and new[0] & 1) or (not new and old[:1] == [_OLD_REDUCED])


def why_it_goes(walk: Walk, page: Page) -> tuple[Kind, str] | None:
    """What a page that goes is, and its name; None for one that stays."""
    [shows] = walk.integers(page.by_tag.get(tags.PHOTOMETRIC))[:1] or [0]
    if shows in {_DEPTH, _SEMANTIC_MASK}:
        return Kind.DEPTH_MAP, "page of depth or masks"
    if walk.previews_go and (is_reduced(walk, page.by_tag) or _is_thumbnail(page)):
        return Kind.THUMBNAIL, "page of a preview"
    return None


def _is_thumbnail(page: Page) -> bool:
    """Exif's way: a JPEG that no strips make up."""
    tagged = page.by_tag.keys()
    return tags.JPEG_OFFSET in tagged and not {tags.STRIP_OFFSETS, tags.TILE_OFFSETS} & tagged


def staying(walk: Walk, offsets: list[int]) -> list[int]:
    """Those of `offsets` whose pages stay; the others are noted."""
    found = []
    for offset in offsets:
        page = peek(walk, offset)
        reason = why_it_goes(walk, page) if page else None
        if reason:
            walk.blanks.find({reason[0]}, reason[1], offset, offset + 1)
        else:
            found.append(offset)
    return found


def next_staying(walk: Walk, offset: int) -> int:
    """The first page from `offset` on that stays, or 0; those before it are noted."""
    while offset and (page := peek(walk, offset)) and (reason := why_it_goes(walk, page)):
        walk.blanks.find({reason[0]}, reason[1], offset, offset + 1)
        walk.seen.add(offset)
        offset = page.next
    return offset

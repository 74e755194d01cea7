"""What a walk through a TIFF collects, and how its entries and numbers are read."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from safelight.images import tiff_tables as tags
from safelight.images.model import ImageError
from safelight.images.tiff_layout import INTEGERS, TYPE_SIZES, Entry, Layout

if TYPE_CHECKING:
    from safelight.images.blanking import Blanks


@dataclass(slots=True)
class Walk:
    """A TIFF as it is walked: what stays of it, and what was found."""

    data: bytes
    layout: Layout
    blanks: Blanks
    kept: list[tuple[int, int]] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)
    entries_left: int = 0
    parts: int = 0
    # How far lengths that the file says reach, even where that is behind all that is needed.
    reach: int = 0
    # Tags may all point to the same bytes; what is read in all stays in proportion to the file.
    readable: int = 0
    walkable: int = 4_000_000
    looked_at_exif: bool = False
    is_dng: bool = False
    previews_go: bool = False
    # Entries that are written anew, by where they stood.
    rows: dict[int, bytes] = field(default_factory=dict)
    size: tuple[int, int] = (0, 0)
    orientation: int = 1

    def spend(self, size: int) -> None:
        """Count `size` bytes as read. Raises ImageError when that gets out of proportion."""
        self.readable -= size
        if self.readable < 0:
            raise ImageError("This TIFF refers to the same place too often.")

    def integers(self, entry: Entry | None) -> list[int]:
        """The whole numbers of an entry; none where it is not there or holds others."""
        if entry is None or entry.type not in INTEGERS:
            return []
        self.spend(entry.end - entry.start)
        values = struct.unpack_from(
            f"{self.layout.order}{entry.count}{INTEGERS[entry.type]}", self.data, entry.start
        )
        return list(values)

    def entry(self, position: int) -> Entry:
        """The directory entry at `position`. Raises ImageError where a needed value is cut off."""
        layout, data = self.layout, self.data
        tag, type_ = struct.unpack_from(f"{layout.order}HH", data, position)
        value = position + layout.entry - layout.offset_size
        count = layout.number(data[position + 4 : value])
        size = TYPE_SIZES.get(type_, 1) * count
        start = (
            value
            if size <= layout.offset_size
            else layout.number(data[value : value + layout.offset_size])
        )
        if tags.is_kept(tag, type_, count) and start + size > len(data):
            raise ImageError("This TIFF is cut off or damaged.")
        return Entry(tag, type_, count, position, start, min(start + size, len(data)))

    def value(self, entry: Entry) -> bytes:
        """The bytes of an entry's value."""
        self.spend(entry.end - entry.start)
        return self.data[entry.start : entry.end]

    def row(self, entry: Entry) -> bytes:
        """An entry as it is to stand in its table: nothing behind a value that is short."""
        layout, start = self.layout, entry.position
        row = self.data[start : start + layout.entry]
        if entry.position in self.rows:
            return self.rows[entry.position]
        used = entry.end - entry.position
        fits = entry.position < entry.start and used <= layout.entry
        return row[:used].ljust(layout.entry, b"\0") if fits else row

    def shortened(self, entry: Entry, values: list[int]) -> dict[int, Entry]:
        """An entry of whole numbers with only these `values`, in its old place; none without."""
        if not values:
            return {}
        layout = self.layout
        packed = struct.pack(f"{layout.order}{len(values)}{INTEGERS[entry.type]}", *values)
        head = struct.pack(f"{layout.order}HH", entry.tag, entry.type)
        head += self.written(len(values))
        start = entry.start
        if len(packed) <= layout.offset_size:
            start = entry.position + layout.entry - layout.offset_size
            self.rows[entry.position] = head + packed.ljust(layout.offset_size, b"\0")
        else:
            self.rows[entry.position] = head + self.written(start)
            self.blanks.put(start, packed)
        end = start + len(packed)
        return {entry.tag: Entry(entry.tag, entry.type, len(values), entry.position, start, end)}

    def written(self, number: int) -> bytes:
        """A number as wide as an offset."""
        order: Literal["little", "big"] = "little" if self.layout.order == "<" else "big"
        return number.to_bytes(self.layout.offset_size, order)

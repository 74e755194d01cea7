"""How a TIFF writes numbers and directory entries (TIFF 6.0, BigTIFF design)."""

from __future__ import annotations

from dataclasses import dataclass

TYPE_SIZES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
INTEGERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}


@dataclass(frozen=True, slots=True)
class Layout:
    """How a TIFF writes numbers: byte order, and the sizes that BigTIFF enlarges."""

    order: str
    big: bool

    @property
    def entry(self) -> int:
        """Bytes of an entry."""
        return 20 if self.big else 12

    @property
    def count_size(self) -> int:
        """Bytes of the number of entries."""
        return 8 if self.big else 2

    @property
    def offset_size(self) -> int:
        """Bytes of an offset; values up to this size stand in the entry itself."""
        return 8 if self.big else 4

    def number(self, data: bytes) -> int:
        """An unsigned number."""
        return int.from_bytes(data, "little" if self.order == "<" else "big")


@dataclass(frozen=True, slots=True)
class Entry:
    """A directory entry; `data[start:end]` is its value, inside the entry or elsewhere."""

    tag: int
    type: int
    count: int
    position: int
    start: int
    end: int


def layout_of(data: bytes) -> Layout:
    """The layout that a file's first bytes say."""
    order = "<" if data[:2] == b"II" else ">"
    return Layout(order, big=data[2:4] in (b"+\0", b"\0+"))

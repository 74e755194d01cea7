"""Files of boxes, taken apart and put together again with something more inside.

Their description (`moov`, `meta`) is moved to the end first, so that nothing else moves when it
grows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from safelight.images.boxes import boxes
from safelight.images.model import ImageError
from tests.support.more_pictures import box

if TYPE_CHECKING:
    from collections.abc import Iterator

# Boxes that hold boxes, with the bytes before those.
_HOLDERS = {
    **dict.fromkeys(b"moov trak edts mdia minf dinf stbl mvex mfra iprp ipco grpl".split(), 0),
    **dict.fromkeys(b"tref jp2h wave sv3d proj vexu eyes udta".split(), 0),
    **dict.fromkeys([b"res "], 0),
    b"meta": 4,
    b"iref": 4,
    b"iinf": 6,
    b"stsd": 8,
    b"dref": 8,
}
_PICTURES = frozenset(b"avc1 hvc1 hev1 av01 mp4v vp09 apch jpeg".split())
_SOUND = frozenset(b"mp4a fLaC sowt alac Opus ac-3 ec-3".split())
_DESCRIPTION = frozenset({b"moov", b"meta"})


@dataclass(slots=True)
class Node:
    """A box: what stands before the boxes inside it, and those; none in one that holds none."""

    type: bytes
    head: bytes
    inside: list[Node] | None = None

    def written(self) -> bytes:
        return box(self.type, self.head, *(node.written() for node in self.inside or ()))


def read(data: bytes) -> list[Node]:
    """The boxes of a file, with its description at the end."""
    nodes = _read(data, 0, len(data))
    moved = [node for node in nodes if node.type in _DESCRIPTION]
    stay = [
        Node(b"free", bytes(len(node.written()) - 8)) if node in moved else node for node in nodes
    ]
    return stay + moved


def written(nodes: list[Node]) -> bytes:
    return b"".join(node.written() for node in nodes)


def walk(nodes: list[Node], path: tuple[str, ...] = ()) -> Iterator[tuple[str, Node]]:
    """Every box with the path to it."""
    for node in nodes:
        here = (*path, node.type.decode("latin1"))
        yield "/".join(here), node
        yield from walk(node.inside or [], here)


def _read(data: bytes, start: int, end: int, parent: bytes = b"") -> list[Node]:
    nodes = []
    for one in boxes(data, start, end):
        before = _HOLDERS.get(one.type)
        if parent == b"stsd":
            before = 78 if one.type in _PICTURES else 28 if one.type in _SOUND else None
        nodes.append(Node(one.type, data[one.payload : one.end]))
        if before is not None:
            try:
                inside = _read(data, one.payload + before, one.end, one.type)
            except ImageError:
                continue
            nodes[-1] = Node(one.type, data[one.payload : one.payload + before], inside)
    return nodes

"""A recogniser for tests of bodies alone: a picture is what starts with its marker."""

from __future__ import annotations

MARKER = b"\xff\xd8\xff\xe0PICTURE"


class Marked:
    """Knows exactly one format."""

    beginnings = ((0, MARKER),)
    anchors = (MARKER,)

    def starts_image(self, head: bytes, size: int) -> bool:
        return size > 0 and bytes(head).startswith(MARKER)

    def first_image(self, data: memoryview) -> int | None:
        found = bytes(data).find(MARKER)
        return found if found >= 0 else None

    def is_whole(self, data: memoryview) -> bool:
        return bytes(data).startswith(MARKER + bytes(range(256)))


MARKED = Marked()


def picture(filler: bytes = b"") -> bytes:
    """A picture for `MARKED` with `filler` in it."""
    return MARKER + bytes(range(256)) + filler

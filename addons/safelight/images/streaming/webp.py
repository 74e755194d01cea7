"""WebP on its way: the pixels pass, every other chunk is looked at as a whole."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from safelight.images import webp, webp_chunks
from safelight.images.chunk import Chunk
from safelight.images.model import ImageError, Length, apply
from safelight.images.streaming.steps import Blank, Pass, Put, Take, held

if TYPE_CHECKING:
    from safelight.images.model import Change
    from safelight.images.streaming.steps import Progress, Steps

_PIXELS = frozenset({b"VP8 ", b"VP8L", b"ALPH"})


def walk(progress: Progress) -> Steps:
    """Steps that clean a WebP.

    The flags that announce Exif and XMP stand first and stay as they are, since nobody knows yet
    whether an orientation will have to stay.
    """
    head = yield Take(12)
    end = 8 + int.from_bytes(head[4:8], "little")
    if end > progress.size:
        raise ImageError("This WebP is cut off.")
    yield Put(head)
    seen: set[bytes] = set()
    order = webp_chunks.Order()
    silent = True
    while progress.position < end:
        start = progress.position
        header = yield Take(8)
        type_, size = struct.unpack("<4sI", header)
        padded = min(size + (size & 1), end - progress.position)
        if padded < size or len(seen) > webp_chunks.MOST_CHUNKS:
            raise ImageError("This WebP is damaged.")
        stray = type_ in webp_chunks.KEPT and not order.has_place(type_, size)
        if type_ in _PIXELS and not stray:
            yield Put(header)
            yield Pass(size)
            yield Blank(padded - size)
            continue
        data = header + (yield held(padded))
        chunk = Chunk(type_, 0, 8, 8 + size, len(data))
        part = webp.Walk(data)
        # Only the first EXIF and the first XMP chunk can say how to turn the picture.
        asked = [] if type_ in seen or (type_ == b"XMP " and not silent) else [chunk]
        carriers = webp.carriers_of(part, asked) if b"VP8X" in seen else {}
        silent = silent and not (type_ == b"EXIF" and carriers)
        seen.add(type_)
        webp.examine_chunk(part, chunk, carriers, stray=stray)
        progress.report(part.found, start)
        yield Put(_cleaned(data, part.changes))
    if not order.is_whole:
        raise ImageError("This WebP holds no picture.")
    yield Blank(progress.left)


def _cleaned(data: bytes, changes: list[Change]) -> bytes:
    ordered = tuple(sorted(changes, key=lambda change: change.start))
    return apply(data, webp.edits_of(len(data), ordered, Length.SAME_LENGTH))

"""PNG on its way: the pixels pass, every other chunk is looked at as a whole."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from safelight.images import png, png_chunks, png_order
from safelight.images.chunk import Chunk
from safelight.images.model import ImageError, Length, apply
from safelight.images.streaming.steps import Blank, Pass, Put, Take, held

if TYPE_CHECKING:
    from safelight.images.streaming.steps import Progress, Steps


def walk(progress: Progress) -> Steps:
    """Steps that clean a PNG.

    A later carrier of the orientation cannot make an earlier one go, as it does where the whole
    picture is there: then both stay and say what they said.
    """
    yield Pass(len(png_chunks.SIGNATURE))
    carriers = png.Carriers()
    size = (0, 0)
    order = png_order.Order()
    last = b""
    for number in range(png_chunks.MOST_CHUNKS):
        start = progress.position
        head = yield Take(8)
        length, type_ = struct.unpack(">I4s", head)
        if not type_.isalpha():
            raise ImageError("This PNG is damaged.")
        before, last = last, type_
        if type_ in png.PIXELS:
            if before != type_ and not order.has_place(type_):
                raise ImageError("This PNG holds more than one picture.")
            yield Put(head)
            yield Pass(length + 4)
            continue
        data = head + (yield held(length + 4))
        chunk = Chunk(type_, 0, 8, 8 + length, 12 + length)
        if type_ == b"IHDR" and number < 2:
            size = struct.unpack_from(">II", data, 8)
        walk_of_chunk = png.Walk(data, *size)
        carriers.note(walk_of_chunk, chunk)
        png.examine_chunk(walk_of_chunk, chunk, carriers, order)
        progress.report(walk_of_chunk.found, start)
        edits = png.edits_of(tuple(walk_of_chunk.changes), Length.SAME_LENGTH)
        yield Put(apply(data, edits))
        if type_ == b"IEND":
            break
    if b"IDAT" not in order.seen or not size[0]:
        raise ImageError("This PNG holds no picture.")
    yield Blank(progress.left)

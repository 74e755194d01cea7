"""GIF on its way: block by block; extensions are looked at as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safelight.images import gif
from safelight.images.model import ImageError, Length, apply
from safelight.images.streaming.steps import MOST_HELD, Blank, Pass, Put, Take

if TYPE_CHECKING:
    from collections.abc import Generator

    from safelight.images.streaming.steps import Progress, Step, Steps


def walk(progress: Progress) -> Steps:
    """Steps that clean a GIF."""
    head = yield Take(13)
    yield Put(head)
    yield Pass(gif.table_size(head[10]))
    images = 0
    for _ in range(gif.MOST_BLOCKS):
        start = progress.position
        introducer = (yield Take(1))[0]
        if introducer == gif.TRAILER:
            yield Put(bytes([gif.TRAILER]))
            break
        if introducer == gif.IMAGE:
            images += 1
            descriptor = yield Take(9)
            yield Put(bytes([gif.IMAGE]) + descriptor)
            # The local colour table and the code size stand before the pixels.
            yield Pass(gif.table_size(descriptor[8]) + 1)
            yield from _pass_sub_blocks()
        elif introducer == gif.EXTENSION:
            block = bytes([gif.EXTENSION]) + (yield from _extension())
            part = gif.Walk(block)
            gif.examine_extension(part, 0, len(block))
            progress.report(part.findings, start)
            yield Put(apply(block, gif.edits_of(tuple(part.changes), Length.SAME_LENGTH)))
        else:
            raise ImageError("This GIF is damaged.")
    if not images:
        raise ImageError("This GIF holds no picture.")
    yield Blank(progress.left)


def _pass_sub_blocks() -> Steps:
    while size := (yield Take(1))[0]:
        yield Put(bytes([size]))
        yield Pass(size)
    yield Put(b"\0")


def _extension() -> Generator[Step, bytes, bytes]:
    """An extension's label and data sub-blocks, to their end."""
    block = bytearray((yield Take(1)))
    while size := (yield Take(1))[0]:
        block += bytes([size]) + (yield Take(size))
        if len(block) > MOST_HELD:
            raise ImageError("A part of this GIF is too large to be looked at on its way.")
    return bytes(block) + b"\0"

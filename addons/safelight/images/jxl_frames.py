"""Frames of a JPEG XL codestream (ISO/IEC 18181-1 annex F): names, and where the last one ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from safelight.images.jxl_bits import NoCodestreamError
from safelight.images.model import ImageError

if TYPE_CHECKING:
    from safelight.images.jxl_bits import Bits, Ways
    from safelight.images.jxl_headers import Metadata

_FACTOR: Ways = ((0, 1), (0, 2), (0, 4), (0, 8))
_LEVEL: Ways = ((0, 1), (0, 2), (0, 3), (0, 4))
_PASSES: Ways = ((0, 1), (0, 2), (0, 3), (3, 4))
_STEPS: Ways = ((0, 0), (0, 1), (0, 2), (1, 3))
_LAST_PASS: Ways = ((0, 0), (0, 1), (0, 2), (3, 0))
_PLACE: Ways = ((8, 0), (11, 256), (14, 2304), (30, 18688))
_MODE: Ways = ((0, 0), (0, 1), (0, 2), (2, 3))
_ALPHA: Ways = ((0, 0), (0, 1), (0, 2), (3, 3))
_DURATION: Ways = ((0, 0), (0, 1), (8, 0), (32, 0))
_BYTES: Ways = ((10, 0), (14, 1024), (22, 17408), (30, 4211712))
_REGULAR, _COARSE, _REFERENCE, _PROGRESSIVE = range(4)
_REPLACE, _BLEND, _WEIGHTED, _MULTIPLY = 0, 2, 3, 4
_USES_COARSE = 32
_FLAGS = 1 | 2 | 16 | _USES_COARSE | 128
# No writer makes pixels larger than they are without compression, several times over.
_LARGEST_SAMPLE, _MOST_OVERHEAD = 16, 1 << 16  # bytes
_HALF = 16
MOST_FRAMES = 10_000
MOST_PARTS = 1_000_000


@dataclass(slots=True)
class Frame:
    """What the header of a frame says, as far as it is needed to find the end of it."""

    width: int
    height: int
    kind: int = _REGULAR
    modular: bool = False
    shift: int = 1
    subsampled: tuple[int, int] = (0, 0)
    factor: int = 1
    passes: int = 1
    last: bool = True

    @property
    def parts(self) -> int:
        """How many parts a frame's data has (annex F.3)."""
        side = 128 << self.shift
        width, height = -(-self.width // self.factor), -(-self.height // self.factor)
        across, down = self.subsampled
        groups = -(-width // side) * -(-height // side)
        coarse = -(-_blocks(width, across) // side) * -(-_blocks(height, down) // side)
        if groups == 1 and self.passes == 1:
            return 1
        return 2 + coarse + groups * self.passes


def _blocks(size: int, subsampled: int) -> int:
    """How many blocks of 8 pixels cover `size`."""
    return -(-size // (8 << subsampled)) << subsampled


def end_of_frames(bits: Bits, found: Metadata) -> int:
    """Where the last frame ends, in bytes. Raises ImageError where only decoding could tell."""
    position = bits.align()
    if found.preview is not None:
        position = _end_of_frame(bits, found, *found.preview)[0]
    for _ in range(MOST_FRAMES):
        position, last = _end_of_frame(bits, found, found.width, found.height)
        if last:
            return position
    raise ImageError("This JPEG XL has too many frames.")


def _end_of_frame(bits: Bits, found: Metadata, width: int, height: int) -> tuple[int, bool]:
    """Where a frame that begins at a whole byte ends, and whether it is the last."""
    frame = Frame(width, height)
    if not bits.flag():
        _header(bits, found, frame)
    if bits.flag():
        # One alone cannot be in disorder.
        error = ImageError if frame.parts > 1 else NoCodestreamError
        raise error("The parts of this JPEG XL do not stand in their order.")
    if frame.parts > MOST_PARTS:
        raise ImageError("This JPEG XL has too many parts.")
    bits.align()
    size = sum(bits.number(_BYTES) for _ in range(frame.parts))
    bits.align()
    samples = frame.width * frame.height * (3 + found.channels)
    if size > _MOST_OVERHEAD + _LARGEST_SAMPLE * samples:
        raise NoCodestreamError("This JPEG XL says that it is larger than its pixels can be.")
    bits.skip(8 * size)
    return bits.align(), frame.last


def _header(bits: Bits, found: Metadata, frame: Frame) -> None:
    frame.kind = bits.read(2)
    frame.modular = bits.flag()
    flags = bits.long()
    if flags & ~_FLAGS:
        raise NoCodestreamError("This JPEG XL has a flag that does not exist.")
    transformed = not found.xyb and bits.flag()
    if not flags & _USES_COARSE:
        if transformed:
            modes = [bits.read(2) for _ in range(3)]
            across, down = (any(one in which for one in modes) for which in ((1, 2), (1, 3)))
            frame.subsampled = int(across), int(down)
        frame.factor = bits.number(_FACTOR)
        for _ in range(found.channels):
            bits.number(_FACTOR)
    if frame.modular:
        frame.shift = bits.read(2)
    elif found.xyb:
        bits.skip(6)
    if frame.kind != _REFERENCE:
        _passes(bits, frame)
    if frame.kind == _COARSE:
        level = bits.number(_LEVEL)
        frame.width, frame.height = (-(-one // 8**level) for one in (frame.width, frame.height))
    _blending(bits, found, frame)
    bits.name()
    _filters(bits, frame)
    bits.extensions()


def _passes(bits: Bits, frame: Frame) -> None:
    frame.passes = bits.number(_PASSES)
    if frame.passes != 1:
        steps = bits.number(_STEPS)
        bits.skip(2 * (frame.passes - 1) + 2 * steps)
        for _ in range(steps):
            bits.number(_LAST_PASS)


def _blending(bits: Bits, found: Metadata, frame: Frame) -> None:
    """How a frame is laid over others, how long it is shown, and what it is kept for."""
    shown = frame.kind in {_REGULAR, _PROGRESSIVE}
    partial = frame.kind != _COARSE and bits.flag() and _place(bits, found, frame, shown=shown)
    mode, duration, frame.last = _REPLACE, 0, False
    if shown:
        mode = _blend(bits, found, partial=partial)
        for _ in range(found.channels):
            _blend(bits, found, partial=partial)
        duration = bits.number(_DURATION) if found.animated else 0
        bits.skip(32 * found.timecodes)
        frame.last = bits.flag()
        if frame.last and frame.kind != _REGULAR:
            raise ImageError("This JPEG XL ends in a way that is not known.")
    kept = bits.read(2) if frame.kind != _COARSE and not frame.last else 0
    referable = shown and not frame.last and (duration == 0 or kept != 0)
    if (referable and mode == _REPLACE and not partial) or frame.kind == _REFERENCE:
        bits.skip(1)


def _place(bits: Bits, found: Metadata, frame: Frame, *, shown: bool) -> bool:
    """Read a frame's own place and size; does it leave open some of the picture?"""
    left, top = (_signed(bits.number(_PLACE)) if shown else 0 for _ in range(2))
    frame.width, frame.height = bits.number(_PLACE), bits.number(_PLACE)
    right, bottom = left + frame.width, top + frame.height
    return left > 0 or top > 0 or right < found.width or bottom < found.height


def _signed(number: int) -> int:
    return -(number + 1 >> 1) if number & 1 else number >> 1


def _blend(bits: Bits, found: Metadata, *, partial: bool) -> int:
    mode = bits.number(_MODE)
    with_alpha = found.channels > 0 and mode in {_BLEND, _WEIGHTED}
    if with_alpha:
        bits.number(_ALPHA)
    if with_alpha or mode == _MULTIPLY:
        bits.skip(1)
    if mode != _REPLACE or partial:
        bits.skip(2)
    return mode


def _filters(bits: Bits, frame: Frame) -> None:
    """Smoothing (annex J): numbers of their own where they are not the usual ones."""
    if bits.flag():
        return
    if bits.flag() and bits.flag():
        bits.skip(6 * _HALF)
    if bits.read(2):
        if not frame.modular and bits.flag():
            bits.skip(8 * _HALF)
        if bits.flag():
            bits.skip(5 * _HALF)
        if bits.flag():
            bits.skip((3 if frame.modular else 4) * _HALF)
        if frame.modular:
            bits.skip(_HALF)
    bits.extensions()

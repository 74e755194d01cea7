"""The headers of a JPEG XL codestream (ISO/IEC 18181-1 annexes D and F), read to find names in
them, and where each frame ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from safelight.images.jxl_bits import Bits, Ways

_SIZE: Ways = ((9, 1), (13, 1), (18, 1), (30, 1))
_PREVIEW_BLOCKS: Ways = ((0, 16), (0, 32), (5, 1), (9, 33))
_PREVIEW: Ways = ((6, 1), (8, 65), (10, 321), (12, 1345))
_DEPTH: tuple[Ways, Ways] = (
    ((0, 8), (0, 10), (0, 12), (6, 1)),
    ((0, 32), (0, 16), (0, 24), (6, 1)),
)
_CHANNELS: Ways = ((0, 0), (0, 1), (4, 2), (12, 1))
_SHIFT: Ways = ((0, 0), (0, 3), (0, 4), (3, 1))
_FILTER: Ways = ((0, 1), (2, 0), (4, 3), (8, 19))
_POINT: Ways = ((19, 0), (19, 1 << 19), (20, 1 << 20), (21, 1 << 21))
_TICKS: Ways = ((0, 100), (0, 1000), (10, 1), (30, 1))
_PER: Ways = ((0, 1), (0, 1001), (8, 1), (10, 1))
_LOOPS: Ways = ((0, 0), (3, 0), (16, 0), (32, 0))
_HALF = 16
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_ALPHA, _SPOT, _MOSAIC = 0, 2, 5
_KINDS_OF_CHANNELS = (*range(7), 15, 16)
_SPACES, _INTENTS = range(4), range(4)
_GREY, _XYB = 1, 2
_CUSTOM = 2
_WHITES, _PRIMARIES = (1, _CUSTOM, 10, 11), (1, _CUSTOM, 9, 11)
_CURVES = (1, 2, 8, 13, 16, 17, 18)


@dataclass(slots=True)
class Metadata:
    """What the header of a picture says, as far as the headers of its frames depend on it."""

    width: int
    height: int
    preview: tuple[int, int] | None = None
    animated: bool = False
    timecodes: bool = False
    channels: int = 0
    xyb: bool = True
    profile: bool = False


def read(bits: Bits) -> Metadata:
    """The header behind a codestream's signature. Raises ImageError where it is cut off."""
    height, width = _size(bits)
    found = Metadata(width, height)
    if not bits.flag():
        _metadata(bits, found)
    if not bits.flag():
        if found.xyb and not bits.flag():
            bits.skip(16 * _HALF)
        weights = bits.read(3)
        bits.skip(_HALF * sum(size for bit, size in enumerate((15, 55, 210)) if weights >> bit & 1))
    return found


def _size(bits: Bits) -> tuple[int, int]:
    small = bits.flag()
    height = 8 * bits.read(5) + 8 if small else bits.number(_SIZE)
    ratio = bits.read(3)
    if not ratio:
        return height, 8 * bits.read(5) + 8 if small else bits.number(_SIZE)
    across, down = _RATIOS[ratio - 1]
    return height, height * across // down


def _preview(bits: Bits) -> tuple[int, int]:
    blocks = bits.flag()
    height = 8 * bits.number(_PREVIEW_BLOCKS) if blocks else bits.number(_PREVIEW)
    ratio = bits.read(3)
    if not ratio:
        return 8 * bits.number(_PREVIEW_BLOCKS) if blocks else bits.number(_PREVIEW), height
    across, down = _RATIOS[ratio - 1]
    return height * across // down, height


def _metadata(bits: Bits, found: Metadata) -> None:
    more = bits.flag()
    if more:
        bits.skip(3)
        if bits.flag():
            _size(bits)
        if bits.flag():
            found.preview = _preview(bits)
        found.animated = bits.flag()
        if found.animated:
            bits.number(_TICKS)
            bits.number(_PER)
            bits.number(_LOOPS)
            found.timecodes = bits.flag()
    _depth(bits)
    bits.skip(1)
    found.channels = bits.number(_CHANNELS)
    for _ in range(found.channels):
        _channel(bits)
    found.xyb = bits.flag()
    found.profile = _colours(bits)
    if more and not bits.flag():
        bits.skip(2 * _HALF + 1 + _HALF)
    bits.extensions()


def _depth(bits: Bits) -> None:
    floating = bits.flag()
    bits.number(_DEPTH[floating])
    bits.skip(4 * floating)


def _channel(bits: Bits) -> None:
    if bits.flag():
        return
    kind = bits.one_of(_KINDS_OF_CHANNELS)
    _depth(bits)
    bits.number(_SHIFT)
    bits.name()
    if kind == _ALPHA:
        bits.skip(1)
    elif kind == _SPOT:
        bits.skip(4 * _HALF)
    elif kind == _MOSAIC:
        bits.number(_FILTER)


def _colours(bits: Bits) -> bool:
    """Whether the colours are said by a profile that follows."""
    if bits.flag():
        return False
    profile = bits.flag()
    space = bits.one_of(_SPACES)
    if profile:
        return True
    if space != _XYB and bits.one_of(_WHITES) == _CUSTOM:
        _points(bits, 1)
    if space not in {_GREY, _XYB} and bits.one_of(_PRIMARIES) == _CUSTOM:
        _points(bits, 3)
    if space != _XYB:
        if bits.flag():
            bits.skip(24)
        else:
            bits.one_of(_CURVES)
    bits.one_of(_INTENTS)
    return False


def _points(bits: Bits, count: int) -> None:
    for _ in range(2 * count):
        bits.number(_POINT)

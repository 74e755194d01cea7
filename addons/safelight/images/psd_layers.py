"""The layers of a Photoshop document (Adobe's specification, "Layer and Mask Information"): what
they show stays; names, whole files that stand behind them, and all else that is not shown goes.

Everything is blanked in place, so all lengths around it stay true.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from safelight.images import psd_pixels
from safelight.images.model import ImageError, Kind

if TYPE_CHECKING:
    from safelight.images.blanking import Blanks

_SIGNATURES = (b"8BIM", b"8B64")
# Fills, adjustments, effects, texts, outlines, and how layers are put together.
_SHOWN = frozenset(
    b"SoCo GdFl PtFl brit levl curv expA vibA hue2 blnc blwh phfl mixr clrL nvrt post thrs grdm "
    b"selc CgEd lrFX lfx2 lmfx TySh tySh luni lyid clbl infx knko lspf lclr fxrp lsct lsdk brst "
    b"vmsk vsms vogk vscg vstk lyvr tsly lmgm iOpa lnsr artb artd abdd Patt Pat2 Pat3 FMsk LMsk "
    b"Mtrn Mt16 Mt32 Txt2 Lr16 Lr32 Layr".split()
) | {b"hue "}
_LAYERS = frozenset({b"Lr16", b"Lr32", b"Layr"})
_WIDE_IN_LARGE = frozenset(
    b"LMsk Lr16 Lr32 Layr Mt16 Mt32 Mtrn Alph FMsk lnk2 FEid FXid PxSD".split()
)
# A block that nobody reads. In large documents its length is wide; there, a list of no entries
# stands for narrow ones.
_EMPTY, _EMPTY_NARROW_IN_LARGE = b"Alph", b"shmd"
_NAME, _PATTERNS = b"luni", frozenset({b"Patt", b"Pat2", b"Pat3"})
# Bytes of blocks whose length is fixed.
_SIZES = dict.fromkeys(
    b"lyid clbl infx knko lspf lyvr tsly lmgm iOpa lnsr post thrs".split(), 4
) | {b"nvrt": 0, b"brit": 8, b"lclr": 8, b"fxrp": 16, b"lsct": 16, b"lsdk": 16, b"brst": 16}
# A name in a descriptor: of a gradient, a pattern, a set.
_NAMED = re.compile(rb"\0{4}Nm  TEXT(....)", re.DOTALL)
_PATTERN_HEAD = 16
_MASK, _REAL_MASK, _GLOBAL_MASK, _HAS_PARAMETERS = 18, 18, 13, 0x10
_OF_MASK, _OF_REAL_MASK = 0xFFFE, 0xFFFD
_COMPRESSION = 2
# Photoshop says how to blend four channels even where there are fewer.
_BLENDING, _FEWEST_BLENDED = 8, 4
_RECORD, _CHANNEL = 18, 2
MOST_LAYERS = 10_000
MOST_BLOCKS = 100_000
_DAMAGED = "The layers of this Photoshop document cannot be followed."


class _Walk:
    def __init__(self, blanks: Blanks) -> None:
        self.blanks = blanks
        self.large = blanks.data[4:6] == b"\0\2"
        self.depth = int.from_bytes(blanks.data[22:24])
        self.wide = 8 if self.large else 4
        self.blocks_left = MOST_BLOCKS

    def number(self, position: int, size: int, end: int) -> int:
        if position + size > end:
            raise ImageError(_DAMAGED)
        return int.from_bytes(self.blanks.data[position : position + size])

    def remove(self, start: int, end: int, place: str) -> None:
        self.blanks.remove(start, end, {Kind.UNKNOWN_DATA}, place)


@dataclass(frozen=True, slots=True)
class _Channel:
    """Pixels of a layer or of its mask: how many bytes the file gives them, and their shape."""

    size: int
    rows: int
    columns: int


def scrub(blanks: Blanks, start: int, end: int) -> None:
    """Clean the section whose contents stand at `start:end`. Raises ImageError."""
    walk = _Walk(blanks)
    if start == end:
        return
    size = walk.number(start, walk.wide, end)
    behind = start + walk.wide + size
    if behind > end:
        raise ImageError(_DAMAGED)
    _layers(walk, start + walk.wide, behind)
    if behind + 4 > end:
        walk.remove(behind, end, "behind the layers")
        return
    masks = behind + 4 + walk.number(behind, 4, end)
    if masks > end:
        raise ImageError(_DAMAGED)
    walk.remove(min(behind + 4 + _GLOBAL_MASK, masks), masks, "mask of all layers")
    _blocks(walk, masks, end)


def _layers(walk: _Walk, start: int, end: int) -> None:
    """Records of all layers; their pixels follow."""
    if end - start < 2:
        return
    count = int.from_bytes(walk.blanks.data[start : start + 2], signed=True)
    position = start + 2
    if abs(count) > MOST_LAYERS:
        raise ImageError("This Photoshop document has too many layers.")
    channels: list[_Channel] = []
    for _ in range(abs(count)):
        position = _record(walk, position, end, channels)
    if position + sum(channel.size for channel in channels) > end:
        raise ImageError(_DAMAGED)
    for channel in channels:
        position = _pixels(walk, position, channel)
    walk.remove(position, end, "behind the layers")


def _pixels(walk: _Walk, start: int, channel: _Channel) -> int:
    """Blank what stands behind a channel's pixels; the end of the channel."""
    end = start + channel.size
    row = (channel.columns * walk.depth + 7) // 8
    used = psd_pixels.end(walk.blanks.data, start, end, channel.rows, row, large=walk.large)
    if used is not None and channel.size > _COMPRESSION:
        walk.remove(used, end, "behind the pixels of a layer")
    return end


def _record(walk: _Walk, start: int, end: int, found: list[_Channel]) -> int:
    """Where a layer's record ends; its channels are added to `found`."""
    data = walk.blanks.data
    channels = walk.number(start + 16, 2, end)
    position = start + _RECORD
    sizes: list[tuple[int, int]] = []
    for _ in range(channels):
        number = walk.number(position, _CHANNEL, end)
        sizes.append((number, walk.number(position + _CHANNEL, walk.wide, end)))
        position += _CHANNEL + walk.wide
    if data[position : position + 4] != _SIGNATURES[0]:
        raise ImageError(_DAMAGED)
    extra = position + 16
    behind = extra + walk.number(position + 12, 4, end)
    if behind > end:
        raise ImageError(_DAMAGED)
    masks = extra + 4 + walk.number(extra, 4, behind)
    places = _mask(walk, extra + 4, min(masks, behind))
    found += [_Channel(size, *_shape(data, places.get(number, start))) for number, size in sizes]
    ranges = masks + 4 + walk.number(masks, 4, behind)
    blended = masks + 4 + _BLENDING * (max(channels, _FEWEST_BLENDED) + 1)
    walk.remove(min(blended, ranges), ranges, "blending of a layer")
    length = walk.number(ranges, 1, behind)
    if walk.blanks.blank(ranges + 1, ranges + 1 + length, b" "):
        walk.blanks.find({Kind.UNKNOWN_DATA}, "name of a layer", ranges, ranges + 1 + length)
    named = ranges + (1 + length + 3) // 4 * 4
    walk.remove(ranges + 1 + length, named, "name of a layer")
    _blocks(walk, named, behind)
    return behind


def _mask(walk: _Walk, start: int, end: int) -> dict[int, int]:
    """Blank what stands behind the data of a layer's mask; where the edges of masks are told."""
    if end - start < _MASK:
        walk.remove(start, end, "mask of a layer")
        return {}
    used = start + _MASK
    if walk.blanks.data[used - 1] & _HAS_PARAMETERS:
        given = walk.number(used, 1, end)
        used += 1 + sum(size for bit, size in enumerate((1, 8, 1, 8)) if given >> bit & 1)
    real = used
    if end - used >= _REAL_MASK:
        used += _REAL_MASK
    walk.remove(min(used, end), end, "mask of a layer")
    return {_OF_MASK: start, _OF_REAL_MASK: real + 2 if used > real else start}


def _shape(data: bytes, edges: int) -> tuple[int, int]:
    """Rows and columns between edges, which stand as top, left, bottom and right."""
    top, left, bottom, right = struct.unpack_from(">4i", data, edges)
    return max(bottom - top, 0), max(right - left, 0)


def _blocks(walk: _Walk, start: int, end: int) -> None:
    """Blocks of a key, a length and data each."""
    data = walk.blanks.data
    position = start
    while position + 12 <= end:
        walk.blocks_left -= 1
        key = data[position + 4 : position + 8]
        if data[position : position + 4] not in _SIGNATURES or walk.blocks_left < 0:
            raise ImageError(_DAMAGED)
        is_wide = data.startswith(b"8B64", position) or (walk.large and key in _WIDE_IN_LARGE)
        payload = position + (16 if is_wide else 12)
        behind = payload + walk.number(position + 8, 8 if is_wide else 4, end)
        if behind > end:
            raise ImageError(_DAMAGED)
        _block(walk, key, (position, payload, behind), is_wide=is_wide)
        position = behind
        # Some writers fill up to two bytes, some to four.
        while position < end and behind + 4 > position and not data[position]:
            position += 1
    walk.remove(position, end, "behind the layers")


def _block(walk: _Walk, key: bytes, place: tuple[int, int, int], *, is_wide: bool) -> None:
    blanks = walk.blanks
    position, payload, behind = place
    if key in _LAYERS:
        _layers(walk, payload, behind)
    elif key == _NAME:
        walk.remove(_unicode_name(walk, payload, behind), behind, "name in a layer")
    elif key in _PATTERNS:
        _patterns(walk, payload, behind)
    elif key in _SHOWN:
        walk.remove(min(payload + _SIZES.get(key, behind), behind), behind, "block of a layer")
        for match in _NAMED.finditer(blanks.data, payload, behind):
            _unicode_name(walk, match.start(1), behind)
    else:
        empty = _EMPTY_NARROW_IN_LARGE if walk.large and not is_wide else _EMPTY
        if key != empty or blanks.data[payload:behind].strip(b"\0"):
            blanks.find({Kind.EDIT_HISTORY}, "block of the layers", position, behind)
            blanks.put(position + 4, empty)
            blanks.blank(payload, behind)


def _unicode_name(walk: _Walk, start: int, end: int) -> int:
    """Blank a name of two bytes a letter, which its length precedes; where it ends."""
    text = start + 4
    behind = text + 2 * walk.number(start, 4, end)
    if behind > end:
        raise ImageError(_DAMAGED)
    name = walk.blanks.data[text:behind]
    closed = name[-2:] == bytes(2)
    blank = b"\0 " * (len(name) // 2 - closed) + bytes(2 * closed)
    if name != blank:
        walk.blanks.find({Kind.UNKNOWN_DATA}, "name in a layer", text, behind)
        walk.blanks.put(text, blank)
    return behind


def _patterns(walk: _Walk, start: int, end: int) -> None:
    """Blank the names of patterns, each of which its length precedes."""
    while start + _PATTERN_HEAD < end:
        size = walk.number(start, 4, end)
        if not size:
            break
        _unicode_name(walk, start + _PATTERN_HEAD, end)
        start += 4 + (size + 3) // 4 * 4

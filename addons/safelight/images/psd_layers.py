"""The layers of a Photoshop document (Adobe's specification, "Layer and Mask Information"): what
they show stays; names, whole files that stand behind them, and all else that is not shown goes.

Everything is blanked in place, so all lengths around it stay true.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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
# A list of no entries, and a block that nobody reads whose length is written in eight bytes.
_EMPTY, _EMPTY_WIDE = b"shmd", b"Alph"
_NAME = b"luni"
_RECORD, _CHANNEL = 18, 2
MOST_LAYERS = 10_000
MOST_BLOCKS = 100_000
_DAMAGED = "The layers of this Photoshop document cannot be followed."


class _Walk:
    def __init__(self, blanks: Blanks, *, large: bool) -> None:
        self.blanks = blanks
        self.large = large
        self.wide = 8 if large else 4
        self.blocks_left = MOST_BLOCKS

    def number(self, position: int, size: int, end: int) -> int:
        if position + size > end:
            raise ImageError(_DAMAGED)
        return int.from_bytes(self.blanks.data[position : position + size])


def scrub(blanks: Blanks, start: int, end: int, *, large: bool) -> None:
    """Clean the section whose contents stand at `start:end`. Raises ImageError."""
    walk = _Walk(blanks, large=large)
    if start == end:
        return
    size = walk.number(start, walk.wide, end)
    behind = start + walk.wide + size
    if behind > end:
        raise ImageError(_DAMAGED)
    _layers(walk, start + walk.wide, behind)
    if behind + 4 > end:
        blanks.remove(behind, end, {Kind.UNKNOWN_DATA}, "behind the layers")
        return
    masks = behind + 4 + walk.number(behind, 4, end)
    _blocks(walk, masks, end)


def _layers(walk: _Walk, start: int, end: int) -> None:
    """Records of all layers; their pixels follow."""
    if end - start < 2:
        return
    count = int.from_bytes(walk.blanks.data[start : start + 2], signed=True)
    position = start + 2
    if abs(count) > MOST_LAYERS:
        raise ImageError("This Photoshop document has too many layers.")
    pixels = 0
    for _ in range(abs(count)):
        position, size = _record(walk, position, end)
        pixels += size
    if position + pixels > end:
        raise ImageError(_DAMAGED)
    walk.blanks.remove(position + pixels, end, {Kind.UNKNOWN_DATA}, "behind the layers")


def _record(walk: _Walk, start: int, end: int) -> tuple[int, int]:
    """Where a layer's record ends, and how many bytes its pixels take."""
    data = walk.blanks.data
    channels = walk.number(start + 16, 2, end)
    position = start + _RECORD
    pixels = 0
    for _ in range(channels):
        pixels += walk.number(position + _CHANNEL, walk.wide, end)
        position += _CHANNEL + walk.wide
    if data[position : position + 4] != _SIGNATURES[0]:
        raise ImageError(_DAMAGED)
    extra = position + 16
    behind = extra + walk.number(position + 12, 4, end)
    if behind > end:
        raise ImageError(_DAMAGED)
    masks = extra + 4 + walk.number(extra, 4, behind)
    ranges = masks + 4 + walk.number(masks, 4, behind)
    length = walk.number(ranges, 1, behind)
    if walk.blanks.blank(ranges + 1, ranges + 1 + length, b" "):
        walk.blanks.find({Kind.UNKNOWN_DATA}, "name of a layer", ranges, ranges + 1 + length)
    named = ranges + (1 + length + 3) // 4 * 4
    walk.blanks.remove(ranges + 1 + length, named, {Kind.UNKNOWN_DATA}, "name of a layer")
    _blocks(walk, named, behind)
    return behind, pixels


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
    walk.blanks.remove(position, end, {Kind.UNKNOWN_DATA}, "behind the layers")


def _block(walk: _Walk, key: bytes, place: tuple[int, int, int], *, is_wide: bool) -> None:
    blanks = walk.blanks
    position, payload, behind = place
    if key in _LAYERS:
        _layers(walk, payload, behind)
    elif key == _NAME:
        count = walk.number(payload, 4, behind)
        blank = (b"\0 " * min(count, behind - payload)).ljust(behind - payload - 4, b"\0")
        blank = blank[: behind - payload - 4]
        if blanks.data[payload + 4 : behind] != blank:
            blanks.find({Kind.UNKNOWN_DATA}, "name of a layer", payload, behind)
            blanks.put(payload + 4, blank)
    elif key not in _SHOWN:
        empty = _EMPTY_WIDE if is_wide else _EMPTY
        if key != empty or blanks.data[payload:behind].strip(b"\0"):
            blanks.find({Kind.EDIT_HISTORY}, "block of the layers", position, behind)
            blanks.put(position + 4, empty)
            blanks.blank(payload, behind)

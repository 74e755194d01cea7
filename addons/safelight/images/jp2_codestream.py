"""The codestream of JPEG 2000 (ISO/IEC 15444-1 annex A): what decodes stays, comments go."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from safelight.images.model import ImageError, Kind

if TYPE_CHECKING:
    from safelight.images.blanking import Blanks

_SOT, _SOD, _EOC, _COM, _SIZ = 0xFF90, 0xFF93, 0xFFD9, 0xFF64, 0xFF51
# CAP, SIZ, COD, COC, TLM, PLM, PLT, CPF, QCD, QCC, RGN, POC, PPM, PPT, CRG, PRF (also part 15).
_DECODING = frozenset(
    {0xFF50, _SIZ, 0xFF52, 0xFF53, 0xFF55, 0xFF57, 0xFF58, 0xFF59, 0xFF5C, 0xFF5D, 0xFF5E}
    | {0xFF5F, 0xFF60, 0xFF61, 0xFF63, 0xFF56}
)
_REGISTRATION = b"\0\1"  # Rcom of Latin text
_SOT_SIZE = 12
MOST_SEGMENTS = 200_000


def examine(blanks: Blanks, start: int, end: int) -> tuple[tuple[int, int], int]:
    """Blank the comments of all headers (A.9.2). Width and height (A.5.1) come back, and where
    the codestream ends. Raises ImageError where it breaks the rules.
    """
    data = blanks.data
    size = (0, 0)
    position = start + 2
    tile_start = tile_end = 0
    for _ in range(MOST_SEGMENTS):
        if position + 2 > end:
            break
        marker = int.from_bytes(data[position : position + 2])
        if marker == _EOC and not tile_end and size != (0, 0):
            return size, position + 2
        if marker == _SOD and tile_end:
            position, tile_end = _behind_tile(data, position, tile_start, tile_end, end), 0
            if position == end:
                # Without its end marker; decoders do not mind.
                return size, end
            continue
        if position + 4 > end:
            break
        length = int.from_bytes(data[position + 2 : position + 4])
        behind = position + 2 + length
        if length < 2 or behind > end or marker < 0xFF00:
            break
        if marker == _SOT and not tile_end:
            tile_start, tile_end = position, _tile_end(data, position, end)
        elif marker == _SIZ:
            right, bottom, left, top = struct.unpack_from(">IIII", data, position + 6)
            size = (right - left, bottom - top)
        elif marker not in _DECODING:
            _comment(blanks, position, behind)
        position = behind
    raise ImageError("This JPEG 2000 is cut off or damaged.")


def _tile_end(data: bytes, position: int, end: int) -> int:
    """Where a tile-part ends (Psot, A.4.2); the end of the data if it does not say."""
    (length,) = struct.unpack_from(">I", data, position + 6)
    behind = position + length if length else end
    if behind > end or 0 < length < _SOT_SIZE + 2:
        raise ImageError("This JPEG 2000 is cut off or damaged.")
    return behind


def _behind_tile(data: bytes, position: int, tile_start: int, tile_end: int, end: int) -> int:
    """Behind the data of a tile-part whose SOD stands at `position`."""
    if position + 2 > tile_end:
        raise ImageError("This JPEG 2000 is cut off or damaged.")
    if data[tile_start + 6 : tile_start + 10] != bytes(4):
        return tile_end
    # Nothing in the data of packets looks like a marker from FF90 on (B.10.1, D.2.3).
    found = data.find(_EOC.to_bytes(2), position, end)
    if found < 0:
        raise ImageError("This JPEG 2000 is cut off or damaged.")
    return found


def _comment(blanks: Blanks, position: int, behind: int) -> None:
    """A comment of spaces, also in place of a segment that nobody knows."""
    head = _COM.to_bytes(2) + blanks.data[position + 2 : position + 4] + _REGISTRATION
    blank = head.ljust(behind - position, b" ")
    if len(blank) != behind - position:
        raise ImageError("This JPEG 2000 is damaged.")
    if blanks.data[position:behind] != blank:
        blanks.find({Kind.COMMENT}, "comment in the codestream", position, behind)
        blanks.put(position, blank)

"""GIF (GIF87a, GIF89a): keep images, their control and their loop; replace other extensions."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from safelight.images import packed_ends, xmp
from safelight.images.blank import is_blank
from safelight.images.model import (
    Change,
    Edit,
    Examination,
    Finding,
    Format,
    ImageError,
    Kind,
    Length,
    UnalterableError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

EXTENSION, IMAGE, TRAILER = 0x21, 0x2C, 0x3B
_TEXT_GRID = 12  # bytes
_GRAPHIC_CONTROL, _COMMENT, _PLAIN_TEXT, _APPLICATION = 0xF9, 0xFE, 0x01, 0xFF
_LOOPS = frozenset({b"NETSCAPE2.0", b"ANIMEXTS1.0"})
_XMP = b"XMP DataXMP"
_SHORTEST_COMMENT = 3
_WIDEST = 12
MOST_BLOCKS = 1_000_000
MOST_REMOVALS = 50_000


@dataclass(slots=True)
class Walk:
    """What was found in `data`, a GIF or a piece of one."""

    data: bytes
    position: int = 13
    images: int = 0
    walkable: int = 2_000_000
    changes: list[Change] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def replace(self, start: int, end: int, kinds: set[Kind], place: str) -> None:
        self.findings += [Finding(kind, place, start, end) for kind in sorted(kinds)]
        self.changes.append(Change(start, end))
        if len(self.changes) > MOST_REMOVALS:
            raise ImageError("This GIF has too many parts.")


def examine(data: bytes) -> Examination:
    """Examine a GIF. Raises ImageError when it cannot be walked to its trailer."""
    if len(data) < 14:
        raise ImageError("This GIF is cut off.")
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    walk = Walk(data)
    walk.position += table_size(flags)
    for _ in range(MOST_BLOCKS):
        if _block(walk):
            break
    else:
        raise ImageError("This GIF has too many parts.")
    if not walk.images:
        raise ImageError("This GIF holds no picture.")
    return Examination(
        Format.GIF,
        width,
        height,
        1,
        tuple(walk.findings),
        partial(edits_of, tuple(walk.changes)),
    )


def table_size(flags: int) -> int:
    """Bytes of the colour table that a block with these flags has."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _block(walk: Walk) -> bool:
    """Walk over one block; True when it was the trailer."""
    data, start = walk.data, walk.position
    if start >= len(data):
        raise ImageError("This GIF is cut off.")
    introducer = data[start]
    if introducer == TRAILER:
        _after_trailer(walk, start + 1)
        return True
    if introducer == IMAGE:
        if start + 11 > len(data):
            raise ImageError("This GIF is cut off.")
        walk.images += 1
        # Descriptor, local colour table, the code size, then the compressed picture.
        codes = start + 10 + table_size(data[start + 9]) + 1
        walk.position = _sub_blocks_end(data, codes)
        _behind_pixels(walk, start, codes, walk.position)
    elif introducer == EXTENSION and start + 2 < len(data):
        walk.position = _sub_blocks_end(data, start + 2)
        examine_extension(walk, start, walk.position)
    else:
        raise ImageError("This GIF is damaged.")
    return False


def _behind_pixels(walk: Walk, start: int, codes: int, end: int) -> None:
    """Blank what the sub-blocks from `codes` to `end` hold behind the picture that begins at
    `start`: they end with the code for that, or are followed code by code, which takes long."""
    data, bits = walk.data, walk.data[codes - 1]
    if not 1 < bits < _WIDEST or packed_ends.ends_like_lzw(data[end - 4 : end - 1], bits):
        return
    packed = b"".join(sub_blocks(data[codes:end]))
    walk.walkable -= len(packed)
    if walk.walkable < 0 or packed_ends.ends_like_lzw(packed[-3:], bits):
        return
    width, height = struct.unpack_from("<HH", data, start + 5)
    used = packed_ends.lzw(packed, bits, width * height)
    if used is None or is_blank(packed, used):
        return
    blank, position = bytearray(data[codes:end]), 0
    while size := blank[position]:
        kept = min(size, max(used, 0))
        blank[position + 1 + kept : position + 1 + size] = bytes(size - kept)
        used -= size
        position += 1 + size
    walk.findings.append(Finding(Kind.UNKNOWN_DATA, "behind the pixels", codes, end))
    walk.changes.append(Change(codes, end, bytes(blank)))


def _sub_blocks_end(data: bytes, position: int) -> int:
    """Behind the zero-length block that ends a run of data sub-blocks."""
    while position < len(data):
        size = data[position]
        position += 1 + size
        if not size:
            return position
    raise ImageError("This GIF is cut off.")


def sub_blocks(data: bytes) -> Iterator[bytes]:
    """The contents of a run of data sub-blocks, as far as it goes."""
    position = 0
    while position < len(data) and data[position]:
        yield data[position + 1 : position + 1 + data[position]]
        position += 1 + data[position]


def examine_extension(walk: Walk, start: int, end: int) -> None:
    """Note what an extension tells and what becomes of it."""
    data = walk.data
    label = data[start + 1]
    if label == _GRAPHIC_CONTROL and end - start == 8:
        return
    if label == _PLAIN_TEXT:
        _plain_text(walk, start, end)
    elif label == _APPLICATION and data[start + 2] == 11:
        name = data[start + 3 : start + 14]
        if name in _LOOPS and _is_loop(data[start + 14 : end]):
            return
        walk.replace(start, end, _application_kinds(name, data[start:end]), "application extension")
    elif label == _COMMENT:
        if data[start:end] != _blank_comment(end - start):
            walk.replace(start, end, {Kind.COMMENT}, "comment extension")
    else:
        walk.replace(start, end, {Kind.UNKNOWN_DATA}, "extension of an unknown kind")


def _is_loop(blocks: bytes) -> bool:
    """A loop count, a buffer size, or both; anything longer hides something."""
    position = 0
    while position < len(blocks) and blocks[position]:
        known = {(3, 1), (5, 2)}
        if (blocks[position], blocks[position + 1] & 7) not in known:
            return False
        position += 1 + blocks[position]
    return position == len(blocks) - 1 and position <= 10


def _application_kinds(name: bytes, block: bytes) -> set[Kind]:
    if name == _XMP:
        return xmp.kinds(block)
    return {Kind.CONTENT_CREDENTIALS if name.startswith(b"C2PA") else Kind.UNKNOWN_DATA}


def _plain_text(walk: Walk, start: int, end: int) -> None:
    """Text drawn as a picture uses up the control block before it, so it stays, but blank."""
    data = walk.data
    blank = bytearray(data[start:end])
    # Twelve bytes say where and how it is drawn (section 25); the text follows.
    if blank[2] != _TEXT_GRID:
        walk.replace(start, end, {Kind.UNKNOWN_DATA}, "plain text extension")
        return
    position = 3 + _TEXT_GRID
    while size := blank[position]:
        blank[position + 1 : position + 1 + size] = b" " * size
        position += 1 + size
    if blank != data[start:end]:
        finding = Finding(Kind.COMMENT, "plain text extension", start, end)
        walk.findings.append(finding)
        walk.changes.append(Change(start, end, bytes(blank)))


def _after_trailer(walk: Walk, end: int) -> None:
    if not is_blank(walk.data, end):
        place = "after the end of the picture"
        finding = Finding(Kind.UNKNOWN_DATA, place, end, len(walk.data))
        walk.findings.append(finding)
        walk.changes.append(Change(end - 1, len(walk.data), trailer=True))


def _blank_comment(length: int) -> bytes:
    """A comment extension of spaces, `length` bytes in all; b"" where there can be none."""
    block = bytearray((EXTENSION, _COMMENT))
    rest = length - _SHORTEST_COMMENT
    if rest < 0 or rest == 1:
        return b""
    while rest:
        # A sub-block takes two bytes at least, so one byte must never be left over.
        size = min(256, rest) if rest != 257 else 255
        block += bytes([size - 1]) + b" " * (size - 1)
        rest -= size
    return bytes(block) + b"\0"


def edits_of(changes: tuple[Change, ...], length: Length) -> tuple[Edit, ...]:
    """The edits that make the changes of a walk. Raises UnalterableError."""
    edits = []
    for change in changes:
        spare = change.end - change.start - len(change.keep)
        end = bytes([TRAILER])
        if length is Length.COMPACT:
            edits.append(Edit(change.start, change.end, end if change.trailer else change.keep))
        elif change.trailer:
            blank = _blank_comment(spare - 1)
            # The trailer moves behind a blank comment, or zeros follow where none fits.
            filling = blank + end if blank else end + bytes(spare - 1)
            edits.append(Edit(change.start, change.end, filling))
        else:
            blank = _blank_comment(spare)
            if spare and not blank:
                raise UnalterableError(Format.GIF, Length.SAME_LENGTH)
            edits.append(Edit(change.start, change.end, change.keep + blank))
    return tuple(edits)

"""Which boxes of a movie stay, where, and how long they may be (ISO/IEC 14496-12, QuickTime)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from safelight.images.boxes import Box, boxes
from safelight.images.model import ImageError, Kind

if TYPE_CHECKING:
    from safelight.images.blanking import Blanks

CHILDREN: dict[bytes, frozenset[bytes]] = {
    b"moov": frozenset({b"mvhd", b"trak", b"mvex"}),
    b"trak": frozenset({b"tkhd", b"edts", b"mdia", b"tref", b"tapt"}),
    b"edts": frozenset({b"elst"}),
    b"tapt": frozenset({b"clef", b"prof", b"enof"}),
    b"mdia": frozenset({b"mdhd", b"hdlr", b"minf"}),
    b"minf": frozenset({b"vmhd", b"smhd", b"nmhd", b"hdlr", b"dinf", b"stbl"}),
    b"dinf": frozenset({b"dref"}),
    b"stbl": frozenset(
        b"stsd stts ctts cslg stsc stsz stz2 stco co64 stss stps stsh sdtp sbgp sgpd".split()
    ),
    b"mvex": frozenset({b"mehd", b"trex"}),
    b"moof": frozenset({b"mfhd", b"traf"}),
    b"traf": frozenset({b"tfhd", b"tfdt", b"trun", b"sdtp", b"sbgp", b"sgpd"}),
    b"mfra": frozenset({b"tfra", b"mfro"}),
}
PASSED_OVER = frozenset({b"free", b"skip", b"wide"})
# Payloads in bytes, for versions 0 and 1 of a box.
_SIZES = {
    b"mvhd": (100, 112),
    b"tkhd": (84, 96),
    b"mdhd": (24, 36),
    b"mehd": (8, 12),
    b"vmhd": (12, 12),
    b"smhd": (8, 8),
    b"nmhd": (4, 4),
    b"trex": (24, 24),
    b"mfhd": (8, 8),
    b"tfdt": (8, 12),
    b"mfro": (8, 8),
    b"clef": (12, 12),
    b"prof": (12, 12),
    b"enof": (12, 12),
    b"cslg": (24, 44),
}
# Bytes before the number of rows, and bytes of a row, for versions 0 and 1.
_ROWS = {
    b"stts": (4, 8, 8),
    b"ctts": (4, 8, 8),
    b"stsc": (4, 12, 12),
    b"stco": (4, 4, 4),
    b"co64": (4, 8, 8),
    b"stss": (4, 4, 4),
    b"stps": (4, 4, 4),
    b"stsh": (4, 8, 8),
    b"elst": (4, 12, 20),
}
# All others can be there once.
_SEVERAL = frozenset({b"trak", b"trex", b"traf", b"trun", b"sbgp", b"sgpd", b"tfra"})
# What a group of samples may be about, and in how many bytes: how far ahead decoding has to start.
_GROUPS = {b"roll": 2, b"prol": 2, b"rap ": 1, b"sync": 1, b"tele": 1}


def children(data: bytes, parent: Box) -> list[Box]:
    """The boxes inside. Raises ImageError where one of which there can only be one comes twice,
    since readers differ about which of them counts."""
    found = list(boxes(data, parent.payload, parent.end))
    known = CHILDREN[parent.type] - _SEVERAL
    single = [box.type for box in found if box.type in known]
    if len(single) != len(set(single)):
        raise ImageError("This movie says the same thing twice.")
    return found


def needed_size(data: bytes, box: Box) -> int | None:
    """How many bytes of its payload a box needs; None where only its contents can say."""
    version = data[box.payload] if box.end > box.payload else 0
    if box.type in _SIZES:
        return _SIZES[box.type][min(version, 1)]
    if box.type in _ROWS:
        before, *row = _ROWS[box.type]
        (count,) = struct.unpack_from(">I", data, box.payload + before)
        return before + 4 + int(count) * row[min(version, 1)]
    if box.type == b"stsz":
        same, count = struct.unpack_from(">II", data, box.payload + 4)
        return 12 if same else 12 + 4 * int(count)
    if box.type == b"stz2":
        bits, count = (
            data[box.payload + 7],
            int.from_bytes(data[box.payload + 8 : box.payload + 12]),
        )
        return 12 + (bits * count + 7) // 8
    if box.type in {b"sbgp", b"sgpd"}:
        known = data[box.payload + 4 : box.payload + 8] in _GROUPS
        return _group_size(data, box, version) if known else 0
    if box.type in {b"tfhd", b"trun"}:
        return _run_size(data, box)
    if box.type == b"tfra":
        return _random_access_size(data, box, version)
    return None


def _group_size(data: bytes, box: Box, version: int) -> int:
    """Section 8.9: which samples are in which group, or what groups say."""
    if box.type == b"sbgp":
        before = 12 if version else 8
        (count,) = struct.unpack_from(">I", data, box.payload + before)
        return before + 4 + 8 * int(count)
    entry = _GROUPS[data[box.payload + 4 : box.payload + 8]]
    size, count = struct.unpack_from(">II", data, box.payload + 8) if version == 1 else (entry, 0)
    if version == 0:
        (count,) = struct.unpack_from(">I", data, box.payload + 8)
    elif version > 1:
        (count,) = struct.unpack_from(">I", data, box.payload + 12)
    return (12 if version == 0 else 16) + entry * int(count) if size == entry else 0


def _run_size(data: bytes, box: Box) -> int:
    """Sections 8.8.7 and 8.8.8: fields that are there if flags say so."""
    flags = int.from_bytes(data[box.payload + 1 : box.payload + 4])
    if box.type == b"tfhd":
        return 8 + 8 * (flags & 1) + 4 * sum(flags >> bit & 1 for bit in (1, 3, 4, 5))
    (count,) = struct.unpack_from(">I", data, box.payload + 4)
    before = 8 + 4 * (flags & 1) + 4 * (flags >> 2 & 1)
    return before + 4 * int(count) * sum(flags >> bit & 1 for bit in (8, 9, 10, 11))


def _random_access_size(data: bytes, box: Box, version: int) -> int:
    """Section 8.8.10: rows of two places in the file and three numbers."""
    sizes, count = struct.unpack_from(">II", data, box.payload + 8)
    numbers = 3 + (sizes >> 4 & 3) + (sizes >> 2 & 3) + (sizes & 3)
    return 16 + int(count) * ((16 if version else 8) + int(numbers))


def trim(blanks: Blanks, box: Box) -> None:
    """Blank what stands in a box behind all that it can hold. Raises ImageError."""
    size = needed_size(blanks.data, box)
    if size is None:
        return
    if size == 0:
        free(blanks, box, {Kind.UNKNOWN_DATA}, f"{name(box)} box")
    elif box.payload + size > box.end:
        raise ImageError("This movie is damaged.")
    else:
        blanks.remove(
            box.payload + size, box.end, {Kind.UNKNOWN_DATA}, f"behind the {name(box)} box"
        )


def trim_rows(blanks: Blanks, box: Box, samples: int) -> None:
    """Leave out rows of a table of times that no sample has (14496-12 section 8.6.1)."""
    (count,) = struct.unpack_from(">I", blanks.data, box.payload + 4)
    start = box.payload + 8
    used = 0
    while used < count and samples > 0:
        samples -= int.from_bytes(blanks.data[start + 8 * used : start + 8 * used + 4])
        used += 1
    if used < count:
        blanks.put(box.payload + 4, used.to_bytes(4))
        blanks.remove(start + 8 * used, box.end, {Kind.UNKNOWN_DATA}, f"behind the {name(box)} box")


def name(box: Box) -> str:
    """The type of a box, for people."""
    return box.type.decode() if box.type.isalnum() else "unknown"


def free(blanks: Blanks, box: Box, kinds: set[Kind], place: str) -> None:
    """Make a box one that readers pass over: type `free`, payload of zeros."""
    if box.type in PASSED_OVER:
        blanks.remove(box.payload, box.end, kinds, place)
    else:
        blanks.put(box.start + 4, b"free")
        blanks.find(kinds, place, box.start, box.end)
        blanks.blank(box.payload, box.end)

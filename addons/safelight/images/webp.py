"""WebP (RFC 9649, a RIFF container): keep what decodes, replace the other chunks."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING

from safelight.images import exif, exif_kinds, icc, xmp
from safelight.images.blank import is_blank
from safelight.images.model import (
    Change,
    Edit,
    Examination,
    Format,
    Found,
    ImageError,
    Kind,
    Length,
    UnalterableError,
    looking,
)
from safelight.images.webp_chunks import KEPT, Order, chunks

if TYPE_CHECKING:
    from collections.abc import Callable

    from safelight.images.chunk import Chunk

_KEPT_AS_THEY_ARE = KEPT - {b"ICCP", b"ANMF"}
_KEPT_IN_FRAME = frozenset({b"ALPH", b"VP8 ", b"VP8L"})
_FILLER = b"JUNK"
_FLAGS = ((b"EXIF", 0x08), (b"XMP ", 0x04))
_START = attrgetter("start")
_FRAME_HEADER = 16


@dataclass(slots=True)
class Walk:
    """What was found in `data`, a WebP or a piece of one."""

    data: bytes
    width: int = 0
    height: int = 0
    orientation: int = 1
    changes: list[Change] = field(default_factory=list)
    found: list[Found] = field(default_factory=list)
    pixels: list[tuple[int, int]] = field(default_factory=list)

    def find(self, tells: Kind | Callable[[], set[Kind]], place: str, start: int, end: int) -> None:
        self.found.append(Found(tells, place, start, end))


def examine(data: bytes) -> Examination:
    """Examine a WebP. Raises ImageError when it cannot be walked to its end."""
    if len(data) < 20:
        raise ImageError("This WebP is cut off.")
    (size,) = struct.unpack_from("<I", data, 4)
    end = 8 + size
    if end > len(data):
        raise ImageError("This WebP is cut off.")
    walk = Walk(data)
    found = chunks(data, 12, end)
    order = Order()
    strays = {chunk.start for chunk in found if chunk.type in KEPT and not _fits(order, chunk)}
    if not order.is_whole:
        raise ImageError("This WebP holds no picture.")
    extended = found[0].type == b"VP8X"
    carriers = carriers_of(walk, found) if extended else {}
    for chunk in found:
        examine_chunk(walk, chunk, carriers, stray=chunk.start in strays)
    _dimensions(walk, found)
    _flags(walk, found, carriers)
    if not is_blank(data, end):
        place = "after the end of the picture"
        walk.find(Kind.UNKNOWN_DATA, place, end, len(data))
        walk.changes.append(Change(end, len(data), trailer=True))
    walk.changes.sort(key=_START)
    return Examination(
        Format.WEBP,
        walk.width,
        walk.height,
        walk.orientation,
        tuple(walk.found),
        partial(edits_of, end, tuple(walk.changes)),
        proven=tuple(walk.pixels),
    )


def _fits(order: Order, chunk: Chunk) -> bool:
    return order.has_place(chunk.type, chunk.payload_end - chunk.payload)


def carriers_of(walk: Walk, found: list[Chunk]) -> dict[int, bytes]:
    """What must stay of the first EXIF and XMP chunk, by where they start."""
    needed: dict[int, bytes] = {}
    block = _first(found, b"EXIF")
    silent = True
    if block is not None:
        payload = walk.data[block.payload : block.payload_end]
        prefix = b"Exif\0\0" if payload.startswith(b"Exif\0\0") else b""
        parsed = exif.parse(payload[len(prefix) :])
        rendering = parsed.rendering
        silent = rendering.orientation is None
        tiff = exif.minimal(exif.Rendering(rendering.orientation), 0, 0, parsed.copyright)
        if tiff:
            walk.orientation = rendering.orientation or 1
            needed[block.start] = prefix + tiff
    packet = _first(found, b"XMP ")
    if packet is not None and silent:
        minimal = xmp.minimal(xmp.orientation(walk.data[packet.payload : packet.payload_end]))
        if minimal:
            needed[packet.start] = minimal
    return needed


def _first(found: list[Chunk], type_: bytes) -> Chunk | None:
    for chunk in found:
        if chunk.type == type_:
            return chunk
    return None


def examine_chunk(
    walk: Walk, chunk: Chunk, carriers: dict[int, bytes], *, stray: bool = False
) -> None:
    """Note what a chunk tells and what becomes of it; `carriers` holds what must stay of some,
    by where they start. A stray one stays nowhere. Raises ImageError."""
    if chunk.type in _KEPT_AS_THEY_ARE and not stray:
        _keep(walk, chunk)
    elif stray:
        walk.find(Kind.UNKNOWN_DATA, "chunk that is never shown", chunk.start, chunk.end)
        walk.changes.append(Change(chunk.start, chunk.end))
    elif chunk.type == b"ICCP":
        _profile(walk, chunk)
    elif chunk.type == b"ANMF":
        _frame(walk, chunk)
    elif _is_filler(walk.data, chunk):
        _padding(walk, chunk)
    else:
        needed = carriers.get(chunk.start, b"")
        if walk.data[chunk.payload : chunk.payload_end] != needed:
            kept = _built(chunk.type, needed) if needed else b""
            kinds = partial(_kinds, chunk.type)
            look = looking(kinds, walk.data, chunk.payload, chunk.payload_end)
            walk.find(look, _place(chunk), chunk.start, chunk.end)
            walk.changes.append(Change(chunk.start, chunk.end, kept))


def _is_filler(data: bytes, chunk: Chunk) -> bool:
    return chunk.type == _FILLER and is_blank(data, chunk.payload, chunk.payload_end)


def _keep(walk: Walk, chunk: Chunk) -> None:
    if chunk.type in _KEPT_IN_FRAME:
        walk.pixels.append((chunk.start, chunk.payload_end))
    _padding(walk, chunk)


def _padding(walk: Walk, chunk: Chunk) -> None:
    """The byte that evens a chunk out is zero; another value would be a hiding place."""
    if chunk.end > chunk.payload_end and walk.data[chunk.payload_end]:
        walk.find(Kind.UNKNOWN_DATA, "padding of a chunk", chunk.payload_end, chunk.end)
        walk.changes.append(Change(chunk.payload_end, chunk.end, b"\0"))


def _profile(walk: Walk, chunk: Chunk) -> None:
    payload = walk.data[chunk.payload : chunk.payload_end]
    try:
        clean = icc.scrubbed(payload)
    except icc.ProfileError:
        # No decoder can use it, so nothing changes when it is blank.
        clean = bytes(len(payload))
    if clean != payload:
        walk.find(Kind.SOFTWARE, _place(chunk), chunk.payload, chunk.payload_end)
        walk.changes.append(Change(chunk.payload, chunk.payload_end, clean))
    _padding(walk, chunk)


def _frame(walk: Walk, frame: Chunk) -> None:
    """Chunks inside an animation frame. They are blanked in both lengths: no sizes change."""
    start = frame.payload + _FRAME_HEADER
    if start > frame.payload_end:
        raise ImageError("This WebP has a damaged frame.")
    order = Order()
    for chunk in chunks(walk.data, start, frame.payload_end):
        if chunk.type in _KEPT_IN_FRAME and _fits(order, chunk):
            _keep(walk, chunk)
        elif not _is_filler(walk.data, chunk):
            walk.find(Kind.UNKNOWN_DATA, "chunk inside a frame", chunk.start, chunk.end)
            blank = _FILLER + walk.data[chunk.start + 4 : chunk.payload]
            blank += bytes(chunk.end - chunk.payload)
            walk.changes.append(Change(chunk.start, chunk.end, blank))


def _dimensions(walk: Walk, found: list[Chunk]) -> None:
    first = found[0]
    payload = walk.data[first.payload : min(first.payload_end, first.payload + 10)]
    if first.type == b"VP8X" and len(payload) >= 10:
        walk.width = int.from_bytes(payload[4:7], "little") + 1
        walk.height = int.from_bytes(payload[7:10], "little") + 1
    elif first.type == b"VP8L" and len(payload) >= 5:
        bits = int.from_bytes(payload[1:5], "little")
        walk.width, walk.height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif first.type == b"VP8 " and len(payload) >= 10:
        width, height = struct.unpack_from("<HH", payload, 6)
        walk.width, walk.height = width & 0x3FFF, height & 0x3FFF
    else:
        raise ImageError("This WebP does not start as one.")


def _flags(walk: Walk, found: list[Chunk], carriers: dict[int, bytes]) -> None:
    """The VP8X flags say which metadata chunks there are; afterwards they must still be true."""
    first = found[0]
    if first.type != b"VP8X":
        return
    flags = walk.data[first.payload]
    kept = {chunk.type for chunk in found if chunk.start in carriers} if carriers else ()
    for type_, flag in _FLAGS:
        if type_ not in kept:
            flags &= ~flag
    if flags != walk.data[first.payload]:
        walk.changes.append(Change(first.payload, first.payload + 1, bytes([flags])))


def _kinds(type_: bytes, payload: bytes) -> set[Kind]:
    if type_ == b"EXIF":
        return exif_kinds.of_block(payload.removeprefix(b"Exif\0\0"))
    if type_ == b"XMP ":
        return xmp.kinds(payload)
    return {Kind.CONTENT_CREDENTIALS if type_ == b"C2PA" else Kind.UNKNOWN_DATA}


def _place(chunk: Chunk) -> str:
    known = chunk.type in KEPT or chunk.type in {b"EXIF", b"XMP ", b"C2PA"}
    return f"{chunk.type.decode().strip()} chunk" if known else "chunk of an unknown kind"


def _built(type_: bytes, data: bytes) -> bytes:
    return type_ + struct.pack("<I", len(data)) + data + bytes(len(data) & 1)


def edits_of(end: int, changes: tuple[Change, ...], length: Length) -> tuple[Edit, ...]:
    """The edits that make the changes of a walk; `end` is where the RIFF chunk ends. Raises
    UnalterableError."""
    edits = []
    riff_size = end - 8
    for change in changes:
        spare = change.end - change.start - len(change.keep)
        filler = b""
        if length is Length.COMPACT:
            riff_size -= 0 if change.trailer else spare
        elif change.trailer and (spare < 8 or (spare | end) & 1):
            filler = bytes(spare)
        elif spare >= 8:
            filler = _FILLER + struct.pack("<I", spare - 8) + bytes(spare - 8)
            riff_size += spare if change.trailer else 0
        elif spare:
            raise UnalterableError(Format.WEBP, Length.SAME_LENGTH)
        edits.append(Edit(change.start, change.end, change.keep + filler))
    if riff_size != end - 8:
        edits.insert(0, Edit(4, 8, struct.pack("<I", riff_size)))
    return tuple(edits)

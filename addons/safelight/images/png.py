"""PNG and APNG (W3C PNG, third edition): keep the chunks that are needed, replace the others."""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from safelight.images import exif, exif_kinds, icc, png_order, png_text, xmp
from safelight.images.blank import is_blank
from safelight.images.model import (
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
from safelight.images.png_chunks import OVERHEAD, built, chunks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from safelight.images.chunk import Chunk

# Private, ancillary, safe to copy: nobody's but ours (section 5.4).
_FILLER = b"paDd"
PIXELS = frozenset({b"IDAT", b"fdAT"})
_TEXTS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
_CARRYING = _TEXTS | {b"eXIf"}
_RAW_PROFILE = re.compile(rb"Raw profile type (?:exif|APP1)")
_SILENT = exif.ExifBlock()
_CHUNK_KINDS = {
    b"tIME": Kind.CAPTURE_TIME,
    b"caBX": Kind.CONTENT_CREDENTIALS,
    b"skRf": Kind.EDIT_HISTORY,
    b"prVW": Kind.THUMBNAIL,
    b"mkBF": Kind.EDIT_HISTORY,
    b"mkBT": Kind.EDIT_HISTORY,
}


class _Change(NamedTuple):
    """Put a chunk `type` with `data` (no chunk if it is empty) in place of bytes."""

    start: int
    end: int
    type: bytes = b""
    data: bytes = b""
    trailer: bool = False


@dataclass(slots=True)
class Carriers:
    """Which chunk may say the orientation: decoders look at them in this order."""

    block: exif.ExifBlock = _SILENT
    exif: Chunk | None = None
    raw_profile: Chunk | None = None
    xmp: Chunk | None = None
    orientation: int = 1

    def note(self, walk: Walk, chunk: Chunk) -> None:
        """Remember the chunk if it is the first of its kind."""
        if chunk.type == b"eXIf" and self.exif is None:
            self.exif = chunk
            self.block = exif.parse(_tiff(walk.payload(chunk)))
            self.orientation = exif.turning(self.block.rendering)
        elif chunk.type in _TEXTS:
            keyword = png_text.keyword_of(walk.payload(chunk))
            if _RAW_PROFILE.fullmatch(keyword) and self.raw_profile is None:
                self.raw_profile = chunk
            elif keyword == png_text.XMP_KEYWORD and self.xmp is None:
                self.xmp = chunk


@dataclass(slots=True)
class Walk:
    """What was found in `data`, a PNG or a piece of one."""

    data: bytes
    width: int = 0
    height: int = 0
    changes: list[_Change] = field(default_factory=list)
    found: list[Found] = field(default_factory=list)

    def payload(self, chunk: Chunk) -> bytes:
        return self.data[chunk.payload : chunk.payload_end]


def examine(data: bytes, proven: Iterable[tuple[int, int]] = ()) -> Examination:
    """Examine a PNG. Raises ImageError when it cannot be walked to its end.

    IDAT chunks that are `proven` to follow each other are not walked again.
    """
    walk = Walk(data)
    found = chunks(data, proven)
    types = [chunk.type for chunk in found]
    if b"IHDR" not in types[:2]:
        raise ImageError("This PNG does not start as one.")
    if b"IDAT" not in types:
        raise ImageError("This PNG holds no picture.")
    header = found[types.index(b"IHDR")]
    if header.payload_end - header.payload != 13:
        raise ImageError("This PNG has a damaged header.")
    walk.width, walk.height = struct.unpack_from(">II", data, header.payload)
    carriers = Carriers()
    for chunk in found:
        if chunk.type in _CARRYING:
            carriers.note(walk, chunk)
    order = png_order.Order()
    pixels = []
    for chunk in found:
        if chunk.type not in PIXELS or not order.has_place(chunk.type):
            examine_chunk(walk, chunk, carriers, order)
        elif chunk.type == b"IDAT":
            pixels.append((chunk.start, chunk.end))
    _trailer(walk, found[-1])
    return Examination(
        Format.PNG,
        walk.width,
        walk.height,
        carriers.orientation,
        tuple(walk.found),
        partial(edits_of, tuple(walk.changes)),
        proven=tuple(pixels),
    )


def examine_chunk(walk: Walk, chunk: Chunk, carriers: Carriers, order: png_order.Order) -> None:
    """Note what a chunk tells and what has to become of it; pixels come here only where they have
    no place. Raises ImageError."""
    payload = walk.payload(chunk)
    if chunk.type in png_order.KEPT:
        if chunk.type in PIXELS or not order.has_place(chunk.type):
            _replace(walk, chunk, b"", Kind.UNKNOWN_DATA)
        elif chunk.type == b"iCCP":
            _profile(walk, chunk, payload)
        else:
            _fixed(walk, chunk, payload, order)
    elif chunk.type == _FILLER and is_blank(payload):
        return
    elif chunk.type[0:1].isupper():
        raise ImageError("This PNG has a part of a kind that is not known.")
    else:
        needed = _needed(walk, chunk, payload, carriers)
        if needed is None or needed != payload:
            kinds = partial(_kinds, chunk.type)
            look = looking(kinds, walk.data, chunk.payload, chunk.payload_end)
            _replace(walk, chunk, needed or b"", look)


def _fixed(walk: Walk, chunk: Chunk, payload: bytes, order: png_order.Order) -> None:
    """Blank what no decoder reads of a chunk. Its length stays, since some decoders pass over
    chunks that are too long, and others do not."""
    used = order.used(chunk.type, payload)
    if not is_blank(payload, used):
        _replace(walk, chunk, payload[:used].ljust(len(payload), b"\0"), Kind.UNKNOWN_DATA)


def _needed(walk: Walk, chunk: Chunk, payload: bytes, carriers: Carriers) -> bytes | None:
    """What must stay of a chunk that can carry the orientation; None for nothing."""
    if chunk is carriers.exif:
        block = carriers.block
        tiff = exif.minimal(block.rendering, walk.width, walk.height, block.copyright)
        return _padded(tiff, payload)
    if carriers.exif is not None:
        return None
    if chunk is carriers.raw_profile:
        return _minimal_raw_profile(walk, chunk, payload)
    if chunk is carriers.xmp and carriers.raw_profile is None:
        packet = xmp.minimal(xmp.orientation(png_text.content(chunk.type, payload)))
        return png_text.XMP_KEYWORD + b"\0\0\0\0\0" + packet if packet else None
    return None


def _padded(tiff: bytes, like: bytes) -> bytes | None:
    """A TIFF structure ends where its values do, so zeros behind it are nobody's."""
    if not tiff:
        return None
    spare = len(like) - len(tiff)
    return tiff + bytes(spare) if 0 < spare < OVERHEAD else tiff


def _minimal_raw_profile(walk: Walk, chunk: Chunk, payload: bytes) -> bytes | None:
    text = png_text.content(chunk.type, payload)
    digits = re.sub(rb"\s", b"", text.split(b"\n", 3)[-1]) if text.count(b"\n") >= 3 else b""
    try:
        block = bytes.fromhex(digits.decode("ascii"))
    except ValueError:
        return None
    prefix = b"Exif\0\0" if block.startswith(b"Exif\0\0") else b""
    parsed = exif.parse(_tiff(block))
    turned = exif.Rendering(parsed.rendering.orientation)
    tiff = exif.minimal(turned, walk.width, walk.height, parsed.copyright)
    if not tiff:
        return None
    profile = prefix + tiff
    text = b"\nexif\n%8d\n%s\n" % (len(profile), profile.hex().encode())
    keyword = png_text.keyword_of(payload)
    if chunk.type == b"tEXt":
        return keyword + b"\0" + text
    if chunk.type == b"zTXt":
        return keyword + b"\0\0" + zlib.compress(text, 9)
    return keyword + b"\0\0\0\0\0" + text


def _profile(walk: Walk, chunk: Chunk, payload: bytes) -> None:
    name, _, rest = payload.partition(b"\0")
    profile, behind = png_text.unpacked(rest[1:]) if rest[:1] == b"\0" else (None, b"")
    try:
        clean = icc.scrubbed(profile or b"")
    except icc.ProfileError:
        # No decoder can use it, so nothing changes without it.
        _replace(walk, chunk, b"", Kind.UNKNOWN_DATA)
        return
    if clean == profile and not behind and not name.removeprefix(b"ICC").strip(b"_"):
        return
    compressed = _packed(clean)
    data = b"ICC\0\0" + compressed
    # The name is free text of up to 79 bytes: it takes up what is too little for a filler chunk.
    spare = len(payload) - len(data)
    if 0 < spare < OVERHEAD:
        data = b"ICC" + b"_" * spare + b"\0\0" + compressed
    _replace(walk, chunk, data, Kind.SOFTWARE)


@icc.remembered
def _packed(profile: bytes) -> bytes:
    return zlib.compress(profile, 9)


def _trailer(walk: Walk, end: Chunk) -> None:
    if not is_blank(walk.data, end.end):
        start = end.end
        place = "after the end of the picture"
        walk.found.append(Found(Kind.UNKNOWN_DATA, place, start, len(walk.data)))
        walk.changes.append(_Change(end.start, len(walk.data), b"IEND", trailer=True))


def _kinds(type_: bytes, payload: bytes) -> set[Kind]:
    if type_ in _TEXTS:
        return png_text.kinds(type_, payload)
    if type_ in {b"eXIf", b"exIf", b"zxIf"}:
        return exif_kinds.of_block(_tiff(payload))
    return {_CHUNK_KINDS.get(type_, Kind.UNKNOWN_DATA)}


def _tiff(block: bytes) -> bytes:
    return block.removeprefix(b"Exif\0\0")


def _replace(walk: Walk, chunk: Chunk, data: bytes, tells: Kind | Callable[[], set[Kind]]) -> None:
    place = f"{chunk.type.decode('ascii')} chunk"
    walk.found.append(Found(tells, place, chunk.start, chunk.end))
    walk.changes.append(_Change(chunk.start, chunk.end, chunk.type if data else b"", data))


def edits_of(changes: tuple[_Change, ...], length: Length) -> tuple[Edit, ...]:
    """The edits that make the changes of a walk. Raises UnalterableError."""
    edits = []
    for change in changes:
        kept = built(change.type, change.data) if change.type else b""
        spare = change.end - change.start - len(kept)
        if length is Length.COMPACT:
            edits.append(Edit(change.start, change.end, kept))
        elif change.trailer and spare < OVERHEAD:
            edits.append(Edit(change.start + OVERHEAD, change.end, bytes(spare)))
        elif change.trailer:
            # IEND moves to the end of the file, so that nothing stands behind it.
            filler = built(_FILLER, bytes(spare - OVERHEAD))
            edits.append(Edit(change.start, change.end, filler + kept))
        elif spare == 0:
            edits.append(Edit(change.start, change.end, kept))
        elif spare >= OVERHEAD:
            filler = built(_FILLER, bytes(spare - OVERHEAD))
            edits.append(Edit(change.start, change.end, kept + filler))
        else:
            raise UnalterableError(Format.PNG, Length.SAME_LENGTH)
    return tuple(edits)

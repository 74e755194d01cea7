"""JPEG XL (ISO/IEC 18181-2): the codestream stays; metadata boxes, also compressed ones, go, and so
do names and what stands behind the codestream.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from safelight.images import exif, exif_kinds, jxl_codestream, xmp
from safelight.images.blank import is_blank
from safelight.images.blanking import Blanks
from safelight.images.boxes import Box, boxes_of_file
from safelight.images.model import (
    Edit,
    Examination,
    Format,
    ImageError,
    Kind,
    Length,
    UnalterableError,
    told,
)

_SIGNATURE_BOX = b"JXL "
KEPT = frozenset({b"JXL ", b"ftyp", b"jxll", b"jxlc", b"jxlp"})
# Sections 9.2 to 9.4: these can only be as long as this.
_PAYLOADS = {b"JXL ": 4, b"ftyp": 12, b"jxll": 1}
_BRANDS = b"jxl \0\0\0\0jxl "
_LAST_PART = 0x80000000
NAKED = jxl_codestream.SIGNATURE
_SHORTEST_GAIN_MAP = 10
_MOST_GAIN_NUMBERS = 200
# Not `free`: some readers then take the file for a movie.
FILLER = b"skip"
_KINDS = {
    b"jumb": {Kind.CONTENT_CREDENTIALS},
    b"jbrd": {Kind.UNKNOWN_DATA},
    b"brob": {Kind.UNKNOWN_DATA},
}


@dataclass(slots=True)
class Order:
    """Which boxes of the picture have come: each once, save for the parts of one codestream."""

    seen: set[bytes] = field(default_factory=set)
    ended: bool = False

    def check(self, type_: bytes, size: int, start: bytes) -> None:
        """A box that stays, with `size` bytes of payload that begin with `start`, 4 of them if
        there are. Raises ImageError where it has no business."""
        again = type_ in self.seen and type_ != b"jxlp"
        if again or size != _PAYLOADS.get(type_, size) or (type_ == b"jxlp" and self.ended):
            raise ImageError("This JPEG XL holds more than one picture, or is damaged.")
        self.seen.add(type_)
        if type_ == b"jxlp":
            self.ended = bool(int.from_bytes(start[:4]) & _LAST_PART)
        if {b"jxlc", b"jxlp"} <= self.seen:
            raise ImageError("This JPEG XL holds more than one picture.")

    @property
    def is_whole(self) -> bool:
        """Did the picture come to its end?"""
        return b"jxlc" in self.seen or self.ended


def examine(data: bytes) -> Examination:
    """Examine a JPEG XL. Raises ImageError when its boxes do not fit.

    Width and height are 0: what reads them is not asked.
    """
    blanks = Blanks(data)
    if data.startswith(NAKED):
        blanks.remove_trailer(jxl_codestream.scrub(blanks, 0, len(data)))
        return Examination(Format.JXL, 0, 0, 1, tuple(blanks.findings), blanks.edits)
    found, end = boxes_of_file(data, KEPT)
    blanks.remove_trailer(end, FILLER)
    order = Order()
    for box in found:
        if box.type in KEPT:
            order.check(box.type, box.end - box.payload, data[box.payload : box.payload + 4])
    if not order.is_whole:
        raise ImageError("This JPEG XL holds no whole picture.")
    carrier = next((box for box in found if box.type == b"Exif"), None)
    needed = _minimal_exif(data, carrier) if carrier else b""
    goes = [box for box in found if not _stays(data, box)]
    goes = [box for box in goes if box is not carrier or data[box.start : box.end] != needed]
    for box in goes:
        blanks.find(_kinds(data, box), _place(box), box.start, box.end)
    _codestream(blanks, found)
    for box in found:
        if box.type == b"ftyp" and data[box.payload : box.end] != _BRANDS:
            blanks.find({Kind.UNKNOWN_DATA}, "ftyp box", box.start, box.end)
            blanks.put(box.payload, _BRANDS)

    def plan(length: Length) -> tuple[Edit, ...]:
        edits = list(blanks.edits(length))
        for box in goes:
            kept = needed if box is carrier else b""
            if length is Length.COMPACT:
                edits.append(Edit(box.start, box.end, kept))
            elif not kept:
                edits += skipped(data, box)
            else:
                edits.append(Edit(box.start, box.end, kept + _filler(box, len(kept))))
        return tuple(sorted(edits, key=lambda edit: edit.start))

    return Examination(Format.JXL, 0, 0, 1, tuple(blanks.findings), plan)


def _codestream(blanks: Blanks, found: list[Box]) -> None:
    """The picture in its box, in its parts, or of a gain map."""
    data = blanks.data
    place = "behind the end of the codestream"
    for box in found:
        if box.type == b"jxlc" or (box.type == b"jhgm" and _is_gain_map(data, box)):
            start = box.payload if box.type == b"jxlc" else _gain_map_start(data, box)
            end = jxl_codestream.scrub(blanks, start, box.end)
            blanks.remove(end, box.end, {Kind.UNKNOWN_DATA}, place)
    parts = [(box.payload + 4, box.end) for box in found if box.type == b"jxlp"]
    if parts:
        inner = Blanks(b"".join(data[start:end] for start, end in parts))
        end = jxl_codestream.scrub(inner, 0, len(inner.data))
        inner.remove(end, len(inner.data), {Kind.UNKNOWN_DATA}, place)
        for one in told(inner.findings):
            blanks.find({one.kind}, one.place, parts[0][0], parts[-1][1])
        blanks.carry(inner, parts)


def _minimal_exif(data: bytes, box: Box) -> bytes:
    """The codestream says how to turn the picture, but some viewers go by Exif: a box with that
    number alone, or b""."""
    prefix, block = _exif_block(data[box.payload : box.end])
    parsed = exif.parse(block)
    tiff = exif.minimal(exif.Rendering(parsed.rendering.orientation), 0, 0, parsed.copyright)
    size = 8 + len(prefix) + len(tiff)
    return size.to_bytes(4) + b"Exif" + prefix + tiff if tiff else b""


def _exif_block(payload: bytes) -> tuple[bytes, bytes]:
    """What stands before the TIFF structure, and that itself. Before it stands an offset, which
    some writers leave out."""
    if payload[:4] in (b"II*\0", b"MM\0*"):
        return b"", payload
    return bytes(4), payload[4 + int.from_bytes(payload[:4]) :]


def _filler(box: Box, used: int) -> bytes:
    spare = box.end - box.start - used
    if not spare:
        return b""
    if spare < 8:
        raise UnalterableError(Format.JXL, Length.SAME_LENGTH)
    return spare.to_bytes(4) + FILLER + bytes(spare - 8)


def skipped(data: bytes, box: Box) -> tuple[Edit, Edit]:
    """The edits that make a box one that readers skip: its type and its payload."""
    type_at = box.start + 4
    blank = bytes(box.end - box.payload)
    header = data[type_at + 4 : box.payload]
    return Edit(type_at, box.payload, FILLER + header), Edit(box.payload, box.end, blank)


def is_skipped(data: bytes, box: Box) -> bool:
    """Is this a box that `skipped` left?"""
    return box.type == FILLER and is_blank(data, box.payload, box.end)


def _stays(data: bytes, box: Box) -> bool:
    return box.type in KEPT or is_skipped(data, box) or _is_gain_map(data, box)


def _is_gain_map(data: bytes, box: Box) -> bool:
    """A picture that says how much brighter each place is on an HDR screen: its numbers, its
    colours in two ways, its codestream (section 9.12)."""
    if box.type != b"jhgm" or data[box.payload] or box.end - box.payload < _SHORTEST_GAIN_MAP:
        return False
    numbers = int.from_bytes(data[box.payload + 1 : box.payload + 3])
    start = _gain_map_start(data, box)
    return numbers <= _MOST_GAIN_NUMBERS and data[start : min(start + 2, box.end)] == NAKED


def _gain_map_start(data: bytes, box: Box) -> int:
    """Where the codestream of a gain map begins."""
    colours = box.payload + 3 + int.from_bytes(data[box.payload + 1 : box.payload + 3])
    profile = colours + 1 + data[min(colours, box.end - 1)]
    return profile + 4 + int.from_bytes(data[profile : profile + 4])


def _kinds(data: bytes, box: Box) -> set[Kind]:
    payload = data[box.payload : box.end]
    if box.type == b"Exif":
        return exif_kinds.of_block(_exif_block(payload)[1])
    if box.type == b"xml ":
        return xmp.kinds(payload)
    return _KINDS.get(box.type, {Kind.UNKNOWN_DATA})


def _place(box: Box) -> str:
    known = box.type in {b"Exif", b"xml ", *_KINDS}
    return f"{box.type.decode().strip()} box" if known else "box of an unknown kind"

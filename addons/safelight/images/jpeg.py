"""JPEG: what its segments carry, and how to take it out (T.81, JFIF 1.02, Exif, ICC.1 annex B)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from safelight.images import exif, icc, iptc, jpeg_segments, xmp
from safelight.images.jpeg_segments import COM, SOF, End, Segment, Stray
from safelight.images.model import Edit, Examination, Finding, Format, ImageError, Kind, Length

_EXIF = (b"Exif\0\0", b"Exif\0\xff")
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_XMP_EXTENSION = b"http://ns.adobe.com/xmp/extension/\0"
_ICC = b"ICC_PROFILE\0"
_FILLER = 0xEF  # APP15: nobody shows it, unlike a comment
_KINDS_BY_SIGNATURE = (
    (0xE0, b"JFXX\0", Kind.THUMBNAIL),
    (0xE1, _XMP_EXTENSION, Kind.EDIT_HISTORY),
    (0xE1, b"FLIR\0", Kind.DEVICE),
    (0xE2, b"MPF\0", Kind.THUMBNAIL),
    (0xE2, b"FPXR\0", Kind.THUMBNAIL),
    (0xE3, b"Meta", Kind.DEVICE),
    (0xE5, b"ssuniqueid", Kind.DEVICE_SERIAL),
    (0xE6, b"GoPro\0", Kind.LOCATION),
    (0xEB, b"JP", Kind.CONTENT_CREDENTIALS),
    (0xEC, b"Ducky", Kind.SOFTWARE),
    (0xEC, b"", Kind.DEVICE),
)


@dataclass(frozen=True, slots=True)
class _Change:
    """Put `keep` (whole segments) in place of `data[start:end]`; the rest of it goes."""

    start: int
    end: int
    keep: bytes = b""
    trailer: bool = False


@dataclass(slots=True)
class _Walk:
    data: bytes
    width: int = 0
    height: int = 0
    block: exif.ExifBlock | None = None
    xmp_orientation: int | None = None
    changes: list[_Change] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    profile: list[Segment] = field(default_factory=list)

    def find(self, kinds: set[Kind], place: str, start: int, end: int) -> None:
        self.findings += [Finding(kind, place, start, end) for kind in sorted(kinds)]


def examine(data: bytes) -> Examination:
    """Examine a JPEG. Raises ImageError when it cannot be walked to its end."""
    walk = _Walk(data)
    exifs: list[Segment] = []
    packets: list[Segment] = []
    seen: set[int] = set()
    for item in jpeg_segments.walk(data):
        if isinstance(item, Stray):
            walk.changes.append(_Change(item.start, item.end))
            walk.find({Kind.UNKNOWN_DATA}, "between segments", item.start, item.end)
        elif isinstance(item, End):
            _trailer(walk, item.end)
        elif item.marker in SOF:
            if not walk.width:
                walk.height = int.from_bytes(data[item.payload + 1 : item.payload + 3])
                walk.width = int.from_bytes(data[item.payload + 3 : item.payload + 5])
        elif item.is_application or item.marker == COM:
            payload = data[item.payload : item.payload + 64]
            if item.marker == 0xE1 and payload.startswith(_EXIF):
                exifs.append(item)
            elif item.marker == 0xE1 and payload.startswith(_XMP):
                packets.append(item)
            elif item.marker == 0xE2 and payload.startswith(_ICC):
                walk.profile.append(item)
            else:
                _other(walk, item, seen)
    if not walk.width:
        raise ImageError("This JPEG holds no picture.")
    _exif(walk, exifs)
    _xmp(walk, packets)
    _profile(walk)
    walk.changes.sort(key=lambda change: change.start)
    walk.findings.sort(key=lambda finding: finding.start)
    return Examination(
        Format.JPEG,
        walk.width,
        walk.height,
        exif.turning(walk.block.rendering) if walk.block else 1,
        tuple(walk.findings),
        partial(_edits, tuple(walk.changes)),
    )


def _trailer(walk: _Walk, end: int) -> None:
    trailer = walk.data[end:]
    if not trailer.strip(b"\0"):
        return
    if b"ftyp" in trailer[:4096] or b"MotionPhoto" in trailer[-4096:]:
        kind = Kind.VOICE_OR_VIDEO
    else:
        kind = Kind.THUMBNAIL if b"\xff\xd8\xff" in trailer[:4096] else Kind.UNKNOWN_DATA
    walk.find({kind}, "after the end of the picture", end, len(walk.data))
    walk.changes.append(_Change(end, len(walk.data), trailer=True))


def _exif(walk: _Walk, segments: list[Segment]) -> None:
    for number, segment in enumerate(segments):
        start = segment.payload + 6
        block = exif.parse(walk.data[start : segment.end])
        keep = b""
        if number == 0:
            walk.block = block
            needed = exif.minimal(block.rendering, walk.width, walk.height)
            keep = _segment(0xE1, b"Exif\0\0" + needed) if needed else b""
        _replace(walk, segment, keep, block.kinds or {Kind.UNKNOWN_DATA}, "APP1 Exif")


def _xmp(walk: _Walk, segments: list[Segment]) -> None:
    """Decoders that look for an orientation in XMP do so only when Exif has none."""
    exif_decides = walk.block is not None and walk.block.rendering.orientation is not None
    for number, segment in enumerate(segments):
        packet = walk.data[segment.payload + len(_XMP) : segment.end]
        needed = b"" if exif_decides or number else xmp.minimal(xmp.orientation(packet))
        keep = _segment(0xE1, _XMP + needed) if needed else b""
        _replace(walk, segment, keep, xmp.kinds(packet), "APP1 XMP")


def _profile(walk: _Walk) -> None:
    if not walk.profile:
        return
    head = len(_ICC) + 2
    chunks = [walk.data[one.payload + head : one.end] for one in walk.profile]
    profile = b"".join(chunks)
    try:
        clean = icc.scrubbed(profile)
    except icc.ProfileError:
        for segment in walk.profile:
            _replace(walk, segment, b"", {Kind.UNKNOWN_DATA}, "APP2 ICC profile")
        return
    position = 0
    for segment, chunk in zip(walk.profile, chunks, strict=True):
        part = clean[position : position + len(chunk)]
        position += len(chunk)
        head_bytes = walk.data[segment.payload : segment.payload + head]
        _replace(
            walk, segment, _segment(0xE2, head_bytes + part), {Kind.SOFTWARE}, "APP2 ICC profile"
        )


def _other(walk: _Walk, segment: Segment, seen: set[int]) -> None:
    """Segments that are kept in part, once, or not at all."""
    payload = walk.data[segment.payload : segment.end]
    keep = b""
    if segment.marker == 0xE0 and payload.startswith(b"JFIF\0") and len(payload) >= 14:
        keep = _segment(0xE0, payload[:12] + b"\0\0")
    elif segment.marker == 0xE0 and payload.startswith(b"AVI1"):
        keep = _segment(0xE0, payload[:14])
    elif segment.marker == 0xEE and payload.startswith(b"Adobe") and len(payload) >= 12:
        keep = _segment(0xEE, payload[:12])
    elif segment.marker == _FILLER and not payload.strip(b"\0"):
        return
    if segment.marker in seen:
        keep = b""
    if keep:
        seen.add(segment.marker)
    _replace(walk, segment, keep, _kinds(segment.marker, payload), _place(segment.marker))


def _kinds(marker: int, payload: bytes) -> set[Kind]:
    if marker == COM:
        return {Kind.COMMENT}
    if marker == 0xE0 and payload.startswith(b"JFIF\0"):
        return {Kind.THUMBNAIL}
    if marker == 0xED and payload.startswith(b"Photoshop 3.0\0"):
        return iptc.kinds(payload[14:])
    for known, signature, kind in _KINDS_BY_SIGNATURE:
        if marker == known and payload.startswith(signature):
            return {kind}
    return {Kind.UNKNOWN_DATA}


def _place(marker: int) -> str:
    return "comment segment" if marker == COM else f"APP{marker - 0xE0} segment"


def _replace(walk: _Walk, segment: Segment, keep: bytes, kinds: set[Kind], place: str) -> None:
    """Plan to put `keep` in the segment's place, unless that is what stands there."""
    if walk.data[segment.start : segment.end] == keep:
        return
    walk.find(kinds, place, segment.start, segment.end)
    walk.changes.append(_Change(segment.start, segment.end, keep))


def _segment(marker: int, payload: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2) + payload


def _edits(changes: tuple[_Change, ...], length: Length) -> tuple[Edit, ...]:
    if length is Length.COMPACT:
        return tuple(Edit(one.start, one.end, one.keep) for one in changes)
    return tuple(Edit(one.start, one.end, one.keep + _filling(one)) for one in changes)


def _filling(change: _Change) -> bytes:
    spare = change.end - change.start - len(change.keep)
    if spare < 0:
        raise ImageError("This JPEG cannot be cleaned without changing its length.")
    if change.trailer:
        return bytes(spare)
    if spare < 4:
        return b"\xff" * spare  # fill bytes before the next marker: T.81 B.1.1.2
    segments = bytearray()
    while spare:
        # Strays may be longer than a segment can be; never leave less than a segment needs.
        size = spare if spare <= 0xFFFF + 2 else min(spare - 4, 0xFFFF + 2)
        segments += _segment(_FILLER, bytes(size - 4))
        spare -= size
    return bytes(segments)

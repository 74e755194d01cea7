"""JPEG: what its segments carry, and how to take it out (T.81, JFIF 1.02, Exif, ICC.1 annex B)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING

from safelight.images import exif, exif_kinds, icc, iptc, jpeg_segments, xmp
from safelight.images.blank import is_blank
from safelight.images.jpeg_segments import APP0, COM
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

if TYPE_CHECKING:
    from collections.abc import Callable

    from safelight.images.jpeg_segments import Segment, Stream

_EXIF = (b"Exif\0\0", b"Exif\0\xff")
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_XMP_EXTENSION = b"http://ns.adobe.com/xmp/extension/\0"
_ICC = b"ICC_PROFILE\0"
_START = attrgetter("start")
_APP1, _APP2 = 0xE1, 0xE2
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


class Keeper:
    """What stays of segments that can carry more than metadata; here: the orientation."""

    def tiff(self, minimal: bytes, original: bytes) -> bytes:
        """What stays of the Exif block `original`, whose rendering needs `minimal`."""
        del original
        return minimal

    def packet(self, original: bytes, orientation: int | None) -> bytes:
        """What stays of an XMP packet; `orientation` is None where Exif decides it."""
        del original
        return xmp.minimal(orientation)

    def segment(self, segment: Segment, payload: bytes) -> bytes | None:
        """What stays of another application segment; None for what is usual."""
        del segment, payload
        return None


@dataclass(slots=True)
class Walk:
    """What was found in one stream."""

    data: bytes
    stream: Stream
    keeper: Keeper
    block: exif.ExifBlock | None = None
    changes: list[Change] = field(default_factory=list)
    found: list[Found] = field(default_factory=list)
    profile: list[Segment] = field(default_factory=list)

    def find(self, tells: Kind | Callable[[], set[Kind]], place: str, start: int, end: int) -> None:
        self.found.append(Found(tells, place, start, end))


def examine(data: bytes) -> Examination:
    """Examine a JPEG. Raises ImageError when it cannot be walked to its end."""
    return examine_stream(data, jpeg_segments.walk(data))


def examine_stream(data: bytes, stream: Stream) -> Examination:
    """Examine a JPEG that was walked already."""
    walk = look_into(data, stream, Keeper())
    _trailer(walk)
    return examination(walk, partial(edits_of, tuple(walk.changes)))


def examination(walk: Walk, plan: Callable[[Length], tuple[Edit, ...]]) -> Examination:
    """The examination that a walk and a plan make."""
    return Examination(
        Format.JPEG,
        walk.stream.width,
        walk.stream.height,
        exif.turning(walk.block.rendering) if walk.block else 1,
        tuple(walk.found),
        plan,
        proven=tuple(walk.stream.coded),
    )


def look_into(data: bytes, stream: Stream, keeper: Keeper) -> Walk:
    """Look into the segments of a stream, and plan the changes. Raises ImageError."""
    if not stream.width:
        raise ImageError("This JPEG holds no picture.")
    walk = Walk(data, stream, keeper)
    exifs: list[Segment] = []
    packets: list[Segment] = []
    seen: set[int] = set()
    for segment in stream.segments:
        if segment.marker == _APP1 and data.startswith(_EXIF, segment.payload):
            exifs.append(segment)
        elif segment.marker == _APP1 and data.startswith(_XMP, segment.payload):
            packets.append(segment)
        elif segment.marker == _APP2 and data.startswith(_ICC, segment.payload):
            walk.profile.append(segment)
        else:
            _other(walk, segment, seen)
    for start, end in stream.strays:
        walk.changes.append(Change(start, end))
        walk.find(Kind.UNKNOWN_DATA, "between segments", start, end)
    _exif(walk, exifs)
    _xmp(walk, packets)
    _profile(walk)
    walk.changes.sort(key=_START)
    walk.found.sort(key=_START)
    return walk


def _trailer(walk: Walk) -> None:
    end = walk.stream.end
    if is_blank(walk.data, end):
        return
    first, last = walk.data[end : end + 4096], walk.data[max(end, len(walk.data) - 4096) :]
    if b"ftyp" in first or b"MotionPhoto" in last:
        kind = Kind.VOICE_OR_VIDEO
    else:
        kind = Kind.THUMBNAIL if b"\xff\xd8\xff" in first else Kind.UNKNOWN_DATA
    walk.find(kind, "after the end of the picture", end, len(walk.data))
    walk.changes.append(Change(end, len(walk.data), trailer=True))


def _exif(walk: Walk, segments: list[Segment]) -> None:
    stream = walk.stream
    for number, segment in enumerate(segments):
        start = segment.payload + 6
        tiff = walk.data[start : segment.end]
        keep = b""
        if number == 0:
            block = walk.block = exif.parse(tiff)
            minimal = exif.minimal(block.rendering, stream.width, stream.height, block.copyright)
            needed = walk.keeper.tiff(minimal, tiff)
            keep = marker_segment(_APP1, b"Exif\0\0" + needed) if needed else b""
        look = looking(exif_kinds.of_block, walk.data, start, segment.end)
        _replace(walk, segment, keep, look, "Exif")


def _xmp(walk: Walk, segments: list[Segment]) -> None:
    """Decoders that look for an orientation in XMP do so only when Exif has none."""
    exif_decides = walk.block is not None and walk.block.rendering.orientation is not None
    for number, segment in enumerate(segments):
        start = segment.payload + len(_XMP)
        packet = walk.data[start : segment.end]
        orientation = None if exif_decides else xmp.orientation(packet)
        needed = b"" if number else walk.keeper.packet(packet, orientation)
        keep = marker_segment(_APP1, _XMP + needed) if needed else b""
        _replace(walk, segment, keep, looking(xmp.kinds, walk.data, start, segment.end), "XMP")


def _profile(walk: Walk) -> None:
    if not walk.profile:
        return
    head = len(_ICC) + 2
    # Decoders put the parts together by their numbers (ICC.1 B.4), not by their places.
    walk.profile.sort(key=lambda one: walk.data[one.payload + head - 2 : one.payload + head])
    chunks = [walk.data[one.payload + head : one.end] for one in walk.profile]
    profile = b"".join(chunks)
    try:
        clean = icc.scrubbed(profile)
    except icc.ProfileError:
        for segment in walk.profile:
            _replace(walk, segment, b"", Kind.UNKNOWN_DATA, "ICC profile")
        return
    position = 0
    for segment, chunk in zip(walk.profile, chunks, strict=True):
        part = clean[position : position + len(chunk)]
        position += len(chunk)
        head_bytes = walk.data[segment.payload : segment.payload + head]
        keep = marker_segment(_APP2, head_bytes + part)
        _replace(walk, segment, keep, Kind.SOFTWARE, "ICC profile")


def _other(walk: Walk, segment: Segment, seen: set[int]) -> None:
    """Segments that are kept in part, once, or not at all."""
    payload = walk.data[segment.payload : segment.end]
    keep = b""
    special = walk.keeper.segment(segment, payload)
    if special is not None:
        _replace(walk, segment, special, Kind.THUMBNAIL)
        return
    if segment.marker == APP0 and payload.startswith(b"JFIF\0") and len(payload) >= 14:
        keep = marker_segment(APP0, payload[:12] + b"\0\0")
    elif segment.marker == APP0 and payload.startswith(b"AVI1"):
        keep = marker_segment(APP0, payload[:14])
    elif segment.marker == 0xEE and payload.startswith(b"Adobe") and len(payload) >= 12:
        keep = marker_segment(0xEE, payload[:12])
    elif segment.marker == _FILLER and is_blank(payload):
        return
    if segment.marker in seen:
        keep = b""
    if keep:
        seen.add(segment.marker)
    kinds = partial(_kinds, segment.marker)
    _replace(walk, segment, keep, looking(kinds, walk.data, segment.payload, segment.end))


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


def _replace(
    walk: Walk,
    segment: Segment,
    keep: bytes,
    tells: Kind | Callable[[], set[Kind]],
    name: str = "segment",
) -> None:
    """Plan to put `keep` in the segment's place, unless that is what stands there."""
    if walk.data[segment.start : segment.end] == keep:
        return
    marker = "comment" if segment.marker == COM else f"APP{segment.marker - APP0}"
    walk.find(tells, f"{marker} {name}", segment.start, segment.end)
    walk.changes.append(Change(segment.start, segment.end, keep))


def marker_segment(marker: int, payload: bytes) -> bytes:
    """A whole segment: marker, length, payload."""
    return bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2) + payload


def edits_of(changes: tuple[Change, ...], length: Length) -> tuple[Edit, ...]:
    """The edits that make `changes`. Raises UnalterableError when the length cannot be kept."""
    if length is Length.COMPACT:
        return tuple([Edit(one.start, one.end, one.keep) for one in changes])
    return tuple(Edit(one.start, one.end, one.keep + _filling(one)) for one in changes)


def _filling(change: Change) -> bytes:
    """What takes up the room that is left of a change, so that the length stays."""
    spare = change.end - change.start - len(change.keep)
    if spare < 0:
        raise UnalterableError(Format.JPEG, Length.SAME_LENGTH)
    if change.trailer:
        return bytes(spare)
    if spare < 4:
        return b"\xff" * spare  # fill bytes before the next marker: T.81 B.1.1.2
    segments = bytearray()
    while spare:
        # Strays may be longer than a segment can be; never leave less than a segment needs.
        size = spare if spare <= 0xFFFF + 2 else min(spare - 4, 0xFFFF + 2)
        segments += marker_segment(_FILLER, bytes(size - 4))
        spare -= size
    return bytes(segments)

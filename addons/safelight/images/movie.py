"""The `moov` and `moof` boxes of movies and image sequences (ISO/IEC 14496-12, QuickTime): what
plays stays; times, names, places and whatever nobody needs to play it are blanked in place.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from safelight.images import movie_boxes, movie_entries, movie_samples, sphere
from safelight.images.boxes import Box, boxes
from safelight.images.heif_items import KEPT_AUXILIARIES
from safelight.images.model import ImageError, Kind
from safelight.images.movie_boxes import free, name
from safelight.images.movie_shown import Shown, notes

if TYPE_CHECKING:
    from safelight.images.blanking import Blanks

_TIMES = frozenset({b"mvhd", b"tkhd", b"mdhd"})
# Reserved, or (QuickTime) about previews and selections, in version 0.
_RESERVED = {b"mvhd": ((26, 36), (72, 96)), b"tkhd": ((24, 32), (38, 40))}
# Text goes: action cameras and drones write where they are into subtitles.
_SHOWN = frozenset({b"vide", b"soun", b"pict", b"auxv", b"clcp"})
_REFERENCES = frozenset({b"auxl", b"dpnd", b"sync", b"fall", b"sbas", b"scal", b"tbas"})
_MOST_REFERENCES, _HIGHEST_TRACK = 64, 65_535
_SELF_CONTAINED = 1
MOST_TRACKS = 64


def scrub(blanks: Blanks, moov: Box) -> Shown:
    """Blank what a `moov` box says besides how to play; what plays comes back. Raises ImageError
    where it is damaged, or plays nothing that is known."""
    shown = Shown(defaults=movie_samples.defaults_of(blanks.data, moov))
    tracks = 0
    extends = []
    for box in movie_boxes.children(blanks.data, moov):
        tracks += box.type == b"trak"
        if tracks > MOST_TRACKS:
            raise ImageError("This movie has too many tracks.")
        if box.type == b"trak" and _handler(blanks.data, box) not in _SHOWN:
            kinds = {Kind.LOCATION, Kind.UNKNOWN_DATA}
            free(blanks, box, kinds, "track of metadata")
        elif box.type == b"trak" and _refers(blanks.data, box, b"thmb"):
            free(blanks, box, {Kind.THUMBNAIL}, "track of thumbnails")
        elif box.type == b"trak" and not _is_kept_auxiliary(blanks.data, box):
            free(blanks, box, {Kind.DEPTH_MAP}, "auxiliary track")
        elif box.type == b"trak":
            _track(blanks, box, shown)
        elif box.type == b"mvex":
            extends.append(box)
        else:
            _child(blanks, moov, box)
    for box in extends:
        _by_track(blanks, box, b"trex", shown)
    if not shown.tracks:
        raise ImageError("This movie holds no picture and no sound of a kind that is known.")
    return shown


def _by_track(blanks: Blanks, parent: Box, type_: bytes, shown: Shown) -> None:
    """Boxes of `type_` inside `parent` each speak of a track (14496-12 sections 8.8.3, 8.8.10)."""
    data = blanks.data
    seen = set()
    for box in movie_boxes.children(data, parent):
        track = int.from_bytes(data[box.payload + 4 : box.payload + 8])
        if box.type == type_ and (track not in shown.tracks or track in seen):
            free(blanks, box, {Kind.UNKNOWN_DATA}, f"{name(box)} box")
        else:
            _child(blanks, parent, box)
        if box.type == type_:
            seen.add(track)


def scrub_tracks(blanks: Blanks, top: list[Box], moov: Box) -> list[tuple[int, int]]:
    """Blank what a whole file's `moov` and fragments say; where the samples of what is shown
    stand comes back. Raises ImageError."""
    shown = scrub(blanks, moov)
    for box in top:
        if box.type == b"moof":
            _fragment(blanks, box, shown)
        elif box.type == b"mfra":
            _by_track(blanks, box, b"tfra", shown)
    blanks.put_all(notes(blanks.data, shown), {Kind.SOFTWARE}, "message to decoders")
    return shown.samples


def _children(blanks: Blanks, parent: Box) -> None:
    for box in movie_boxes.children(blanks.data, parent):
        _child(blanks, parent, box)


def _child(blanks: Blanks, parent: Box, box: Box) -> None:
    """A box inside `parent` that no track decides about."""
    if box.type not in movie_boxes.CHILDREN[parent.type]:
        free(blanks, box, _kinds(blanks.data[box.payload : box.end]), f"{name(box)} box")
        return
    movie_boxes.trim(blanks, box)
    if box.type in _TIMES:
        _blank_times(blanks, box)
    elif box.type == b"hdlr":
        blank_handler_name(blanks, box)
    elif box.type == b"dref":
        _data_references(blanks, box)
    elif box.type == b"tref":
        _track_references(blanks, box)
    elif box.type in movie_boxes.CHILDREN:
        _children(blanks, box)


def _track(blanks: Blanks, trak: Box, shown: Shown) -> None:
    data = blanks.data
    handler = _handler(data, trak)
    header, table = _find(data, trak, b"tkhd"), _find(data, trak, b"mdia", b"minf", b"stbl")
    if header is None or table is None:
        raise ImageError("This movie is damaged.")
    for box in movie_boxes.children(data, trak):
        if box.type != b"uuid" or not sphere.scrub(blanks, box):
            _child(blanks, trak, box)
    described = movie_entries.Description(movie_samples.Packing(), None)
    samples = None
    for box in boxes(data, table.payload, table.end):
        if box.type == b"stsd":
            described = movie_entries.scrub(blanks, box, handler)
        elif box.type in {b"stsz", b"stz2"}:
            (samples,) = struct.unpack_from(">I", data, box.payload + 8)
    for box in boxes(data, table.payload, table.end):
        if box.type == b"sdtp":
            end = box.payload + 4 + (samples or 0)
            blanks.remove(min(end, box.end), box.end, {Kind.UNKNOWN_DATA}, "behind the sdtp box")
        elif box.type in {b"stts", b"ctts"} and samples is not None:
            movie_boxes.trim_rows(blanks, box, samples)
    wide = data[header.payload] == 1
    number = header.payload + (20 if wide else 12)
    track = int.from_bytes(data[number : number + 4])
    if track in shown.tracks:
        raise ImageError("This movie says the same thing twice.")
    shown.tracks[track] = described.coding
    shown.add(track, movie_samples.of_track(data, table, described.packing))


def _fragment(blanks: Blanks, moof: Box, shown: Shown) -> None:
    data = blanks.data
    for run in movie_samples.of_fragment(data, moof, shown.tracks, shown.defaults):
        shown.add(run[0], [(run[1], run[2])])
    for box in boxes(data, moof.payload, moof.end):
        header = _find(data, box, b"tfhd") if box.type == b"traf" else None
        track = int.from_bytes(data[header.payload + 4 : header.payload + 8]) if header else 0
        if header is not None and track not in shown.tracks:
            free(blanks, box, {Kind.LOCATION, Kind.UNKNOWN_DATA}, "fragment of metadata")
        else:
            _child(blanks, moof, box)


def _kinds(payload: bytes) -> set[Kind]:
    kinds = set()
    if b"\xa9xyz" in payload or b"location" in payload or b"loci" in payload:
        kinds.add(Kind.LOCATION)
    if b"\xa9mak" in payload or b"\xa9mod" in payload or b"quicktime.make" in payload:
        kinds.add(Kind.DEVICE)
    if b"\xa9day" in payload or b"creationdate" in payload:
        kinds.add(Kind.CAPTURE_TIME)
    if b"\xa9swr" in payload or b"\xa9too" in payload or b"software" in payload:
        kinds.add(Kind.SOFTWARE)
    return kinds or {Kind.UNKNOWN_DATA}


def _blank_times(blanks: Blanks, box: Box) -> None:
    """Creation and modification time, 4 or 8 bytes each behind version and flags."""
    size = 16 if blanks.data[box.payload] == 1 else 8
    start = box.payload + 4
    blanks.remove(start, start + size, {Kind.CAPTURE_TIME}, f"{name(box)} box")
    shift = 12 if blanks.data[box.payload] == 1 else 0
    for begin, end in _RESERVED.get(box.type, ()):
        first = box.payload + shift + begin
        blanks.remove(first, first - begin + end, {Kind.UNKNOWN_DATA}, f"{name(box)} box")


def blank_handler_name(blanks: Blanks, box: Box) -> None:
    """Maker and name in an `hdlr` box are free text."""
    blanks.remove(min(box.payload + 12, box.end), box.end, {Kind.SOFTWARE}, "hdlr box")


def _data_references(blanks: Blanks, dref: Box) -> None:
    """Samples stand in this file: what more an entry says is a path on somebody's disk."""
    for entry in boxes(blanks.data, dref.payload + 8, dref.end):
        if not blanks.data[entry.payload + 3] & _SELF_CONTAINED:
            raise ImageError("This movie takes its contents from another file.")
        blanks.remove(entry.payload + 4, entry.end, {Kind.UNKNOWN_DATA}, "place of another file")


def _track_references(blanks: Blanks, tref: Box) -> None:
    """The numbers of other tracks; nobody numbers them so high that letters would be such."""
    place = "reference to a track"
    for box in boxes(blanks.data, tref.payload, tref.end):
        if box.type not in _REFERENCES:
            free(blanks, box, {Kind.UNKNOWN_DATA}, place)
            continue
        end = min(box.payload + 4 * _MOST_REFERENCES, box.end - (box.end - box.payload) % 4)
        for position in range(box.payload, end, 4):
            if int.from_bytes(blanks.data[position : position + 4]) > _HIGHEST_TRACK:
                blanks.remove(position, position + 4, {Kind.UNKNOWN_DATA}, place)
        blanks.remove(end, box.end, {Kind.UNKNOWN_DATA}, place)


def _find(data: bytes, box: Box, *path: bytes) -> Box | None:
    for type_ in path:
        inner = next((one for one in boxes(data, box.payload, box.end) if one.type == type_), None)
        if inner is None:
            return None
        box = inner
    return box


def _refers(data: bytes, trak: Box, type_: bytes) -> bool:
    """Does a track belong to another as `type_` says?"""
    return _find(data, trak, b"tref", type_) is not None


def _is_kept_auxiliary(data: bytes, trak: Box) -> bool:
    """Is a track shown, or does it say what of another is transparent (23008-12 section 7.5.3)?"""
    described = _find(data, trak, b"mdia", b"minf", b"stbl", b"stsd")
    if _refers(data, trak, b"vdep"):
        return False
    if described is None or _handler(data, trak) not in movie_entries.PICTURES:
        return True
    return all(
        movie_entries.auxiliary_type(data, entry) in {b"", *KEPT_AUXILIARIES}
        for entry in boxes(data, described.payload + 8, described.end)
    )


def _handler(data: bytes, trak: Box) -> bytes:
    box = _find(data, trak, b"mdia", b"hdlr")
    if box is None:
        raise ImageError("This movie is damaged.")
    return data[box.payload + 8 : box.payload + 12]


def dimensions(data: bytes, moov: Box) -> tuple[int, int]:
    """Width and height in pixels of the first track that is seen; 0 where there is none."""
    for box in boxes(data, moov.payload, moov.end):
        header = _find(data, box, b"tkhd") if box.type == b"trak" else None
        if header is not None and header.end - header.payload >= 84:
            width, height = struct.unpack_from(">II", data, header.end - 8)
            if width and height:
                return width >> 16, height >> 16
    return 0, 0

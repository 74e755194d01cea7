"""The segments of a JPEG stream (ITU-T T.81 annex B), walked without decoding a pixel."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import stringzilla

from safelight.images.model import ImageError

if TYPE_CHECKING:
    from collections.abc import Iterable

SOF = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
SOI, EOI, SOS, APP0, COM = 0xD8, 0xD9, 0xDA, 0xE0, 0xFE
_DECODING = SOF | {0xC4, 0xCC, 0xDB, 0xDC, 0xDD, SOS}
_KNOWN = _DECODING | {COM, *range(APP0, 0xF0)}
STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
DQT, DHT, DAC = 0xDB, 0xC4, 0xCC
# Lines and restart intervals (T.81 B.2.4.4 and B.2.5).
_SIZES = {0xDC: 2, 0xDD: 2}
_MOST_CONDITIONINGS = 32
_LENGTH, _SIZE = struct.Struct(">H"), struct.Struct(">HH")
_MARKERS = frozenset(bytes((0xFF, code)) for code in range(1, 0xFF))
_MARKER = re.compile(rb"\xff[^\x00\xff]")
# What each byte is in a scan: FF, what may follow that (T.81 B.1.1.5), or what makes it a marker.
_FOLLOWING = frozenset({0x00, *range(0xD0, 0xD8)})
_IN_SCAN = bytes(255 if one == 0xFF else int(one not in _FOLLOWING) for one in range(256))
_MARKER_IN_SCAN = b"\xff\x01"
# A scan is looked at in pieces that stay in the processor's cache; many are short.
_FIRST_PIECE, _LARGEST_PIECE = 1 << 17, 1 << 18
MOST_SEGMENTS = 20_000


class Segment(NamedTuple):
    """A marker segment: its marker code, where it starts and ends, where its payload starts."""

    marker: int
    start: int
    payload: int
    end: int


@dataclass(slots=True)
class Stream:
    """What stands between SOI and EOI besides tables. Width and height are in pixels; `segments`
    are those of applications, and comments. `strays` are bytes outside scans that belong to no
    segment: decoders skip them. `coded` are scans with the tables right before them, and all that
    follow each other so as one. `end` is behind EOI.
    """

    width: int = 0
    height: int = 0
    segments: list[Segment] = field(default_factory=list)
    strays: list[tuple[int, int]] = field(default_factory=list)
    coded: list[tuple[int, int]] = field(default_factory=list)
    end: int = 0


def walk(data: bytes, proven: Iterable[tuple[int, int]] = ()) -> Stream:
    """Walk from SOI to EOI. Raises ImageError where the stream breaks the rules.

    Scans and tables that are `proven` to stand there as they should are not looked at again.
    """
    known = dict(proven)
    stream = Stream()
    position = 2
    run = run_end = 0
    in_scan = False
    for _ in range(MOST_SEGMENTS):
        if position in known:
            run, run_end = position, known[position]
            stream.coded.append((run, run_end))
            position = run_end
            in_scan = False
            continue
        marker_at = position
        if data[position : position + 2] not in _MARKERS:
            marker_at = _next_marker(data, position)
            if not in_scan and data[position:marker_at].strip(b"\xff"):
                stream.strays.append((position, marker_at))
        marker = data[marker_at + 1]
        if marker == EOI:
            stream.end = marker_at + 2
            return stream
        if marker in STANDALONE:
            position = marker_at + 2
            in_scan = bool(stream.coded)
            continue
        position = end_of_segment(data, marker_at)
        in_scan = False
        if marker >= APP0:
            stream.segments.append(Segment(marker, marker_at, marker_at + 4, position))
            continue
        if marker in SOF and not stream.width:
            # This has to be read each time, so it is no part of a run.
            stream.height, stream.width = _SIZE.unpack_from(data, marker_at + 5)
            continue
        if run_end != marker_at:
            run = marker_at
        if marker == SOS:
            position = _scan_end(data, position)
            if stream.coded and stream.coded[-1][0] == run:
                stream.coded.pop()
            stream.coded.append((run, position))
        run_end = position
    raise ImageError("This JPEG has too many segments.")


def _next_marker(data: bytes, position: int) -> int:
    """Where the next marker's last FF stands; what is skipped are fill bytes or stray ones."""
    match = _MARKER.search(data, position)
    if match is None:
        raise ImageError("This JPEG is cut off.")
    return match.start()


def end_of_segment(data: bytes, start: int) -> int:
    """Behind the segment whose marker stands at `start`. Raises ImageError where that is not known,
    or the segment not as long as what it holds."""
    marker = data[start + 1]
    if marker not in _KNOWN:
        raise ImageError("This JPEG has a segment of a kind that is not known.")
    payload = start + 4
    length: int = _LENGTH.unpack_from(data, start + 2)[0] if payload <= len(data) else 0
    end = start + 2 + length
    if length < 2 or end > len(data):
        raise ImageError("This JPEG is cut off or damaged.")
    if marker in _DECODING and _needed(data, marker, payload, end) != length - 2:
        raise ImageError("This JPEG is damaged, or hides something in its tables.")
    return end


def _needed(data: bytes, marker: int, payload: int, end: int) -> int:
    """How many bytes of payload a segment has that decoding needs (T.81 B.2.2 to B.2.5)."""
    position = payload
    if marker == DHT:
        while position < end:
            position += 17 + sum(data[position + 1 : position + 17])
    elif marker == DQT:
        while position < end:
            position += 65 + 64 * (data[position] >> 4)
    elif marker in SOF:
        return 6 + 3 * data[payload + 5]
    elif marker == SOS:
        return 4 + 2 * data[payload]
    elif marker == DAC:
        return min((end - payload) // 2, _MOST_CONDITIONINGS) * 2
    else:
        return _SIZES[marker]
    return position - payload


def marker_in_scan(data: bytes | bytearray, position: int = 0) -> int | None:
    """Where the first marker stands that ends a scan; None if the scan goes on beyond `data`.

    Translated to three kinds of bytes, there is one pattern to look for, and both are done about
    as fast as bytes are copied.
    """
    size = _FIRST_PIECE
    while position < len(data):
        piece = stringzilla.translate(data, _IN_SCAN, start=position, end=position + size + 1)
        found: int = stringzilla.find(piece, _MARKER_IN_SCAN)
        if found >= 0:
            return position + found
        position += size
        size = _LARGEST_PIECE
    return None


def _scan_end(data: bytes, position: int) -> int:
    end = marker_in_scan(data, position)
    if end is None:
        raise ImageError("This JPEG is cut off.")
    return end

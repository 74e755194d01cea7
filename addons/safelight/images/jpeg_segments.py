"""The segments of a JPEG stream (ITU-T T.81 annex B), walked without decoding a pixel."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import stringzilla

from safelight.images.model import ImageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SOF = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
SOI, EOI, SOS, APP0, COM = 0xD8, 0xD9, 0xDA, 0xE0, 0xFE
_DECODING = SOF | {0xC4, 0xCC, 0xDB, 0xDC, 0xDD, SOS}
_KNOWN = _DECODING | {COM, *range(APP0, 0xF0)}
STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
DQT, DHT, DAC = 0xDB, 0xC4, 0xCC
# Lines and restart intervals (T.81 B.2.4.4 and B.2.5).
_SIZES = {0xDC: 2, 0xDD: 2}
_MOST_CONDITIONINGS = 32
_NO_MARKER = frozenset({b"\0", b"\xff", b""})
_MARKER = re.compile(rb"\xff[^\x00\xff]")
# What each byte is in a scan: FF, what may follow that (T.81 B.1.1.5), or what makes it a marker.
_FOLLOWING = frozenset({0x00, *range(0xD0, 0xD8)})
_IN_SCAN = bytes(255 if one == 0xFF else int(one not in _FOLLOWING) for one in range(256))
_MARKER_IN_SCAN = b"\xff\x01"
# A scan is looked at in pieces that stay in the processor's cache; many are short.
_FIRST_PIECE, _LARGEST_PIECE = 1 << 14, 1 << 18
MOST_SEGMENTS = 20_000


class Segment(NamedTuple):
    """A marker segment: its marker code, where it starts and ends, where its payload starts."""

    marker: int
    start: int
    payload: int
    end: int


class Stray(NamedTuple):
    """Bytes outside scans that belong to no segment; decoders skip them."""

    start: int
    end: int


class Scan(NamedTuple):
    """Entropy-coded data in which no marker stands."""

    start: int
    end: int


class End(NamedTuple):
    """The end of the stream: `start` is where EOI stands, `end` the byte behind it."""

    start: int
    end: int


type Item = Segment | Stray | Scan | End


def walk(data: bytes, start: int = 0, proven: Iterable[tuple[int, int]] = ()) -> Iterator[Item]:
    """Every segment from SOI to EOI. Raises ImageError where the stream breaks the rules.

    Scans that are `proven` to hold no marker are not looked at again.
    """
    known = dict(proven)
    position = start + 2
    scanned = in_scan = False
    for _ in range(MOST_SEGMENTS):
        marker_at = _next_marker(data, position)
        if marker_at > position and not in_scan and data[position:marker_at].strip(b"\xff"):
            yield Stray(position, marker_at)
        marker = data[marker_at + 1]
        if marker == EOI:
            yield End(marker_at, marker_at + 2)
            return
        if marker in STANDALONE:
            position = marker_at + 2
            in_scan = scanned
            continue
        segment = segment_at(data, marker_at)
        yield segment
        position = segment.end
        in_scan = False
        if marker == SOS:
            end = known.get(position) or _scan_end(data, position)
            yield Scan(position, end)
            position = end
            scanned = True
    raise ImageError("This JPEG has too many segments.")


def _next_marker(data: bytes, position: int) -> int:
    """Where the next marker's last FF stands; what is skipped are fill bytes or stray ones."""
    if data.startswith(b"\xff", position) and data[position + 1 : position + 2] not in _NO_MARKER:
        return position
    match = _MARKER.search(data, position)
    if match is None:
        raise ImageError("This JPEG is cut off.")
    return match.start()


def segment_at(data: bytes, start: int) -> Segment:
    """The segment whose marker stands at `start`. Raises ImageError where it is not known, or not
    as long as what it holds."""
    marker = data[start + 1]
    if marker not in _KNOWN:
        raise ImageError("This JPEG has a segment of a kind that is not known.")
    length = int.from_bytes(data[start + 2 : start + 4])
    end = start + 2 + length
    if length < 2 or end > len(data):
        raise ImageError("This JPEG is cut off or damaged.")
    if marker in _DECODING and _needed(data, marker, start + 4, end) != length - 2:
        raise ImageError("This JPEG is damaged, or hides something in its tables.")
    return Segment(marker, start, start + 4, end)


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
        size = min(4 * size, _LARGEST_PIECE)
    return None


def _scan_end(data: bytes, position: int) -> int:
    end = marker_in_scan(data, position)
    if end is None:
        raise ImageError("This JPEG is cut off.")
    return end

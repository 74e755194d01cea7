"""Notice a picture that starts somewhere inside other data, such as a protobuf message."""

from __future__ import annotations

import re

import stringzilla

_MARKER = rb"\xff[\xc0-\xc4\xdb\xdd\xe0-\xef\xfe]"
# Signatures long enough not to occur by chance, with a byte that no typed text has; JPEG's is
# checked further.
_START = re.compile(
    rb"\xff\xd8(?=" + _MARKER + rb")"
    rb"|\x89PNG\r\n\x1a\n(?=\0\0\0\rIHDR\0\0..\0\0|\x00\x00\x00\x04CgBI|.{0,15}\Z)"
    rb"|GIF8[79]a(?=.[\x00-\x1f].[\x00-\x1f])"
    rb"|RIFF....WEBP(?=VP8[ LX])"
    rb"|\0\0[\0-\x0f].ftyp(?:hei[cxms]|hev[cx]|mif[12]|msf1|avi[fs]"
    rb"|iso[m2456]|mp4[12v]|avc1|qt  |M4V |3gp[456]|MSNV|dash)"
    rb"|\0\0\0\x0c(?:JXL|jP ) \r\n\x87\n"
    rb"|\xff\x4f\xff\x51\0[\x29-\x59]..\0[\0-\x0f]..\0[\0-\x0f]"
    rb"|8BPS\0[\x01\x02]\0{6}"
    rb"|%PDF-[12]\.\d[\r\n]{1,2}%[\x80-\xff]{2}"
    rb"|Exif\0\0(?:II\*\0|MM\0\*)"
    rb"|II\*\0...[\0-\x0f]|MM\0\*[\0-\x0f]...",
    re.DOTALL,
)

# Each of the signatures holds one of these, so many bytes behind its start.
_ANCHORS = (
    *((anchor, (0,)) for anchor in (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"\xff\x4f\xff\x51")),
    *((anchor, (0,)) for anchor in (b"8BPS\0", b"%PDF-")),
    *((anchor, (8,)) for anchor in (b"WEBP", b"\r\n\x87\n")),
    (b"ftyp", (4,)),
    *((anchor, (6, 0)) for anchor in (b"II*\0", b"MM\0*")),
)
ANCHORS = tuple(anchor for anchor, _ in _ANCHORS)
_FURTHEST_ANCHOR = 8
_MOST_TRIED = 1000
_HUFFMAN, _QUANTISATION, _FILLER, _COMMENT = 0xC4, 0xDB, 0xEF, 0xFE
_FAR_ENOUGH = 64
# Up to four tables of 64 numbers, of one byte each or two.
_QUANTISATION_LENGTHS = {
    2 + 65 * short + 129 * (tables - short) for tables in range(1, 5) for short in range(tables + 1)
}
_NO_TEXT = re.compile(rb"[\0-\x08\x0b\x0c\x0e-\x1f]")
_MOST_COMMENTS = 16  # in a row
# What a segment begins with: quiet sound has the markers, but nothing of this behind them.
_SEGMENT = re.compile(
    rb"\xff(?:"
    rb"[\xe0-\xef]..[!-~]{2}"  # the name of an application
    rb"|\xef(?:..\0\0|\0[\x02\x03])"  # zeros in the place of a segment that was taken out
    rb"|[\xdb\xc4][\0-\x0f].[\0-\3\x10-\x13]"  # where a table goes
    rb"|[\xc0-\xc3]\0[\x0b\x0e\x11\x14][\x02-\x10]"  # bits per sample
    rb"|\xdd\x00\x04"
    rb"|\xfe[^\xff]"
    rb")",
    re.DOTALL,
)


def find_embedded(data: bytes | memoryview) -> int | None:
    """Where the first picture starts in `data`, or None. Time is linear in the data's size."""
    first: int | None = None
    for anchor, offsets in _ANCHORS:
        end = len(data) if first is None else first + _FURTHEST_ANCHOR
        found = _first(data, anchor, offsets, end)
        if found is not None and (first is None or found < first):
            first = found
    return first


def _first(
    data: bytes | memoryview, anchor: bytes, offsets: tuple[int, ...], end: int
) -> int | None:
    """Where the first picture starts whose `anchor` stands before `end`."""
    at: int = -1
    for _ in range(_MOST_TRIED):
        at = stringzilla.find(data, anchor, at + 1, end)
        if at < 0:
            return None
        for start in (at - offset for offset in offsets if offset <= at):
            if _START.match(data, start) is not None and _goes_on(data, start):
                return start
    # Where there are so many, the pattern alone is faster.
    starts = (match.start() for match in _START.finditer(data, max(0, at - _FURTHEST_ANCHOR)))
    return next((start for start in starts if _goes_on(data, start)), None)


def _goes_on(data: bytes | memoryview, start: int) -> bool:
    return bytes(data[start : start + 2]) != b"\xff\xd8" or _two_segments_follow(data, start + 2)


def _two_segments_follow(data: bytes | memoryview, position: int) -> bool:
    """One marker by chance is likely in much data; a second exactly where the first ends is not.
    Comments do not count: in sound, their marker is a number next to silence."""
    counted = 0
    for number in range(_MOST_COMMENTS):
        head = bytes(data[position : position + 8])
        if number and len(head) < 8:
            # Cut off within its headers: then the rest cannot be told from a picture.
            return True
        if not _SEGMENT.match(head):
            return False
        length = int.from_bytes(head[2:4])
        if not _adds_up(data, position, head[1], length):
            return False
        counted += head[1] != _COMMENT
        if counted == 2:
            return True
        position += 2 + length
    return True


def _adds_up(data: bytes | memoryview, position: int, marker: int, length: int) -> bool:
    """Does the segment at `position` hold what its length says (ITU-T T.81 section B.2.4)?"""
    content = bytes(data[position + 4 : position + min(2 + length, _FAR_ENOUGH)])
    if marker == _FILLER and content.startswith(b"\0"):
        return not any(content)
    if marker == _QUANTISATION:
        return length in _QUANTISATION_LENGTHS
    if marker == _HUFFMAN and len(content) > 16:
        codes = sum(content[1:17])
        return 0 < codes <= 256 and 17 + codes <= length - 2
    if marker == _COMMENT and position + 2 + length > len(data):
        return _NO_TEXT.search(content.rstrip(b"\0")) is None
    return length >= 2

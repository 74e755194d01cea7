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
    rb"|\xff\x4f\xff\x51\0"
    rb"|8BPS\0[\x01\x02]\0{6}"
    rb"|%PDF-[12]\.\d[\r\n]{1,2}%[\x80-\xff]{2}"
    rb"|Exif\0\0(?:II\*\0|MM\0\*)"
    rb"|II\*\0...[\0-\x0f]|MM\0\*[\0-\x0f]...",
    re.DOTALL,
)

# Each of the signatures holds one of these, not further behind its start than that.
_ANCHORS = (
    *(b"\xff\xd8", b"\x89PNG", b"GIF8", b"WEBP", b"ftyp", b"II*\0", b"MM\0*"),
    *(b"\r\n\x87\n", b"\xff\x4f\xff\x51", b"8BPS\0", b"%PDF-"),
)
# What a segment begins with: quiet sound has the markers, but nothing of this behind them.
_SEGMENT = re.compile(
    rb"\xff(?:"
    rb"[\xe0-\xef]..[!-~]{2}"  # the name of an application
    rb"|[\xdb\xc4][\0-\x0f].[\0-\3\x10-\x13]"  # where a table goes
    rb"|[\xc0-\xc3]\0.[\x02-\x10]"  # bits per sample
    rb"|\xdd\x00\x04"
    rb"|\xfe[^\xff]"
    rb")",
    re.DOTALL,
)
_FURTHEST_ANCHOR = 8


def find_embedded(data: bytes | memoryview) -> int | None:
    """Where the first picture starts in `data`, or None. Time is linear in the data's size."""
    anchors = [at for one in _ANCHORS if (at := stringzilla.find(data, one)) >= 0]
    if not anchors:
        return None
    for match in _START.finditer(data, max(0, min(anchors) - _FURTHEST_ANCHOR)):
        start = match.start()
        if bytes(data[start : start + 2]) != b"\xff\xd8":
            return start
        if _two_segments_follow(data, start + 2):
            return start
    return None


def _two_segments_follow(data: bytes | memoryview, position: int) -> bool:
    """One marker by chance is likely in much data; a second exactly where the first ends is not."""
    for number in range(2):
        head = bytes(data[position : position + 8])
        if number and len(head) < 8:
            # Cut off within its headers: then the rest cannot be told from a picture.
            return True
        if not _SEGMENT.match(head):
            return False
        length = int.from_bytes(head[2:4])
        if length < 2:
            return False
        position += 2 + length
    return True

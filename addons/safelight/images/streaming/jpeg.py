"""JPEG on its way: everything before the first scan is held and cleaned at once, then pixels pass;
what stands between scans is looked at segment by segment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safelight.images import jpeg, jpeg_segments
from safelight.images.gainmap import MPF
from safelight.images.jpeg_segments import (
    COM,
    EOI,
    MOST_SEGMENTS,
    SOI,
    SOS,
    STANDALONE,
    end_of_segment,
)
from safelight.images.model import (
    Change,
    Finding,
    Format,
    ImageError,
    Kind,
    Length,
    UnalterableError,
    apply,
)
from safelight.images.streaming.steps import MOST_HELD, Blank, PassScan, Put, Take

if TYPE_CHECKING:
    from collections.abc import Generator

    from safelight.images.streaming.steps import Progress, Step, Steps

_END = bytes((0xFF, EOI))
_APP2 = 0xE2


def walk(progress: Progress) -> Steps:
    """Steps that clean a JPEG. A second picture behind it, as HDR gain maps are, cannot be judged
    before it is there, so those are unalterable here."""
    head = yield from _head()
    whole = head + _END
    found = jpeg.look_into(whole, jpeg_segments.walk(whole), jpeg.Keeper())
    progress.report(found.found, 0)
    yield Put(apply(head, jpeg.edits_of(tuple(found.changes), Length.SAME_LENGTH)))
    yield PassScan()
    for _ in range(MOST_SEGMENTS):
        start = progress.position
        marker, raw = yield from _marker()
        if marker == EOI:
            yield Put(raw)
            break
        if marker in STANDALONE:
            yield Put(raw)
            yield PassScan()
            continue
        segment = raw + (yield from _payload())
        end_of_segment(segment, len(raw) - 2)
        if 0xE0 <= marker <= 0xEF or marker == COM:
            end = start + len(segment)
            progress.findings.append(
                Finding(Kind.UNKNOWN_DATA, "segment between scans", start, end)
            )
            gone = (Change(0, len(segment)),)
            segment = apply(segment, jpeg.edits_of(gone, Length.SAME_LENGTH))
        yield Put(segment)
        if marker == SOS:
            yield PassScan()
    else:
        raise ImageError("This JPEG has too many segments.")
    trailer = progress.left
    if trailer:
        place = "after the end of the picture"
        progress.findings.append(
            Finding(Kind.UNKNOWN_DATA, place, progress.position, progress.size)
        )
    yield Blank(trailer)


def _head() -> Generator[Step, bytes, bytes]:
    """Everything up to and with the header of the first scan."""
    held = bytearray((yield Take(2)))
    if held != bytes((0xFF, SOI)):
        raise ImageError("This JPEG does not start as one.")
    while len(held) < MOST_HELD:
        byte = yield Take(1)
        held += byte
        if byte != b"\xff":
            continue
        while (code := (yield Take(1))) == b"\xff":
            held += code
        held += code
        marker = code[0]
        if marker == EOI:
            raise ImageError("This JPEG holds no picture.")
        if marker in STANDALONE or not marker:
            continue
        payload = yield from _payload()
        if marker == _APP2 and payload[2:].startswith(MPF):
            why = "A JPEG with further pictures behind it cannot be cleaned on its way."
            raise UnalterableError(Format.JPEG, Length.SAME_LENGTH, why)
        held += payload
        if marker == SOS:
            return bytes(held)
    raise ImageError("The head of this JPEG is too large to be looked at on its way.")


def _marker() -> Generator[Step, bytes, tuple[int, bytes]]:
    """The next marker's code, and its bytes with the fill bytes before it."""
    raw = bytearray((yield Take(1)))
    if raw != b"\xff":
        raise ImageError("This JPEG is damaged.")
    while (code := (yield Take(1))) == b"\xff":
        raw += code
        if len(raw) > MOST_HELD:
            raise ImageError("This JPEG is damaged.")
    return code[0], bytes(raw + code)


def _payload() -> Generator[Step, bytes, bytes]:
    """A segment's length and payload."""
    length = yield Take(2)
    size = int.from_bytes(length)
    if size < 2:
        raise ImageError("This JPEG is damaged.")
    return length + (yield Take(size - 2))

"""SVG packed with gzip (RFC 1952): the drawing inside is cleaned; names and times around it go."""

from __future__ import annotations

import struct
import zlib
from functools import partial
from typing import TYPE_CHECKING

from safelight.images.model import (
    Edit,
    Examination,
    Finding,
    Format,
    ImageError,
    Kind,
    Length,
    UnalterableError,
    apply,
)

if TYPE_CHECKING:
    from collections.abc import Callable

SIGNATURE = b"\x1f\x8b\x08"
MOST_UNPACKED = 64_000_000
_WITH_GZIP = 31
_HEADER, _EXTRA, _NAME = 10, 4, 8
_LONGEST_EXTRA = 0xFFFF


def head(data: bytes, size: int) -> bytes:
    """The first `size` bytes of what is packed; b"" where nothing is."""
    try:
        return zlib.decompressobj(_WITH_GZIP).decompress(data, size)
    except zlib.error:
        return b""


def examine(data: bytes, examine_drawing: Callable[[bytes], Examination]) -> Examination:
    """Examine a packed drawing; `examine_drawing` examines it unpacked. Raises ImageError."""
    stream = zlib.decompressobj(_WITH_GZIP)
    drawing = stream.decompress(data, MOST_UNPACKED)
    if not stream.eof:
        raise ImageError("This SVG is cut off, or unpacks to more than can be looked at.")
    inner = examine_drawing(drawing)
    end = len(data) - len(stream.unused_data)
    findings = [one._replace(start=0, end=end) for one in inner.findings]
    if data[3:8].strip(b"\0") and not _is_padded(data):
        findings.append(Finding(Kind.CAPTURE_TIME, "name and time of the packed file", 0, _HEADER))
    if stream.unused_data.strip(b"\0"):
        place = "after the end of the picture"
        findings.append(Finding(Kind.UNKNOWN_DATA, place, end, len(data)))
    plan = partial(_edits, data, drawing, inner) if findings else lambda _: ()
    size = (inner.width, inner.height)
    return Examination(Format.SVG, *size, 1, tuple(findings), plan, inner.remarks)


def _is_padded(data: bytes) -> bool:
    """Is there nothing beside the drawing but room for `same-length`?"""
    if data[4:8].strip(b"\0"):
        return False
    if data[3] == _NAME:
        return data[_HEADER : _HEADER + 1] == b"\0"
    end = _HEADER + 2 + int.from_bytes(data[_HEADER : _HEADER + 2], "little")
    return data[3] == _EXTRA and not data[_HEADER + 2 : end].strip(b"\0")


def _edits(data: bytes, drawing: bytes, inner: Examination, length: Length) -> tuple[Edit, ...]:
    clean = apply(drawing, inner.edits(length))
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = deflate.compress(clean) + deflate.flush()
    body += struct.pack("<II", zlib.crc32(clean), len(clean) & 0xFFFFFFFF)
    spare = len(data) - _HEADER - len(body)
    flags, padding = 0, b""
    if length is Length.SAME_LENGTH and spare:
        if spare < 0 or spare - 2 > _LONGEST_EXTRA:
            raise UnalterableError(Format.SVG, length)
        # An empty name takes one byte, a field of zeros any number from two.
        flags = _NAME if spare == 1 else _EXTRA
        padding = b"\0" if spare == 1 else struct.pack("<H", spare - 2).ljust(spare, b"\0")
    header = SIGNATURE + bytes((flags,)) + bytes(5) + b"\xff"
    return (Edit(0, len(data), header + padding + body),)

"""Recognise a picture by its first bytes, whatever it is called."""

from __future__ import annotations

import re
import struct

from safelight.images import jxl_codestream, svgz
from safelight.images.model import Format

_AVIF_BRANDS = {b"avif", b"avis"}
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"mif2"}
_MOVIE_BRANDS = {
    *(b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"qt  ", b"M4V "),
    *(b"M4A ", b"3gp4", b"3gp5", b"3gp6", b"MSNV", b"dash", b"mp4v", b"iso3", b"iso7", b"iso8"),
    *(b"iso9", b"M4B ", b"M4P ", b"3gp7", b"3g2a", b"3g2b", b"3g2c", b"XAVC", b"mmp4", b"f4v "),
    *(b"isml", b"piff", b"cmfc", b"mp71", b"M4VH", b"M4VP", b"NDSC", b"NDSM", b"CAEP", b"kddi"),
}
_INDEX = {b"mvhd", b"trak", b"udta", b"iods", b"rmra", b"cmov"}
_ROOM = {b"wide", b"free", b"skip", b"pnot"}
# How far the first tag of an SVG may be, behind a prologue and an editor's comments.
_PROLOGUE = 65_536
_WIDE = (b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")
_ICON = 1
_BITMAPS = {12, 16, 40, 52, 56, 64, 108, 124}  # how large their headers are
_SPACES = {b" ", b"\t", b"\r", b"\n"}
_SKIPPED = ((b"<!--", b"-->"), (b"<?", b"?>"))
_SVG_TAG = re.compile(rb"<(?:[A-Za-z][\w.-]{0,40}:)?svg[\s>/]")
_PDF = re.compile(rb"(?:\xef\xbb\xbf)?[\s\0]{0,1000}%PDF-")
# Canon and Phase One write their marks behind the header of a TIFF.
_TIFF, _PHASE_ONE = (b"II*\0", b"MM\0*"), (b"IIII", b"MMMM")
_SIGNATURES = (
    (b"\xff\xd8\xff", Format.JPEG),
    (b"\x89PNG\r\n\x1a\n", Format.PNG),
    (b"GIF87a", Format.GIF),
    (b"GIF89a", Format.GIF),
    (b"FUJIFILMCCD-RAW", Format.RAW),
    (b"IIRO", Format.RAW),
    (b"IIRS", Format.RAW),
    (b"MMOR", Format.RAW),
    (b"IIU\0", Format.RAW),
    (b"II\x1a\0\0\0HEAPCCDR", Format.RAW),
    (b"FOVb", Format.RAW),
    (b"\0MRM", Format.RAW),
    (b"8BPS\0\x01", Format.PSD),
    (b"8BPS\0\x02", Format.PSD),
    (b"\0\0\0\x0cJXL \r\n\x87\n", Format.JXL),
    (b"\0\0\0\x0cjP  \r\n\x87\n", Format.JP2),
    (b"\xff\x4f\xff\x51", Format.JP2),
    (b"MM\0*", Format.TIFF),
    (b"II*\0", Format.TIFF),
    (b"PK\3\4", Format.ZIP),
    (b"II+\0\x08\0\0\0", Format.TIFF),
    (b"MM\0+\0\x08\0\0", Format.TIFF),
)
_BY_FIRST_BYTE = {
    first: [(one, known) for one, known in _SIGNATURES if one.startswith(first)]
    for first in {one[:1] for one, _ in _SIGNATURES}
}
_ATOMS = _ROOM | {b"ftyp", b"moov", b"mdat"}
# What else a picture may begin with, save for what says one of these behind its first four bytes.
_OTHERS = (b"RIFF", b"BM", b"%PDF-", b"\0", b"\xef\xbb\xbf", b"<", *_SPACES, b"\v", b"\f")
_OTHERS += (svgz.SIGNATURE, *_WIDE)
# Bytes, and how far behind the start: whatever `sniff` knows has one of these there.
BEGINNINGS = (
    *((0, first) for first in sorted({*_BY_FIRST_BYTE, b"\xff", *(one[:1] for one in _OTHERS)})),
    *((4, atom) for atom in sorted(_ATOMS)),
)


def sniff(data: bytes) -> Format | None:
    """The format that `data`, or a file that begins with it, is in; None for anything else.

    The first 64 KiB are enough.
    """
    head = bytes(data[:4096])
    if head[:4] in _TIFF and (head[8:10] == b"CR" or head[8:12] in _PHASE_ONE):
        return Format.RAW
    if head.startswith(jxl_codestream.SIGNATURE):
        return Format.JXL if jxl_codestream.may_begin(head) else None
    for signature, found in _BY_FIRST_BYTE.get(head[:1], ()):
        if head.startswith(signature):
            return found
    if not head.startswith(_OTHERS) and head[4:8] not in _ATOMS:
        return None
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return Format.WEBP
    if head[4:8] == b"ftyp":
        return _iso_media(head)
    if _is_quicktime(head):
        return Format.MP4
    if _PDF.match(head):
        return Format.PDF
    if _is_bmp(head):
        return Format.BMP
    if _is_icon(head):
        return Format.ICO
    return Format.SVG if _is_svg(_text(bytes(data[:_PROLOGUE]))) else None


def _iso_media(head: bytes) -> Format | None:
    size = min(int.from_bytes(head[:4]), len(head))
    brands = [head[i : i + 4] for i in (8, *range(16, size - 3, 4))]
    if b"crx " in brands:
        return Format.RAW
    if not _AVIF_BRANDS.isdisjoint(brands):
        return Format.AVIF
    if not _HEIF_BRANDS.isdisjoint(brands):
        return Format.HEIF
    return None if _MOVIE_BRANDS.isdisjoint(brands) else Format.MP4


def _is_quicktime(head: bytes) -> bool:
    """Movies from before there were brands begin with what they hold, or with room before it."""
    if head[4:8] == b"moov":
        return head[12:16] in _INDEX
    size = int.from_bytes(head[:4])
    if head[4:8] == b"mdat":
        return size >= 8 or size == 1
    behind = head[size + 4 : size + 8]
    return head[4:8] in _ROOM and size >= 8 and behind in {b"mdat", b"moov", *_ROOM}


def _is_bmp(head: bytes) -> bool:
    if head[:2] != b"BM" or len(head) < 26:
        return False
    offset, header_size = struct.unpack_from("<II", head, 10)
    return header_size in _BITMAPS and 14 + header_size <= offset < 1 << 24


def _is_icon(head: bytes) -> bool:
    if head[:4] not in (b"\0\0\x01\0", b"\0\0\x02\0") or len(head) < 22:
        return False
    count, reserved = struct.unpack_from("<H", head, 4)[0], head[9]
    planes, bits, size, offset = struct.unpack_from("<HHII", head, 10)
    if reserved or not (0 < count < 1024 and 40 <= size < 1 << 24):
        return False
    # In a cursor, the place that points stands there.
    if head[2] == _ICON and (planes > 1 or bits > 32):
        return False
    first = head[offset : offset + 4]
    begins = len(first) < 4 or first == b"\x89PNG" or int.from_bytes(first, "little") in _BITMAPS
    return 6 + 16 * count <= offset < 1 << 20 and begins


def _text(start: bytes) -> bytes:
    """What a file begins with, if that is packed with gzip or written in UTF-16."""
    if start.startswith(svgz.SIGNATURE):
        return svgz.head(start, _PROLOGUE)
    if start.startswith(_WIDE):
        order = "utf-16-le" if start[0] and start[:2] != b"\xfe\xff" else "utf-16-be"
        return start.decode(order, "ignore").removeprefix("\ufeff").encode()
    return start


def _is_svg(text: bytes) -> bool:
    """Does an `svg` element follow the prologue? One pass: each part is skipped to its end."""
    position = 3 if text.startswith(b"\xef\xbb\xbf") else 0
    while True:
        while text[position : position + 1] in _SPACES:
            position += 1
        end = _skipped_to(text, position)
        if end is None:
            return _SVG_TAG.match(text, position) is not None
        position = end


def _skipped_to(text: bytes, position: int) -> int | None:
    """The end of a comment, an instruction or a document type at `position`; None if none is."""
    for start, end in _SKIPPED:
        if text.startswith(start, position):
            found = text.find(end, position)
            return len(text) if found < 0 else found + len(end)
    if not text.startswith(b"<!DOCTYPE", position):
        return None
    subset, close = text.find(b"[", position), text.find(b">", position)
    if 0 <= subset < close:
        close = text.find(b">", text.find(b"]", subset))
    return len(text) if close < 0 else close + 1

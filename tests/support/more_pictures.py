"""Pictures of further formats with secrets; every secret holds the word CANARY."""

from __future__ import annotations

import base64
import io
import struct

import pillow_heif
import pillow_jxl  # noqa: F401 - teaches Pillow JPEG XL

from tests.support import pictures

pillow_heif.register_heif_opener()

XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>dc:creator CANARY</x:xmpmeta>"


def saved(format_: str, **options: object) -> bytes:
    output = io.BytesIO()
    pictures.pixels().save(output, format_, **options)
    return output.getvalue()


def avif() -> bytes:
    return saved("AVIF", exif=pictures.exif(1), xmp=XMP)


def heic() -> bytes:
    return saved("HEIF", exif=pictures.exif(1), xmp=XMP)


def tiff() -> bytes:
    image = pictures.pixels()
    tags = {270: "CANARY description", 271: "CANARY", 305: "CANARY", 315: "CANARY Anna", 274: 6}
    output = io.BytesIO()
    image.save(output, "TIFF", compression="tiff_lzw", tiffinfo=tags, exif=None)
    return output.getvalue() + b"CANARY trailer"


def jxl() -> bytes:
    return saved("JXL", lossless=True, exif=pictures.exif(6), xmp=XMP)


def jp2() -> bytes:
    data = saved("JPEG2000", comment=b"CANARY comment")
    return data + box(b"xml ", XMP) + box(b"uuid", b"CANARY-UUID-0000 CANARY")


def bmp() -> bytes:
    data = bytearray(saved("BMP"))
    data[6:10] = b"CANA"
    return bytes(data) + b"CANARY"


def ico() -> bytes:
    """An icon of a PNG with text in it, and something between the parts."""
    inner = pictures.png()
    start = 6 + 16 + 9
    entry = struct.pack("<BBBBHHII", 64, 48, 0, 0, 1, 32, len(inner), start)
    return b"\0\0\1\0\1\0" + entry + b"CANARY 12" + inner + b"CANARY"


def psd() -> bytes:
    def resource(number: int, data: bytes) -> bytes:
        return b"8BIM" + struct.pack(">HHI", number, 0, len(data)) + data + bytes(len(data) & 1)

    resources = resource(1060, XMP) + resource(1005, bytes(16)) + resource(1028, b"CANARY")
    width, height = 8, 6
    header = b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, height, width, 8, 3)
    picture = struct.pack(">H", 0) + bytes(range(3 * width * height))
    sections = struct.pack(">II", 0, len(resources)) + resources + struct.pack(">I", 0)
    return header + sections + picture + b"CANARY trailer"


def svg() -> bytes:
    inside = base64.b64encode(pictures.jpeg())
    return (
        b'<?xml version="1.0"?>\n<!-- CANARY comment --><?CANARY instruction?>\n'
        b'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
        b' xmlns:ink="http://www.inkscape.org/namespaces/inkscape" width="64px" height="48"'
        b' ink:export-filename="/home/CANARY/photo.png">\n'
        b"<metadata><ink:x/>CANARY<!-- CANARY --></metadata><title>CANARY</title>\n"
        b'<ink:grid id="CANARY"><rect/></ink:grid><rect width="9" height="9" fill="red"/>\n'
        b'<text ink:label="CANARY">a<!-- CANARY -->b</text>\n'
        b'<image width="64" height="48" xlink:href="data:image/jpeg;base64,' + inside + b'"/>\n'
        b"</svg>"
    )


def box(type_: bytes, *payload: bytes) -> bytes:
    data = b"".join(payload)
    return struct.pack(">I4s", 8 + len(data), type_) + data


def full(type_: bytes, *payload: bytes) -> bytes:
    return box(type_, bytes(4), *payload)


def movie() -> bytes:
    """A movie of one picture track and one of metadata; nothing in it can be played."""
    head, samples, index = _movie_boxes(0)
    return head + samples + index + box(b"uuid", b"CANARY" * 4)


def leading_movie() -> bytes:
    """The same with its index before its samples, as it is made for the web."""
    index_size = len(_movie_boxes(0)[2])
    head, samples, index = _movie_boxes(index_size)
    return head + index + samples + box(b"uuid", b"CANARY" * 4)


def _movie_boxes(shift: int) -> tuple[bytes, bytes, bytes]:
    """The first box, that of the samples, and the index of samples moved by `shift`."""
    head = box(b"ftyp", b"isom\0\0\2\0isomiso2mp41")
    picture, secret = b"picture samples!", b"CANARY gps track"
    first = len(head) + 8 + shift

    def track(handler: bytes, start: int, sizes: tuple[int, ...], *more: bytes) -> bytes:
        stsz = full(b"stsz", struct.pack(f">II{len(sizes)}I", 0, len(sizes), *sizes))
        stsc = full(b"stsc", struct.pack(">IIII", 1, 1, len(sizes), 1))
        stco = full(b"stco", struct.pack(">II", 1, start))
        table = box(b"stbl", full(b"stsd", bytes(4)), stsz, stsc, stco)
        name = b"CANARY handler\0"
        media = box(
            b"mdia",
            full(b"mdhd", b"TIMETIME", bytes(12)),
            full(b"hdlr", bytes(4), handler, bytes(12), name),
            box(b"minf", table),
        )
        header = full(b"tkhd", b"TIMETIME", bytes(64), struct.pack(">II", 64 << 16, 48 << 16))
        return box(b"trak", header, media, *more)

    place = box(b"udta", box(b"\xa9xyz", b"\0\x12\x15\xc7+48.8584+002.2945/CANARY"))
    moov = box(
        b"moov",
        full(b"mvhd", b"TIMETIME", bytes(88)),
        track(b"vide", first, (10, 6), box(b"udta", b"CANARY")),
        track(b"meta", first + len(picture), (8, 8)),
        place,
        full(b"meta", b"com.apple.quicktime.make CANARY"),
    )
    return head, box(b"mdat", picture, secret), moov

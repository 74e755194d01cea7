"""Files made to take long: each is finished with soon after it was begun."""

from __future__ import annotations

import base64
import gzip
import io
import struct
import zipfile

import pikepdf
import pytest

from safelight import images
from tests.support import documents, pictures
from tests.support import more_pictures as more

JPEG = pictures.clean_jpeg()


def svg_in_svg() -> bytes:
    drawing = b"<svg/>"
    for _ in range(20):
        inside = base64.b64encode(drawing)
        drawing = b'<svg><image href="data:image/svg+xml;base64,' + inside + b'"/></svg>'
    return drawing


def iloc_of_nothing() -> bytes:
    """Entries of no bytes at all, as many as the counts allow."""
    rows = b"".join(struct.pack(">HHH", number, 0, 65535) for number in range(20_000))
    iloc = more.full(b"iloc", b"\0\0" + struct.pack(">H", 65535) + rows)
    return more.box(b"ftyp", b"heic\0\0\0\0heic") + more.full(b"meta", iloc)


def tiff_of_one_value() -> bytes:
    """Twenty thousand tags that all point to the same ten million bytes."""
    rows = struct.pack("<HHII", 270, 2, 10_000_000, 0) * 20_000
    return b"II*\0" + struct.pack("<IH", 8, 20_000) + rows + bytes(4) + bytes(10_000_000)


def many_tracks() -> bytes:
    sizes = more.full(b"stsz", struct.pack(">II", 1, 1_999_999))
    chunks = more.full(b"stsc", struct.pack(">IIII", 1, 1, 1, 1))
    table = more.box(b"stbl", sizes, chunks, more.full(b"stco", struct.pack(">II", 1, 0)))
    handler = more.full(b"hdlr", bytes(4), b"meta", bytes(13))
    track = more.box(b"trak", more.box(b"mdia", handler, more.box(b"minf", table)))
    return more.box(b"ftyp", b"isom\0\0\0\0isom") + more.box(b"moov", track * 5_000)


def pdf_of_pdfs() -> bytes:
    """Attachments in attachments; each level is examined once more for the one around it."""
    document = pictures.jpeg()
    for _ in range(4):
        holder = pikepdf.new()
        holder.attachments["inner"] = document
        document = documents.saved(holder)
    return document


def zip_of_empty_files() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as writer:
        for number in range(50_000):
            writer.writestr(str(number), b"")
    return target.getvalue()


def office_of(name: str, content: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as writer:
        writer.writestr("[Content_Types].xml", b"<Types/>")
        writer.writestr(name, content)
    return target.getvalue()


def zip_of_one_content() -> bytes:
    """Every entry of the directory names the same bytes."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as writer:
        writer.writestr("a.bmp", b"BM" + bytes(50_000_000))
    data = target.getvalue()
    start = data.index(b"PK\1\2")
    entry, end = data[start:-22], data[-22:]
    count = 60_000
    numbers = struct.pack("<HHI", count, count, count * len(entry))
    return data[:start] + entry * count + end[:8] + numbers + end[16:]


SLOW = {
    "PDF of PDFs": pdf_of_pdfs(),
    "PDF of streams": b"%PDF-1.4" + b"stream\n" * 2_000_000,
    "PDF of nested arrays": b"%PDF-1.4\n1 0 obj " + b"[" * 5_000_000,
    "PDF of nested dictionaries": b"%PDF-1.4\n1 0 obj " + b"<</A" * 2_000_000,
    "ZIP of empty files": zip_of_empty_files(),
    "ZIP of one content": zip_of_one_content(),
    **{
        f"office of {one.decode()}": office_of(name, one * (2_000_000 // len(one)))
        for name, one in (
            *(
                ("word/a.xml", one)
                for one in (b"<!--", b"<![CDATA[", b"<?a", b"<!DOCTYPE[", b"<a'")
            ),
            *(("word/settings.xml", one) for one in (b"<w:rsids>", b"<w:docVars>")),
            ("word/people.xml", b"<w15:person "),
            ("ppt/slides/slide1.xml", b"<p:custDataLst>"),
            ("word/_rels/a.xml.rels", b"<Relationship "),
        )
    },
    "JPEG of fill bytes": b"\xff\xd8" + b"\xff" * 20_000_000 + JPEG[2:],
    "JPEG of empty comments": b"\xff\xd8" + b"\xff\xfe\0\2" * 90_000 + JPEG[2:],
    **{
        f"SVG of {one.decode()}": b"<svg>" + one * (2_000_000 // len(one)) + b"</svg>"
        for one in (
            b"#",
            b"[",
            b" on",
            b" begin=",
            b'<a id="a"/>',
            b"<style>-inkscape-a:&a</style>",
        )
    },
    "SVG packed": gzip.compress(b"<svg>" + b" " * 100_000_000 + b"</svg>"),
    "GIF without ends": b"GIF89a\1\0\1\0\0\0\0"
    + (b",\0\0\0\0\xff\xff\xff\xff\0\x08" + b"\xffabcdefg" * 9_000 + b"\0") * 40
    + b";",
    "SVG of spaces": b"<svg " + b" " * 5_000_000 + b"></svg>",
    "SVG of attributes without values": b"<svg " + b"a " * 2_000_000 + b"></svg>",
    "SVG of unfinished tags": b"<svg>" + b"<a" * 1_000_000,
    "SVG of unfinished comments": b"<svg>" + b"<!--" * 1_000_000,
    "SVG in SVG in SVG": svg_in_svg(),
    "GIF of tiny blocks": b"GIF89a\1\0\1\0\0\0\0!\xfe" + b"\1x" * 5_000_000 + b"\0;",
    "PNG of empty chunks": b"\x89PNG\r\n\x1a\n" + b"\0\0\0\0tEXt\0\0\0\0" * 190_000,
    "HEIF of empty places": iloc_of_nothing(),
    "TIFF of one value": tiff_of_one_value(),
    "MP4 of many tracks": many_tracks(),
}


@pytest.mark.timeout(30)
@pytest.mark.parametrize("data", SLOW.values(), ids=SLOW.keys())
def test_soon_done(data: bytes) -> None:
    try:
        images.strip(data, images.Length.SAME_LENGTH)
    except images.ImageError:
        return


def test_boxes_nested_without_end_are_refused() -> None:
    nested = b""
    for _ in range(1_200):
        nested = more.box(b"edts", nested)
    for brand in (b"isom", b"heic"):
        movie = more.box(b"ftyp", brand + bytes(4) + brand) + more.box(b"moov", nested)
        with pytest.raises(images.ImageError):
            images.examine(movie)
        cleaner = images.StreamCleaner(images.Format.MP4, len(movie))
        with pytest.raises(images.ImageError):
            cleaner.feed(movie)

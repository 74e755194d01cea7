"""No picture takes more memory than three times its size, whatever its numbers declare."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
from random import Random
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from safelight import images
from safelight.images import ImageError, Length
from tests.support import documents, pictures
from tests.support import more_pictures as more

if TYPE_CHECKING:
    from collections.abc import Callable

SIDE = 1_400
NOISE = Image.frombytes("RGB", (SIDE, SIDE), Random(3).randbytes(SIDE * SIDE * 3))
FIXED = 1_000_000  # what small pictures need as well


def encoded(known: str, **options: object) -> Callable[[], bytes]:
    def make() -> bytes:
        output = io.BytesIO()
        NOISE.save(output, known, **options)
        return output.getvalue()

    return make


def archive() -> bytes:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as writer:
        for number in range(4):
            writer.writestr(str(number), LARGE["jpeg"]())
    return output.getvalue()


LARGE: dict[str, Callable[[], bytes]] = {
    "jpeg": encoded("JPEG", quality=95, exif=pictures.exif()),
    "progressive": encoded("JPEG", quality=95, exif=pictures.exif(), progressive=True),
    "png": encoded("PNG", compress_level=1, exif=pictures.exif()[6:]),
    "webp": encoded("WEBP", quality=100, exif=pictures.exif()),
    "gif": encoded("GIF"),
    "tiff": encoded("TIFF", description="CANARY"),
    "bmp": encoded("BMP"),
    "avif": encoded("AVIF", quality=95, speed=10, exif=pictures.exif()),
    "jxl": lambda: more.jxl() + more.box(b"xml ", Random(3).randbytes(5_000_000)),
    "mp4": lambda: more.leading_movie() + more.box(b"mdat", Random(3).randbytes(5_000_000)),
    "trailer": lambda: pictures.jpeg() + Random(3).randbytes(5_000_000),
    "zip": archive,
    "svg": lambda: b"<svg>" + (b"<!--" + b"CANARY" * 500 + b"--><g/>") * 1_000 + b"</svg>",
}


def peak_of(data: bytes, length: Length) -> int:
    tracemalloc.start()
    try:
        images.strip(data, length)
    except ImageError:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return peak


@pytest.mark.parametrize("length", Length)
@pytest.mark.parametrize("name", LARGE)
def test_large_pictures(name: str, length: Length) -> None:
    data = LARGE[name]()
    assert len(data) > 1_000_000
    assert peak_of(data, length) < 3 * len(data) + FIXED


@pytest.mark.parametrize(
    "data",
    [
        b"<svg>" + b"<!--x-->" * 2_000_000 + b"</svg>",
        pictures.jpeg()[:2] + b"\xff\xfe\0\3x" * 2_000_000 + pictures.jpeg()[2:],
        pictures.png()[:33] + b"\0\0\0\0tEXt____" * 1_000_000 + pictures.png()[33:],
    ],
    ids=["svg", "jpeg", "png"],
)
def test_more_parts_than_any_picture_has_are_refused(data: bytes) -> None:
    with pytest.raises(ImageError, match="too many"):
        images.examine(data)
    assert peak_of(data, Length.COMPACT) < 100_000_000


HUGE = 0xFFFFFFF0
DECLARING = {
    "png": b"\x89PNG\r\n\x1a\n" + struct.pack(">I", HUGE) + b"IHDR",
    "webp": b"RIFF" + struct.pack("<I", HUGE) + b"WEBPVP8 " + struct.pack("<I", HUGE),
    "tiff": b"II*\0" + struct.pack("<IHHHII", 8, 1, 270, 2, HUGE, 8) + bytes(4),
    "bmp": b"BM" + struct.pack("<IHHIIiiHHI", HUGE, 0, 0, 54, 40, 1 << 30, 1, 1, 24, 0) + bytes(20),
    "heif": more.box(b"ftyp", b"heic\0\0\0\0heic") + struct.pack(">I", HUGE) + b"meta",
    "mp4": more.box(b"ftyp", b"isom\0\0\0\0isom")
    + more.box(b"moov", more.full(b"stsz", struct.pack(">II", 0, HUGE))),
    "jxl": b"\0\0\0\x0cJXL \r\n\x87\n" + struct.pack(">I", 1) + b"jxlc" + b"\x7f" * 8,
    "psd": b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 30000, 30000, 8, 3)
    + struct.pack(">I", HUGE),
    "zip": documents.archive()[:-22]
    + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 65535, 65535, HUGE, HUGE, 0),
}  # fmt: skip


@pytest.mark.parametrize("name", DECLARING)
def test_declared_sizes_are_not_believed(name: str) -> None:
    assert images.sniff(DECLARING[name]) is not None
    assert peak_of(DECLARING[name], Length.COMPACT) < FIXED

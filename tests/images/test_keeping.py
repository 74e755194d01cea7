from __future__ import annotations

import io
from typing import Any

import piexif
import pytest
from PIL import Image

from safelight import images
from safelight.images import Keep, Kind, Length
from tests.support import exiftool

NOTICE = "(c) 2026 Anna Example"
KEPT = frozenset({Keep.COPYRIGHT})


def tags(picture: bytes) -> dict[str, Any]:
    return exiftool.read({"picture": picture}, exiftool.needed())["picture"]


PLAIN = Image.linear_gradient("L").convert("RGB")


def block(notice: bytes) -> bytes:
    told: bytes = piexif.dump(
        {
            "0th": {0x0112: 6, 0x8298: notice, 0x013B: b"SECRET artist", 0x010F: b"SECRET make"},
            "GPS": {1: b"N", 2: ((48, 1), (51, 1), (30, 1))},
        }
    )
    return told


def saved(format_: str, notice: bytes = NOTICE.encode()) -> bytes:
    stream = io.BytesIO()
    if format_ == "TIFF":
        said = {0x8298: notice.decode(), 0x013B: "SECRET artist", 0x010F: "SECRET make"}
        PLAIN.save(stream, format_, tiffinfo=said)
    else:
        PLAIN.save(stream, format_, exif=block(notice))
    return stream.getvalue()


@pytest.mark.parametrize("length", Length)
@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_the_copyright_stays_and_nothing_else(format_: str, length: Length) -> None:
    picture = saved(format_)
    clean = images.strip(picture, length, KEPT)
    said = tags(clean)
    assert said["IFD0:Copyright"] == NOTICE
    assert "IFD0:Artist" not in said
    assert "GPS:GPSLatitude" not in said
    assert b"SECRET" not in clean
    assert (len(clean) == len(picture)) or length is Length.COMPACT
    assert images.strip(clean, length, KEPT) == clean
    assert images.examine(clean, KEPT).findings == ()
    assert {one.kind for one in images.examine(clean).findings} == {Kind.AUTHOR}
    assert NOTICE.encode() not in images.strip(clean, length)
    turned = images.examine(picture).orientation
    assert images.examine(clean).orientation == turned


@pytest.mark.parametrize("notice", [b"x" * 1001, b"   "])
def test_no_notice_or_too_long_a_one_goes(notice: bytes) -> None:
    clean = images.strip(saved("JPEG", notice), keep=KEPT)
    assert notice not in clean
    assert "IFD0:Copyright" not in tags(clean)


def test_a_notice_that_is_no_text_goes() -> None:
    picture = saved("JPEG").replace(b"\x82\x98\x00\x02", b"\x82\x98\x00\x07")
    assert NOTICE.encode() not in images.strip(picture, keep=KEPT)

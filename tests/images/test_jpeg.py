from __future__ import annotations

import io

import piexif
import pytest
from PIL import Image

from safelight import images
from safelight.images import Kind, Length
from tests.support import pictures

JPEG = pictures.jpeg()


def segment(marker: int, payload: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2) + payload


def with_segments(*segments: bytes) -> bytes:
    """A clean JPEG with further segments behind its first two bytes."""
    clean = pictures.clean_jpeg()
    return clean[:2] + b"".join(segments) + clean[2:]


def kinds(data: bytes) -> set[Kind]:
    return {finding.kind for finding in images.examine(data).findings}


@pytest.mark.parametrize("length", Length)
def test_secrets_go_and_the_picture_stays(length: Length) -> None:
    cleaned = images.strip(JPEG, length)
    assert not pictures.says_secrets(cleaned)
    assert pictures.same_pixels(JPEG, cleaned)
    assert Image.open(io.BytesIO(cleaned)).getexif()[0x0112] == 6
    assert (len(cleaned) == len(JPEG)) is (length is Length.SAME_LENGTH)
    assert images.strip(cleaned, length) == cleaned


def test_findings_are_named_and_placed() -> None:
    examination = images.examine(JPEG)
    assert {finding.kind for finding in examination.findings} == {
        Kind.LOCATION,
        Kind.CAPTURE_TIME,
        Kind.DEVICE,
        Kind.DEVICE_SERIAL,
        Kind.AUTHOR,
        Kind.THUMBNAIL,
        Kind.COMMENT,
    }
    assert {finding.place for finding in examination.findings} == {"APP1 Exif", "comment segment"}
    assert (examination.width, examination.height, examination.orientation) == (64, 48, 6)


def test_a_clean_picture_is_returned_as_it_is() -> None:
    clean = pictures.clean_jpeg()
    assert images.examine(clean).findings == ()
    assert images.strip(clean) is not None
    assert images.strip(clean) == clean


@pytest.mark.parametrize("marker", range(0xE0, 0xF0))
@pytest.mark.parametrize("length", Length)
def test_unknown_application_segments_go(marker: int, length: Length) -> None:
    data = with_segments(segment(marker, b"CANARY something"), segment(marker, b"CANARY more"))
    cleaned = images.strip(data, length)
    assert b"CANARY" not in cleaned
    assert pictures.same_pixels(data, cleaned)


@pytest.mark.parametrize(
    ("payload", "kept"),
    [
        (b"JFIF\0\1\2\1\0\x48\0\x48\1\1abc", b"JFIF\0\1\2\1\0\x48\0\x48\0\0"),
        (b"AVI1\0\1\2\3\4\5\6\7\x08\x09CANARY", b"AVI1\0\1\2\3\4\5\6\7\x08\x09"),
    ],
)
def test_app0_keeps_what_rendering_needs(payload: bytes, kept: bytes) -> None:
    body = pictures.clean_jpeg()
    data = body[:2] + segment(0xE0, payload) + body[20:]
    assert images.strip(data)[2 : 2 + 4 + len(kept)] == segment(0xE0, kept)
    assert images.strip(data, Length.SAME_LENGTH)[2 : 2 + 4 + len(kept)] == segment(0xE0, kept)


def test_adobe_segment_stays_so_that_cmyk_is_not_inverted() -> None:
    output = io.BytesIO()
    pictures.pixels().convert("CMYK").save(output, "JPEG", exif=pictures.exif(1))
    for length in Length:
        cleaned = images.strip(output.getvalue(), length)
        assert segment(0xEE, b"Adobe")[4:] in cleaned
        assert pictures.same_pixels(output.getvalue(), cleaned)


def test_segments_between_the_scans_of_a_progressive_picture() -> None:
    output = io.BytesIO()
    pictures.pixels().save(output, "JPEG", progressive=True)
    data = output.getvalue()
    second_scan = data.index(b"\xff\xda", data.index(b"\xff\xda") + 2)
    table = data.rindex(b"\xff\xc4", 0, second_scan)
    hidden = data[:table] + segment(0xFE, b"CANARY") + segment(0xE5, b"CANARY") + data[table:]
    for length in Length:
        cleaned = images.strip(hidden, length)
        assert b"CANARY" not in cleaned
        assert pictures.same_pixels(data, cleaned)


@pytest.mark.parametrize(
    ("trailer", "kind"),
    [
        (b"PK\3\4CANARY archive", Kind.UNKNOWN_DATA),
        (b"<?php CANARY ?>", Kind.UNKNOWN_DATA),
        (b"\0\0\0\x18ftypmp42CANARY" + bytes(50), Kind.VOICE_OR_VIDEO),
        (pictures.clean_jpeg() + b"CANARY", Kind.THUMBNAIL),
        (b"\1", Kind.UNKNOWN_DATA),
    ],
)
def test_what_follows_the_end_goes(trailer: bytes, kind: Kind) -> None:
    data = pictures.clean_jpeg() + trailer
    assert kinds(data) == {kind}
    assert images.strip(data) == pictures.clean_jpeg()
    same = images.strip(data, Length.SAME_LENGTH)
    assert same == pictures.clean_jpeg() + bytes(len(trailer))


def test_several_exif_blocks_leave_one_orientation() -> None:
    data = with_segments(segment(0xE1, pictures.exif(8)), segment(0xE1, pictures.exif(3)))
    for length in Length:
        cleaned = images.strip(data, length)
        assert cleaned.count(b"Exif\0\0") == 1
        assert images.examine(cleaned).orientation == 8


@pytest.mark.parametrize("orientation", [1, 0, 9, 77])
def test_no_carrier_for_what_needs_none(orientation: int) -> None:
    data = with_segments(segment(0xE1, pictures.exif(orientation)))
    assert images.strip(data) == pictures.clean_jpeg()


def test_orientation_in_xmp_alone_stays_in_xmp() -> None:
    packet = (
        b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x='adobe:ns:meta/'>"
        b"<rdf:Description tiff:Orientation=\"6\" dc:creator='CANARY'/></x:xmpmeta>" + b" " * 200
    )
    data = with_segments(segment(0xE1, packet))
    for length in Length:
        cleaned = images.strip(data, length)
        assert b"CANARY" not in cleaned
        assert b"Exif" not in cleaned
        assert Image.open(io.BytesIO(cleaned)).getexif()[0x0112] == 6


def test_exif_orientation_makes_xmp_orientation_void() -> None:
    packet = b'http://ns.adobe.com/xap/1.0/\0 tiff:Orientation="6" CANARY'
    data = with_segments(segment(0xE1, pictures.exif(1)), segment(0xE1, packet))
    assert images.strip(data) == pictures.clean_jpeg()


def test_density_stays_where_browsers_use_it() -> None:
    block = piexif.dump(
        {
            "0th": {0x011A: (144, 1), 0x011B: (144, 1), 0x0128: 2, 0x010F: b"CANARY"},
            "Exif": {0xA002: 32, 0xA003: 24},
        }
    )
    for length in Length:
        cleaned = images.strip(with_segments(segment(0xE1, block)), length)
        loaded = piexif.load(cleaned)
        assert loaded["0th"][0x011A] == (144, 1)
        assert loaded["Exif"][0xA002] == 32
        assert b"CANARY" not in cleaned


def test_bytes_between_segments_go() -> None:
    data = with_segments(segment(0xE3, b""), b"CANARY" * 20)
    for length in Length:
        assert b"CANARY" not in images.strip(data, length)


def test_long_strays_are_filled_in_several_segments() -> None:
    data = with_segments(segment(0xE3, b""), b"CANARY" * 30_000)
    cleaned = images.strip(data, Length.SAME_LENGTH)
    assert len(cleaned) == len(data)
    assert b"CANARY" not in cleaned
    assert pictures.same_pixels(pictures.clean_jpeg(), cleaned)


@pytest.mark.parametrize(
    "data",
    [
        JPEG[:3],
        JPEG[:200],
        JPEG[: len(JPEG) // 2],
        JPEG[:-2],
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8\xff\xe0\x00\x01",
        b"\xff\xd8\xff\xe0\xff\xff",
        b"\xff\xd8\xff\xf7\x00\x02\xff\xd9",
        b"\xff\xd8" + b"\xff" * 10_000,
    ],
)
def test_broken_pictures_are_refused(data: bytes) -> None:
    with pytest.raises(images.ImageError):
        images.examine(data)

from __future__ import annotations

import io
import json
import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from safelight.images import ANCHORS as NEEDED
from safelight.images import BEGINNINGS, Format, find_embedded, sniff
from tests.support import pictures

PICTURES = {
    Format.JPEG: pictures.jpeg(),
    Format.PNG: pictures.png(),
    Format.WEBP: pictures.webp(),
    Format.GIF: pictures.gif(),
}


def saved(name: str) -> bytes:
    output = io.BytesIO()
    pictures.pixels().save(output, name)
    return output.getvalue()


@pytest.mark.parametrize("known", PICTURES)
def test_pictures_that_can_be_cleaned(known: Format) -> None:
    assert sniff(PICTURES[known]) is known
    assert known.cleanable


@pytest.mark.parametrize(
    "data",
    [
        saved("TIFF"),
        b"MM\0*\0\0\0\x08\0\1",
        saved("JPEG2000"),
        saved("AVIF"),
        b"\0\0\0\x0cJXL \r\n\x87\n",
        b"8BPS\0\1" + bytes(20),
        b"\0\0\0\x18ftypisom\0\0\2\0isomiso2avc1mp41",
        b"\0\0\0\x14ftypqt  \0\0\2\0qt  ",
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj",
    ],
)
def test_other_formats_inside_other_data_are_noticed(data: bytes) -> None:
    assert find_embedded(b"\x08\x96\1\x12" + data + b"more") == 4


def test_comments_may_stand_first() -> None:
    photo = PICTURES[Format.JPEG]
    assert find_embedded(b"xx" + photo[:2] + b"\xff\xfe\0\5\xff\xfe\xfd" * 5 + photo[2:]) == 2


@pytest.mark.parametrize(
    "start", [b"\xff\x4f\xff\x51\0\xab\xff\x95", b"\xff\xd8\xff\xfe\0\2\xff\xfe\0\3"]
)
def test_what_sound_has_by_chance_is_no_picture(start: bytes) -> None:
    assert find_embedded(start + b"\xff\xfb\0\2" * 100) is None


@pytest.mark.parametrize(
    "start",
    [
        "ffd8ffefff0a0000004b004300530068002c001e0012005700970081002f00f7",
        "ffd8fffefeeafd5600f1004602410045027403bc049c041d030104c903ff0213",
        "ffd8ffdb0136023aff0dfeb1febffe5dfdb9fde9fcd8fcdbfb23fe23fda4fe61",
        "ffd8ffc4008f01e9022d042f029e02c201b3ff370076006dffcdff42008e012b",
    ],
)
def test_messages_of_sound_are_no_pictures_that_are_cut_off(start: str) -> None:
    assert find_embedded(b"\x12" + bytes.fromhex(start) + b"\x57\0" * 50) is None


@pytest.mark.parametrize(
    "start",
    [
        "00000200200052000b00f4ff27001200e4ff0d00f8ff41000300f6ff1a00",
        "000001000a0025004400fdff12000e000a0019000000f6ff1a0012000700",
    ],
)
def test_quiet_sound_is_no_icon(start: str) -> None:
    assert sniff(bytes.fromhex(start) + b"\x12\0" * 100) is None


@pytest.mark.parametrize("segments", ["comment", "tables"])
@pytest.mark.parametrize("length", [30, 60, 300, 1000])
def test_a_photo_that_is_cut_off_is_noticed(segments: str, length: int) -> None:
    output = io.BytesIO()
    if segments == "comment":
        pictures.pixels(200, 150).save(output, "JPEG", comment=b"Anna in the garden. " * 60)
    else:
        pictures.pixels(200, 150).save(output, "JPEG", exif=pictures.exif())
    jpeg = output.getvalue()
    jfif = 4 + int.from_bytes(jpeg[4:6])
    start = jpeg[:2] + jpeg[jfif:]  # without the segment that most begin with
    assert find_embedded(b"\x12" + start[:length]) == 1


@pytest.mark.parametrize("loudness", [20, 60, 200])
def test_quiet_sound_is_no_picture(loudness: int) -> None:
    chance = random.Random(loudness)
    samples = [int(chance.gauss(0, loudness)) for _ in range(200_000)]
    assert find_embedded(struct.pack(f"<{len(samples)}h", *samples)) is None


OTHER_FORMATS = [
    (saved("BMP"), Format.BMP),
    (saved("TIFF"), Format.TIFF),
    (saved("ICO"), Format.ICO),
    (saved("AVIF"), Format.AVIF),
    (saved("JPEG2000"), Format.JP2),
    (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", Format.HEIF),
    (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", Format.AVIF),
    (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", Format.RAW),
    (b"\0\0\0\x18ftypisom\0\0\2\0isomiso2avc1mp41", Format.MP4),
    (b"\0\0\0\x14ftypqt  \0\0\2\0qt  ", Format.MP4),
    (b"\0\0\1\0moov\0\0\0\x6cmvhd", Format.MP4),
    (b"\0\0\0\x08wide\0\0\1\0mdat", Format.MP4),
    (b"\0\0\1\0mdatsamples", Format.MP4),
    (b"\0\0\0\x0cfree\0\0\0\0\0\0\1\0moov", Format.MP4),
    (b"II*\0\x10\0\0\0CR\2\0", Format.RAW),
    (b"II*\0\x10\0\0\0IIII", Format.RAW),
    (b"II\x1a\0\0\0HEAPCCDR", Format.RAW),
    (b"FUJIFILMCCD-RAW 0201", Format.RAW),
    (b"\0\0\0\x0cJXL \r\n\x87\n", Format.JXL),
    (b"8BPS\0\1" + bytes(20), Format.PSD),
    (b"PK\3\4\x14\0", Format.ZIP),
    (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", Format.PDF),
    (b'<svg xmlns="http://www.w3.org/2000/svg"/>', Format.SVG),
    (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- x --><!DOCTYPE svg>\n<svg:svg>", Format.SVG),
]


@pytest.mark.parametrize(("data", "known"), OTHER_FORMATS)
def test_other_formats(data: bytes, known: Format) -> None:
    assert sniff(data) is known
    assert known.cleanable is (known is not Format.RAW)


@pytest.mark.parametrize("data", [*PICTURES.values(), *(data for data, _ in OTHER_FORMATS)])
def test_nothing_is_known_that_begins_in_no_known_way(data: bytes) -> None:
    for first in range(256):
        other = bytes([first]) + data[1:]
        begins = any(other.startswith(one, at) for at, one in BEGINNINGS)
        assert begins or sniff(other) is None
    assert any(data.startswith(one, at) for at, one in BEGINNINGS)


OTHERS = [
    b"",
    b"\xff\xd8",
    json.dumps({"text": "BM is a name, GIF89a too, and II* as well"}).encode(),
    b"BMW is a car, and this is a sentence of some length.",
    b"<html><body><svg></svg></body></html>",
    b"\0\0\0\x18ftypabcd\0\0\2\0efghijklmnopqrst",
    b"RIFF\x24\0\0\0WAVEfmt ",
    b"\0\0\0\x0cfree\0\0\0\0\0\0\1\0text",
    b"The moovie of the year",
    b"\0" * 100,
    b"Wie sagt man GIF89a auf Deutsch? \n\n\n",
]


@pytest.mark.parametrize("data", OTHERS)
def test_other_things_are_no_pictures(data: bytes) -> None:
    assert sniff(data) is None
    assert find_embedded(data) is None


@pytest.mark.parametrize("known", PICTURES)
@pytest.mark.parametrize("before", [b"", b"\x08\x96\x01\x12", b"\xff\xd8\xff\xd8" * 5])
def test_pictures_inside_other_data_are_noticed(known: Format, before: bytes) -> None:
    assert find_embedded(memoryview(before + PICTURES[known] + b"more")) == len(before)


ANCHORS = [
    *(b"\xff\xd8\xff", b"\xff\xd8\xff\xe0\0\x04ab", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"WEBPVP8 "),
    *(
        b"II*\0",
        b"MM\0*",
        b"Exif\0\0II*\0",
        b"ftypheic",
        b"\0\0\0\x0cJXL \r\n\x87\n",
        b"%PDF-1.7\n%\xe2\xe3",
    ),
]


@given(st.lists(st.one_of(st.sampled_from(ANCHORS), st.binary(max_size=12)), max_size=12))
def test_the_first_is_where_trying_each_byte_finds_it(pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    starts = (at for at in range(len(data)) if find_embedded(data[at:]) == 0)
    found = find_embedded(data)
    assert found == next(starts, None)
    assert found is None or any(anchor in data for anchor in NEEDED)


@pytest.mark.parametrize("anchor", [b"\xff\xd8\xff", b"MM\0*"])
def test_one_is_noticed_behind_thousands_of_beginnings(anchor: bytes) -> None:
    before = anchor * 5_000 + b"\xff"
    assert find_embedded(before + PICTURES[Format.PNG]) == len(before)


def test_a_picture_cut_off_in_its_headers_is_noticed() -> None:
    assert find_embedded(b"xx" + PICTURES[Format.JPEG][:100]) == 2


def test_every_format_has_an_extension() -> None:
    for known in Format:
        assert known.extension.isalnum()
    assert Image.registered_extensions()[f".{Format.JPEG.extension}"] == "JPEG"


@pytest.mark.parametrize(
    "data",
    [
        b"<!---->" * 9000 + b"x",
        b"<!DOCTYPE svg[]>" * 4000 + b"x",
        b"<!--" * 16_000,
        b"<?" * 30_000,
        b" " * 65_000,
    ],
)
def test_long_prologues_take_no_time(data: bytes) -> None:
    assert sniff(data) is None


def test_an_svg_behind_a_long_comment() -> None:
    assert sniff(b"<!--" + b"x" * 20_000 + b"--><svg>") is Format.SVG

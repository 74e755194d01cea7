from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image, ImageCms

from safelight import images
from safelight.images import Kind, Length
from tests.support import pictures

PNG = pictures.png()


def chunk(type_: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + type_ + data + struct.pack(">I", zlib.crc32(type_ + data))


def bare() -> bytes:
    output = io.BytesIO()
    pictures.pixels().save(output, "PNG")
    return output.getvalue()


def with_chunks(*chunks: bytes, before: bytes = b"IDAT") -> bytes:
    data = bare()
    position = data.index(before) - 4
    return data[:position] + b"".join(chunks) + data[position:]


MOVES = chunk(b"acTL", struct.pack(">II", 1, 0))
FRAME = chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, 64, 48, 0, 0, 1, 10, 0, 0))


@pytest.mark.parametrize("length", Length)
def test_secrets_go_and_the_picture_stays(length: Length) -> None:
    cleaned = images.strip(PNG, length)
    assert not pictures.says_secrets(cleaned)
    assert pictures.same_pixels(PNG, cleaned)
    assert Image.open(io.BytesIO(cleaned)).getexif()[0x0112] == 6
    assert (len(cleaned) == len(PNG)) is (length is Length.SAME_LENGTH)
    assert images.strip(cleaned, length) == cleaned


def test_findings_are_named() -> None:
    kinds = {finding.kind for finding in images.examine(PNG).findings}
    assert {Kind.AUTHOR, Kind.AI_PROMPT, Kind.LOCATION} <= kinds


@pytest.mark.parametrize(
    ("type_", "data"),
    [
        (b"tEXt", b"Comment\0CANARY"),
        (b"zTXt", b"Comment\0\0" + zlib.compress(b"CANARY" * 9)),
        (b"iTXt", b"Comment\0\1\0\0\0" + zlib.compress(b"CANARY" * 9)),
        (b"tIME", b"CANARY!"),
        (b"caBX", b"CANARY"),
        (b"skRf", b"CANARY"),
        (b"iDOT", b"CANARY"),
        (b"zzZz", b"CANARY"),
        (b"paDd", b"CANARY"),
        (b"eXIf", b"CANARY"),
    ],
)
@pytest.mark.parametrize("before", [b"IDAT", b"IEND"])
@pytest.mark.parametrize("length", Length)
def test_other_chunks_go_wherever_they_are(
    type_: bytes, data: bytes, before: bytes, length: Length
) -> None:
    dirty = with_chunks(chunk(type_, data), before=before)
    assert images.examine(dirty).findings
    cleaned = images.strip(dirty, length)
    assert not pictures.says_secrets(cleaned)
    assert pictures.same_pixels(bare(), cleaned)
    if length is Length.COMPACT:
        assert cleaned == bare()


def test_orientation_stays_at_its_place_behind_the_picture() -> None:
    dirty = with_chunks(chunk(b"eXIf", pictures.exif()[6:]), before=b"IEND")
    for length in Length:
        cleaned = images.strip(dirty, length)
        assert cleaned.index(b"eXIf") > cleaned.index(b"IDAT")
        assert not pictures.says_secrets(cleaned)


def test_orientation_in_a_raw_profile_stays_there() -> None:
    block = pictures.exif()
    text = b"\nexif\n%8d\n%s\n" % (len(block), block.hex().encode())
    for data in (
        chunk(b"tEXt", b"Raw profile type exif\0" + text),
        chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(text)),
        chunk(b"iTXt", b"Raw profile type exif\0\0\0\0\0" + text),
    ):
        for length in Length:
            cleaned = images.strip(with_chunks(data), length)
            assert pictures.CANARY.hex().encode() not in cleaned
            assert not pictures.says_secrets(cleaned)
            assert Image.open(io.BytesIO(cleaned)).getexif()[0x0112] == 6


def test_a_colour_profile_stays_without_its_name_and_texts() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    dirty = with_chunks(
        chunk(b"iCCP", b"CANARY Anna's screen\0\0" + zlib.compress(profile)), before=b"IDAT"
    )
    for length in Length:
        cleaned = images.strip(dirty, length)
        assert not pictures.says_secrets(cleaned)
        kept = Image.open(io.BytesIO(cleaned)).info["icc_profile"]
        assert len(kept) == len(profile)
        assert ImageCms.ImageCmsProfile(io.BytesIO(kept)).profile.red_primary


@pytest.mark.parametrize("trailer", [b"x", b"CANARY", b"CANARY" * 100, PNG])
def test_what_follows_the_end_goes(trailer: bytes) -> None:
    dirty = bare() + trailer
    assert images.strip(dirty) == bare()
    same = images.strip(dirty, Length.SAME_LENGTH)
    assert len(same) == len(dirty)
    assert not pictures.says_secrets(same)
    if len(trailer) >= 12:
        assert same.endswith(chunk(b"IEND", b""))


@pytest.mark.parametrize(
    "data",
    [
        PNG[:20],
        PNG[: len(PNG) // 2],
        PNG[:-5],
        with_chunks(chunk(b"ABCD", b"critical and unknown")),
        bare().replace(b"IHDR", b"IHDX"),
        bare()[:8] + chunk(b"IHDR", b"short") + bare()[33:],
        bare()[:8] + chunk(b"IEND", b""),
        with_chunks(struct.pack(">I", 0xFFFFFFFF) + b"tEXt"),
        with_chunks(MOVES, MOVES),
        with_chunks(FRAME, MOVES),
        with_chunks(FRAME),
        with_chunks(MOVES, before=b"IEND"),
        with_chunks(chunk(b"fdAT", bytes(8)), MOVES),
        with_chunks(MOVES, FRAME, chunk(b"fdAT", bytes(8))),
        with_chunks(chunk(b"tRNS", bytes(6)), chunk(b"tRNS", b"\0\1" * 3)),
    ],
)
def test_broken_pictures_are_refused(data: bytes) -> None:
    with pytest.raises(images.ImageError):
        images.examine(data)


@pytest.mark.parametrize(
    "data", [zlib.compress(bytes(40_000_000)), b"CANARY", zlib.compress(b"CANARY" * 99)]
)
def test_a_profile_that_nothing_can_use_goes(data: bytes) -> None:
    dirty = with_chunks(chunk(b"iCCP", b"CANARY\0\0" + data))
    for length in Length:
        assert not pictures.says_secrets(images.strip(dirty, length))
    assert images.strip(dirty) == bare()


def test_a_text_bomb_goes_like_any_other_text() -> None:
    bomb = with_chunks(chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(40_000_000), 9)))
    assert images.strip(bomb) == bare()

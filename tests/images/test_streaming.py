"""Cleaning on the way: any chunking gives the same bytes, in memory that does not grow."""

from __future__ import annotations

import io
import itertools
import os
import struct
import tracemalloc
import zlib
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from safelight import images
from safelight.images import (
    STREAMED,
    Format,
    ImageError,
    Length,
    StreamCleaner,
    UnalterableError,
    png_chunks,
)
from tests.support import more_pictures as more
from tests.support import pictures

MADE = {
    Format.JPEG: pictures.jpeg(),
    Format.PNG: pictures.png(),
    Format.WEBP: pictures.webp(),
    Format.GIF: pictures.gif(),
    Format.JXL: more.jxl(),
    Format.MP4: more.leading_movie(),
}


def stream(data: bytes, pieces: list[bytes] | None = None) -> bytes:
    known = images.sniff(data)
    assert known is not None
    cleaner = StreamCleaner(known, len(data))
    output = b"".join(cleaner.feed(piece) for piece in pieces or [data])
    cleaner.close()
    return output


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted({place % len(data) for place in places}), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges)]


def test_every_format_that_says_so_is_tried() -> None:
    assert set(MADE) == STREAMED


@pytest.mark.parametrize("known", MADE)
def test_it_is_as_clean_as_when_the_whole_picture_is_there(known: Format) -> None:
    cleaned = stream(MADE[known])
    assert len(cleaned) == len(MADE[known])
    assert not pictures.says_secrets(cleaned)
    assert images.examine(cleaned).findings == ()
    if known is not Format.WEBP:  # whose flags stay
        assert images.strip(cleaned, Length.SAME_LENGTH) == cleaned


@pytest.mark.parametrize("known", [Format.JPEG, Format.GIF, Format.JXL, Format.MP4])
def test_it_is_the_same_as_when_the_whole_picture_is_there(known: Format) -> None:
    assert stream(MADE[known]) == images.strip(MADE[known], Length.SAME_LENGTH)


@pytest.mark.parametrize("known", [known for known in MADE if known is not Format.MP4])
def test_the_picture_looks_the_same(known: Format) -> None:
    assert pictures.same_pixels(MADE[known], stream(MADE[known]))


@given(st.sampled_from(sorted(MADE)), st.lists(st.integers(0, 1 << 20), max_size=40))
def test_any_chunking_gives_the_same_bytes(known: Format, places: list[int]) -> None:
    assert stream(MADE[known], cut(MADE[known], places)) == stream(MADE[known])


@pytest.mark.parametrize("known", MADE)
def test_byte_by_byte(known: Format) -> None:
    data = MADE[known]
    assert stream(data, [data[i : i + 1] for i in range(len(data))]) == stream(data)


@given(st.sampled_from(sorted(MADE)), st.data())
def test_damage_is_refused_or_cleaned(known: Format, draw: st.DataObject) -> None:
    data = bytearray(MADE[known])
    for _ in range(draw.draw(st.integers(1, 4))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    end = draw.draw(st.integers(1, len(data)))
    cleaner = StreamCleaner(known, len(data))
    try:
        output = cleaner.feed(bytes(data[:end])) + cleaner.feed(bytes(data[end:]))
        cleaner.close()
    except ImageError:
        return
    assert len(output) == len(data)


@pytest.mark.parametrize("known", MADE)
def test_what_is_cut_off_or_too_long_is_refused(known: Format) -> None:
    data = MADE[known]
    cleaner = StreamCleaner(known, len(data))
    cleaner.feed(data[:-1])
    with pytest.raises(ImageError, match="cut off"):
        cleaner.close()
    with pytest.raises(ImageError, match="longer"):
        cleaner.feed(b"ab")


@pytest.mark.parametrize("known", sorted(set(Format) - STREAMED))
def test_other_formats_say_that_they_cannot(known: Format) -> None:
    with pytest.raises(UnalterableError) as caught:
        StreamCleaner(known, 1_000)
    assert (caught.value.format, caught.value.length) == (known, Length.SAME_LENGTH)


def test_what_cannot_be_judged_on_its_way_is_refused() -> None:
    with pytest.raises(UnalterableError, match="index"):
        stream(more.movie())
    index = b"\xff\xe2\0\x08MPF\0II"
    with pytest.raises(UnalterableError, match="behind it"):
        stream(pictures.jpeg()[:2] + index + pictures.jpeg()[2:])


def test_segments_between_scans_and_strays_go() -> None:
    output = io.BytesIO()
    pictures.pixels().save(output, "JPEG", progressive=True)
    data = output.getvalue()
    second = data.index(b"\xff\xda", data.index(b"\xff\xda") + 2)
    hiding = data[:second] + b"\xff\xfe\0\x0aCANARY12" + data[second:]
    assert b"CANARY" not in stream(hiding)
    assert pictures.same_pixels(hiding, stream(hiding))
    stray = data[:second] + b"\xff\xfe\0\2CANARY" + data[second:]
    assert b"CANARY" not in images.strip(stray)
    assert pictures.same_pixels(stray, images.strip(stray))


@pytest.mark.parametrize("known", [Format.PNG, Format.JPEG, Format.MP4, Format.WEBP])
def test_memory_does_not_grow_with_the_picture(known: Format) -> None:
    head, pixels, tail = large(known)
    count = 60
    size = len(head) + count * len(pixels) + len(tail)
    cleaner = StreamCleaner(known, size)
    tracemalloc.start()
    sent = len(cleaner.feed(head))
    for _ in range(count):
        sent += len(cleaner.feed(pixels))
    sent += len(cleaner.feed(tail))
    cleaner.close()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sent == size
    assert peak < 6 * len(pixels)


def large(known: Format) -> tuple[bytes, bytes, bytes]:
    """The head of a picture, a megabyte to be repeated sixty times, and its tail."""
    piece = Random(7).randbytes(1 << 20).replace(b"\xff", b"\xfe")
    length = 60 * len(piece)
    if known is Format.JPEG:
        data = pictures.jpeg()
        start = data.rindex(b"\xff\xda") + 2 + 12
        return data[:start], piece, b"\xff\xd9"
    if known is Format.PNG:
        data = b"IDAT"
        checksum = zlib.crc32(data)
        for _ in range(60):
            checksum = zlib.crc32(piece, checksum)
        header = b"IHDR" + struct.pack(">IIBBBBB", 9, 9, 8, 2, 0, 0, 0)
        checked = header + struct.pack(">I", zlib.crc32(header))
        head = png_chunks.SIGNATURE + struct.pack(">I", 13) + checked
        end = b"\0\0\0\0IEND" + struct.pack(">I", zlib.crc32(b"IEND"))
        return head + struct.pack(">I", length) + data, piece, struct.pack(">I", checksum) + end
    if known is Format.WEBP:
        riff = b"RIFF" + struct.pack("<I", length + 12) + b"WEBPVP8 "
        return riff + struct.pack("<I", length), piece, b""
    movie = more.leading_movie()
    head = movie[: movie.index(b"mdat") - 4]
    return head + b"\0\0\0\1mdat" + struct.pack(">Q", length + 16), piece, b""


def test_every_picture_of_the_corpus() -> None:
    root = os.environ.get("SAFELIGHT_CORPUS")
    if root is None:
        pytest.skip("SAFELIGHT_CORPUS names no folder of pictures")
    done = 0
    for path in sorted(Path(root).rglob("*")):
        data = path.read_bytes() if path.is_file() else b""
        if images.sniff(data) not in STREAMED or path.parent.name == "hostile":
            continue
        edges = Random(len(data)).sample(range(len(data)), min(len(data), 20))
        try:
            cleaned = stream(data, cut(data, edges))
        except UnalterableError:
            continue
        assert len(cleaned) == len(data), path
        assert images.examine(cleaned).findings == (), path
        assert not pictures.says_secrets(cleaned), path
        # Without the JPEG reconstruction data, which is private, pixels are rounded another way.
        assert b"jbrd" in data or looks(cleaned) == looks(data), path
        done += 1
    assert done


def looks(data: bytes) -> bytes | None:
    try:
        with Image.open(io.BytesIO(data)) as image:
            return image.convert("RGBA").tobytes()
    except (OSError, ValueError, SyntaxError):
        return None


@given(st.sampled_from(sorted(MADE)), st.lists(st.integers(0, 1 << 20), max_size=6))
def test_settling_gives_out_as_much_as_came_or_refuses(known: Format, places: list[int]) -> None:
    data = MADE[known]
    cleaner = StreamCleaner(known, None)
    output = b""
    for piece in cut(data, places):
        try:
            given_out = cleaner.feed(piece) + cleaner.settle()
        except UnalterableError:
            assert not pictures.says_secrets(output)
            return
        assert len(given_out) == len(piece)
        output += given_out
    assert output == stream(data)


def test_between_pixels_settling_always_works() -> None:
    data = pictures.png()
    start = data.index(b"IDAT") + 4
    for place in range(start, start + 40):
        pieces = [data[:place], data[place:]]
        cleaner = StreamCleaner(Format.PNG, None)
        assert b"".join(cleaner.feed(piece) + cleaner.settle() for piece in pieces) == stream(data)

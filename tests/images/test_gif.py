from __future__ import annotations

import io

import pytest
from PIL import Image

from safelight import images
from safelight.images import Kind, Length
from tests.support import pictures

GIF = pictures.gif()


def sub_blocks(data: bytes) -> bytes:
    pieces = [data[i : i + 255] for i in range(0, len(data), 255)]
    return b"".join(bytes([len(piece)]) + piece for piece in pieces) + b"\0"


def application(name: bytes, data: bytes) -> bytes:
    return b"\x21\xff\x0b" + name + sub_blocks(data)


def bare() -> bytes:
    output = io.BytesIO()
    pictures.pixels().convert("P").save(output, "GIF")
    return output.getvalue()


def with_blocks(*blocks: bytes) -> bytes:
    """Blocks right before the trailer of a clean picture."""
    return bare()[:-1] + b"".join(blocks) + b";"


def frames(data: bytes) -> list[tuple[bytes, object]]:
    image = Image.open(io.BytesIO(data))
    shown = []
    for number in range(image.n_frames):  # type: ignore[attr-defined]
        image.seek(number)
        shown.append((image.convert("RGBA").tobytes(), image.info.get("duration")))
    return [*shown, (b"", image.info.get("loop"))]


@pytest.mark.parametrize("length", Length)
def test_secrets_go_and_the_animation_stays(length: Length) -> None:
    cleaned = images.strip(GIF, length)
    assert b"CANARY" not in cleaned
    assert frames(cleaned) == frames(GIF)
    assert (len(cleaned) == len(GIF)) is (length is Length.SAME_LENGTH)
    assert images.strip(cleaned, length) == cleaned


XMP = (
    b"\x21\xff\x0bXMP DataXMP<x:xmpmeta>CANARY dc:creator</x:xmpmeta>\x01"
    + bytes(range(255, -1, -1))
    + b"\0"
)


@pytest.mark.parametrize(
    ("block", "kind"),
    [
        (b"\x21\xfe" + sub_blocks(b"CANARY"), Kind.COMMENT),
        (b"\x21\xfe" + sub_blocks(b"CANARY" * 200), Kind.COMMENT),
        (application(b"MGKIPTC0000", b"CANARY"), Kind.UNKNOWN_DATA),
        (application(b"C2PA_GIF\1\0\0", b"CANARY"), Kind.CONTENT_CREDENTIALS),
        (application(b"NETSCAPE2.0", b"\1\0\0CANARY"), Kind.UNKNOWN_DATA),
        (b"\x21\x77" + sub_blocks(b"CANARY"), Kind.UNKNOWN_DATA),
        (b"\x21\x77\0", Kind.UNKNOWN_DATA),
        (XMP, Kind.AUTHOR),
        (b"\x21\x01\x0c" + bytes(12) + sub_blocks(b"CANARY"), Kind.COMMENT),
    ],
)
@pytest.mark.parametrize("length", Length)
def test_other_blocks_go(block: bytes, kind: Kind, length: Length) -> None:
    dirty = with_blocks(block)
    assert [finding.kind for finding in images.examine(dirty).findings] == [kind]
    cleaned = images.strip(dirty, length)
    assert b"CANARY" not in cleaned
    assert frames(cleaned) == frames(bare())


@pytest.mark.parametrize("size", [*range(6, 20), 255, 256, 257, 258, 259, 511, 512, 513, 1000])
def test_blank_comments_of_every_length(size: int) -> None:
    dirty = with_blocks(b"\x21\xfe" + sub_blocks(b"x" * size))
    same = images.strip(dirty, Length.SAME_LENGTH)
    assert len(same) == len(dirty)
    assert b"x" * size not in same
    assert frames(same) == frames(bare())


@pytest.mark.parametrize("trailer", [b"x", b"xy", b"xyz", b"CANA", b"CANARY", b"CANARY" * 99, GIF])
def test_what_follows_the_end_goes(trailer: bytes) -> None:
    dirty = bare() + trailer
    assert images.strip(dirty) == bare()
    same = images.strip(dirty, Length.SAME_LENGTH)
    assert len(same) == len(dirty)
    assert b"CANARY" not in same
    assert frames(same) == frames(bare())


@pytest.mark.parametrize(
    "data",
    [
        GIF[:10],
        GIF[: len(GIF) // 2],
        bare()[:-1],
        bare()[:13] + b";",
        with_blocks(b"\x99"),
        with_blocks(b"\x2c\0\0"),
        with_blocks(b"\x21"),
        bare()[:-1] + b"\x21\xfe\xff",
    ],
)
def test_broken_pictures_are_refused(data: bytes) -> None:
    with pytest.raises(images.ImageError):
        images.examine(data)


@pytest.mark.parametrize("length", Length)
@pytest.mark.parametrize(
    "block",
    [
        b"\x21\x01\x00",
        b"\x21\x01\xff" + b"CANARY" * 42 + b"CAN" + b"\x00",
        b"\x21\x01\x0c" + bytes(12) + b"\x06CANARY\x00",
    ],
    ids=["empty", "long grid", "text"],
)
def test_plain_text_extensions(block: bytes, length: Length) -> None:
    dirty = with_blocks(block)
    try:
        clean = images.strip(dirty, length)
    except images.UnalterableError:
        assert length is Length.SAME_LENGTH
        assert len(block) < 4
        return
    assert b"CANARY" not in clean
    assert frames(clean) == frames(dirty)
    assert images.strip(clean, length) == clean


def hiding_in_pixels(canary: bytes, *, apart: bool) -> bytes:
    """A picture whose pixels end before their last sub-block does, or before the last of them."""
    data = bare()
    end = len(data) - 2
    if apart:
        return data[:end] + sub_blocks(canary) + data[end + 1 :]
    position = 13 + 768 + 10 + 1
    while position + 1 + data[position] < end:
        position += 1 + data[position]
    size = data[position] + len(canary)
    return data[:position] + bytes([size]) + data[position + 1 : end] + canary + data[end:]


@pytest.mark.parametrize("length", Length)
@pytest.mark.parametrize("apart", [True, False])
@pytest.mark.parametrize("canary", [b"CANARY", b"CANARY\0", b"CANARY-7f3a"])
def test_what_stands_behind_the_pixels_goes(canary: bytes, length: Length, *, apart: bool) -> None:
    dirty = hiding_in_pixels(canary, apart=apart)
    assert canary in dirty
    assert [one.place for one in images.examine(dirty).findings] == ["behind the pixels"]
    clean = images.strip(dirty, length)
    assert b"CANARY" not in clean
    assert frames(clean) == frames(dirty)
    assert images.strip(clean, length) == clean


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_pixels_without_an_end_stay(cut: int) -> None:
    data = bare()
    end = len(data) - 2
    position = 13 + 768 + 10 + 1
    while position + 1 + data[position] < end:
        position += 1 + data[position]
    size = data[position] - cut
    short = data[:position] + bytes([size]) + data[position + 1 : end - cut] + data[end:]
    assert images.strip(short) == short

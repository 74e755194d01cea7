from __future__ import annotations

import io
import struct

import pytest
from PIL import Image

from safelight import images
from safelight.images import Kind, Length
from tests.support import pictures

WEBP = pictures.webp()


def chunk(type_: bytes, data: bytes) -> bytes:
    return type_ + struct.pack("<I", len(data)) + data + bytes(len(data) & 1)


def riff(*chunks: bytes) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def bare() -> bytes:
    output = io.BytesIO()
    pictures.pixels().save(output, "WEBP", lossless=True)
    return output.getvalue()


def animation() -> bytes:
    output = io.BytesIO()
    frames = [pictures.pixels().rotate(angle) for angle in (0, 90)]
    frames[0].save(
        output, "WEBP", save_all=True, append_images=frames[1:], duration=70, lossless=True
    )
    return output.getvalue()


@pytest.mark.parametrize("length", Length)
def test_secrets_go_and_the_picture_stays(length: Length) -> None:
    cleaned = images.strip(WEBP, length)
    assert not pictures.says_secrets(cleaned)
    assert pictures.same_pixels(WEBP, cleaned)
    assert Image.open(io.BytesIO(cleaned)).getexif()[0x0112] == 6
    assert (len(cleaned) == len(WEBP)) is (length is Length.SAME_LENGTH)
    assert struct.unpack_from("<I", cleaned, 4)[0] == len(cleaned) - 8
    assert images.strip(cleaned, length) == cleaned


def test_flags_tell_what_is_left() -> None:
    output = io.BytesIO()
    pictures.pixels().save(output, "WEBP", exif=pictures.exif(1)[6:], xmp=b"<CANARY/>")
    for length in Length:
        cleaned = images.strip(output.getvalue(), length)
        assert cleaned[12:16] == b"VP8X"
        assert cleaned[20] & 0x0C == 0


@pytest.mark.parametrize("prefix", [b"", b"Exif\0\0"])
def test_the_exif_prefix_stays_as_it_was(prefix: bytes) -> None:
    header = chunk(b"VP8X", bytes((8, 0, 0, 0, 63, 0, 0, 47, 0, 0)))
    block = chunk(b"EXIF", prefix + pictures.exif()[6:])
    cleaned = images.strip(riff(header, bare()[12:], block))
    position = cleaned.index(b"EXIF") + 8
    assert cleaned[position:].startswith(prefix + b"MM\0*")


@pytest.mark.parametrize("length", Length)
def test_unknown_chunks_odd_padding_and_trailers_go(length: Length) -> None:
    picture = bare()[12:]
    for dirty in (
        riff(picture, chunk(b"zzzz", b"CANARY!")),
        riff(picture, chunk(b"EXIF", pictures.exif())),
        riff(picture, chunk(b"C2PA", b"CANARY")),
        riff(picture, chunk(b"ICCP", b"CANARY")),
        riff(picture, chunk(b"JUNK", b"CANARY")),
        riff(picture) + b"CANARY trailer",
        riff(picture) + b"CANARY",
    ):
        cleaned = images.strip(dirty, length)
        assert b"CANARY" not in cleaned
        assert pictures.same_pixels(bare(), cleaned)
        assert images.examine(dirty).findings


def test_a_byte_hidden_in_padding_goes() -> None:
    odd = b"ALPH" + struct.pack("<I", 1) + b"x"
    header = chunk(b"VP8X", bytes(4) + bytes((63, 0, 0, 47, 0, 0)))
    for length in Length:
        cleaned = images.strip(riff(header, odd + b"C", bare()[12:]), length)
        assert cleaned == riff(header, odd + b"\0", bare()[12:])


def test_chunks_inside_frames_are_blanked() -> None:
    data = animation()
    frame = data.index(b"ANMF")
    size = struct.unpack_from("<I", data, frame + 4)[0]
    hidden = chunk(b"zzzz", b"CANARY")
    grown = (
        data[: frame + 4]
        + struct.pack("<I", size + len(hidden))
        + data[frame + 8 : frame + 8 + size]
        + hidden
        + data[frame + 8 + size :]
    )
    dirty = grown[:4] + struct.pack("<I", len(grown) - 8) + grown[8:]
    for length in Length:
        cleaned = images.strip(dirty, length)
        assert b"CANARY" not in cleaned
        assert len(cleaned) == len(dirty)
        before, after = Image.open(io.BytesIO(data)), Image.open(io.BytesIO(cleaned))
        assert after.n_frames == before.n_frames == 2  # type: ignore[attr-defined]


def test_credentials_are_named() -> None:
    findings = images.examine(riff(bare()[12:], chunk(b"C2PA", b"x"))).findings
    assert [finding.kind for finding in findings] == [Kind.CONTENT_CREDENTIALS]


@pytest.mark.parametrize(
    "data",
    [
        WEBP[:12],
        WEBP[: len(WEBP) // 2],
        WEBP[:-3],
        riff(chunk(b"VP8X", bytes(10))),
        riff(b"VP8L" + struct.pack("<I", 0xFFFFFFF0)),
        riff(b"VP8"),
        riff(chunk(b"VP8X", bytes(10)), chunk(b"ANMF", b"short")),
    ],
)
def test_broken_pictures_are_refused(data: bytes) -> None:
    with pytest.raises(images.ImageError):
        images.examine(data)

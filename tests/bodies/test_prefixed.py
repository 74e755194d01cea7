"""Pictures in binary messages: only what a length, or the end, says is theirs."""

from __future__ import annotations

import base64
import io
import struct
import zipfile
from typing import TYPE_CHECKING

import pytest

from safelight import images
from safelight.bodies import Shape, content, survey
from safelight.examiner import PICTURES
from tests.bodies.recogniser import MARKED, picture
from tests.support import documents, pictures
from tests.support import more_pictures as more

if TYPE_CHECKING:
    from collections.abc import Callable


def varint(number: int) -> bytes:
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*written, number])


def message(*fields: bytes) -> bytes:
    """A protobuf message of length-delimited fields."""
    return b"".join(
        bytes([number << 3 | 2]) + varint(len(field)) + field
        for number, field in enumerate(fields, 1)
    )


PICTURE = picture(b"x" * 300)
AROUND = [
    message(b"name", PICTURE, b"prompt"),
    message(b"name", message(b"a", PICTURE), PICTURE),
    b"\0" + struct.pack(">I", 400) + message(b"request", PICTURE, b"\1\2"),
    b"\x81\xa4name\xc6" + struct.pack(">I", len(PICTURE)) + PICTURE + b"\xa3end",
    struct.pack("<I", len(PICTURE)) + PICTURE + b"\0\0\0\0",
    b"\0\0\0\7" + PICTURE,
]


@pytest.mark.parametrize("body", AROUND)
def test_pictures_are_found_with_their_length(body: bytes) -> None:
    found = survey(body, "application/octet-stream", MARKED)
    assert found.shape is Shape.BINARY
    assert found.doubts == ()
    assert {content(body, site) for site in found.sites} == {PICTURE}
    assert len(found.sites) == body.count(PICTURE)
    assert all(site.fixed for site in found.sites)


def test_a_picture_without_a_length_is_doubtful() -> None:
    body = b"\0" * 200 + PICTURE + b"\0"
    assert [one.reason for one in survey(body, "", MARKED).doubts] == [
        "A picture stands inside it where it cannot be cleaned yet."
    ]


def test_base64_in_a_binary_message_keeps_its_length() -> None:
    body = message(b"data:image/jpeg;base64," + base64.b64encode(PICTURE), b"prompt")
    [site] = survey(body, "application/grpc", MARKED).sites
    assert content(body, site) == PICTURE
    assert site.fixed


@pytest.mark.parametrize(
    "content_type",
    ["application/grpc+proto", "application/grpc-web+proto", "application/connect+proto"],
)
@pytest.mark.parametrize("before", [b"", b"\0\0\0\0\2ab"])
def test_a_compressed_message_is_doubtful(content_type: str, before: bytes) -> None:
    body = b"\1" + struct.pack(">I", 5) + b"\x1f\x8babc"
    assert survey(before + body, content_type, MARKED).doubts != ()
    assert survey(before + b"\0" + body[1:], content_type, MARKED).doubts == ()


def zigzag(size: int) -> bytes:
    return varint(2 * size)


def document(photo: bytes) -> bytes:
    """BSON with one field (bsonspec.org)."""
    field = b"\5image\0" + struct.pack("<I", len(photo)) + b"\0" + photo
    return struct.pack("<I", len(field) + 5) + field + b"\0"


PHOTOS = [
    pictures.jpeg(),
    pictures.png(),
    pictures.webp(),
    more.heic(),
    more.tiff(),
    documents.pdf(),
]
MESSAGES: dict[str, Callable[[bytes], bytes]] = {
    "BSON": document,
    "Avro": lambda one: b"\2x" + zigzag(len(one)) + one + b"\2y",
    "CBOR": lambda one: b"\xa2\1\2\3\x5a" + struct.pack(">I", len(one)) + one,
    "a protobuf field with text, whose head reads like text": lambda one: message(
        b"data:image/jpeg;base64," + base64.b64encode((one * 9)[:3500])
    ),
}


@pytest.mark.parametrize("photo", PHOTOS)
@pytest.mark.parametrize("way", MESSAGES)
def test_what_follows_a_picture_is_no_part_of_it(way: str, photo: bytes) -> None:
    body = MESSAGES[way](photo)
    found = survey(body, "application/octet-stream", PICTURES)
    assert found.shape is Shape.BINARY
    assert all(site.fixed for site in found.sites)
    if "text" not in way:
        assert [content(body, site) for site in found.sites] == [photo]
        assert found.doubts == ()


@pytest.mark.parametrize("tail", [b"\2y", b"\0", b"\x18\5", b"\xff" * 60])
@pytest.mark.parametrize("photo", PHOTOS[:3])
def test_a_short_tail_without_a_length_stays(photo: bytes, tail: bytes) -> None:
    body = b"\1\2\3\4" + photo + tail
    [site] = survey(body, "", PICTURES).sites
    assert content(body, site) == photo


def test_a_picture_in_an_archive_in_a_message_is_doubtful() -> None:
    """What stands behind it is the archive's."""
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w") as archive:
        archive.writestr("a.jpg", pictures.jpeg())
    body = message(output.getvalue(), b"prompt")
    found = survey(body, "application/grpc", PICTURES)
    assert found.sites == ()
    assert found.doubts != ()


@pytest.mark.parametrize("content_type", ["application/grpc", "application/connect+proto"])
def test_a_picture_in_several_frames_is_doubtful(content_type: str) -> None:
    photo = pictures.jpeg()
    pieces = [message(photo[:1000]), message(photo[1000:])]
    body = b"".join(b"\0" + struct.pack(">I", len(one)) + one for one in pieces)
    assert survey(body, content_type, PICTURES).doubts != ()


def test_a_cleaned_picture_is_found_where_it_was() -> None:
    """As cameras write it: what was taken out stood first."""
    photo = pictures.jpeg()
    from_a_camera = photo[:2] + photo[2 + 18 :]
    for cleaned in (
        images.strip(from_a_camera, images.Length.SAME_LENGTH),
        images.strip(from_a_camera.replace(b"\xff\xe1", b"\xff\xe2", 1), images.Length.SAME_LENGTH),
    ):
        [site] = survey(message(b"name", cleaned), "application/grpc", PICTURES).sites
        assert content(message(b"name", cleaned), site) == cleaned

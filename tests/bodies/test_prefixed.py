"""Pictures in binary messages: only what a length, or the end, says is theirs."""

from __future__ import annotations

import base64
import struct

import pytest

from safelight.bodies import Shape, content, survey
from tests.bodies.recogniser import MARKED, picture


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

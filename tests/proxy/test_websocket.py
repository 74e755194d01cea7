"""Messages on a WebSocket to a service: pictures are cleaned in them, the rest passes."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

from safelight import images
from safelight.images import Length
from tests.support import pictures
from tests.support.sockets import open_socket

if TYPE_CHECKING:
    from tests.support.lab import Lab

JPEG = pictures.jpeg()


def test_messages_without_pictures_pass(lab: Lab) -> None:
    before = len(lab.proxy.records())
    with open_socket(lab) as client:
        for message in ("hello", b"\1\2\3", "x" * 100_000):
            client.send(message)
            assert client.recv(10) == "received"
    assert lab.origin.messages == ["hello", b"\1\2\3", "x" * 100_000]
    assert lab.new_records(before) == []


CLEAN = images.strip(JPEG, Length.SAME_LENGTH)


@pytest.mark.parametrize(
    ("message", "arrives"),
    [
        (JPEG, CLEAN),
        (b"\0\0\0\1" + JPEG, b"\0\0\0\1" + CLEAN),
        (
            json.dumps({"image": base64.b64encode(JPEG).decode(), "size": 1}),
            json.dumps({"image": base64.b64encode(images.strip(JPEG)).decode(), "size": 1}),
        ),
    ],
    ids=["picture", "picture behind a number", "base64"],
)
def test_pictures_are_cleaned(lab: Lab, message: bytes | str, arrives: bytes | str) -> None:
    before = len(lab.proxy.records())
    with open_socket(lab) as client:
        client.send(message)
        assert client.recv(10) == "received"
    assert lab.origin.messages == [arrives]
    assert [record["verdict"] for record in lab.new_records(before)] == ["warn"]


def test_a_picture_in_fragments_is_cleaned(lab: Lab) -> None:
    with open_socket(lab) as client:
        client.send([JPEG[:100], JPEG[100:200], JPEG[200:]])
        assert client.recv(10) == "received"
    assert lab.origin.messages == [CLEAN]

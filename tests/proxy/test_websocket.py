"""Messages on a WebSocket to a service: text passes, pictures stay here."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.support import pictures
from tests.support.origin import client_context

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

    from tests.support.lab import Lab

JPEG = pictures.jpeg()


def open_socket(lab: Lab) -> ClientConnection:
    return connect(
        "wss://chatgpt.com/ws",
        proxy=lab.proxy.url,
        ssl=client_context(lab.proxy.root),
        open_timeout=20,
    )


def test_messages_without_pictures_pass(lab: Lab) -> None:
    before = len(lab.proxy.records())
    with open_socket(lab) as client:
        for message in ("hello", b"\1\2\3", "x" * 100_000):
            client.send(message)
            assert client.recv(10) == "received"
    assert lab.origin.messages == ["hello", b"\1\2\3", "x" * 100_000]
    assert lab.new_records(before) == []


@pytest.mark.parametrize(
    "message",
    [JPEG, b"\0\0\0\1" + JPEG, json.dumps({"image": base64.b64encode(JPEG).decode()})],
    ids=["picture", "picture inside", "base64"],
)
def test_pictures_stay_here(lab: Lab, message: bytes | str) -> None:
    before = len(lab.proxy.records())
    with open_socket(lab) as client:
        client.send(message)
        with pytest.raises(ConnectionClosed) as closed:
            client.recv(10)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008
    assert lab.origin.messages == []
    assert [record["refusal"] for record in lab.new_records(before)] == ["unknown-shape"]


def test_a_picture_in_fragments_stays_here(lab: Lab) -> None:
    with open_socket(lab) as client:
        client.send([JPEG[:100], JPEG[100:200], JPEG[200:]])
        with pytest.raises(ConnectionClosed):
            client.recv(10)
    assert lab.origin.messages == []

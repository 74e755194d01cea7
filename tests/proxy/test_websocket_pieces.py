"""One picture over several WebSocket messages, through the proxy."""

from __future__ import annotations

import itertools
import json
import socket
import time
from typing import TYPE_CHECKING

import pytest
from websockets.exceptions import ConnectionClosed

from safelight import images
from safelight.images import Length
from tests.support import exiftool, more_pictures, pictures
from tests.support import lab as labs
from tests.support.proxy import HOME_POLICY
from tests.support.sockets import open_socket

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from websockets.sync.connection import Connection

    from tests.support.lab import Lab

ALICE = "wss://uniproxy.alice.yandex.ru/uni.ws"
PHOTO = pictures.jpeg(width=640, height=480)
CLEAN = images.strip(PHOTO, Length.SAME_LENGTH)
PIXELS = PHOTO.rindex(b"\xff\xda") + 900
STREAM = b"\0\0\0\7"
SHORT_PAUSE = "import safelight.conversation as one\none.LONGEST_PAUSE = 1.5\n"


@pytest.fixture(scope="module")
def module_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A proxy that waits less long for the rest of a picture."""
    with labs.running(tmp_path_factory.mktemp("lab"), before=SHORT_PAUSE) as lab:
        yield lab


def cut(data: bytes, size: int, head: bytes = b"") -> list[bytes]:
    return [head + data[start : start + size] for start in range(0, len(data), size)]


def send(client: Connection, *messages: bytes | str) -> None:
    """Send messages, then hear that each has arrived."""
    for message in messages:
        client.send(message)
    for _ in messages:
        assert client.recv(10) == "received"


def code_of_the_end(client: Connection) -> int | None:
    with pytest.raises(ConnectionClosed) as closed:
        client.recv(10)
    return closed.value.rcvd.code if closed.value.rcvd else None


@pytest.mark.parametrize("size", [300, PIXELS, PIXELS + 1, len(PHOTO) - 1])
def test_a_photo_in_messages(lab: Lab, size: int) -> None:
    before = len(lab.proxy.records())
    with open_socket(lab) as client:
        send(client, "hello", *cut(PHOTO, size), "bye", b"\1\2\3")
    assert lab.origin.messages == ["hello", *cut(CLEAN, size), "bye", b"\1\2\3"]
    [record] = lab.new_records(before)
    assert (record["verdict"], record["shape"]) == ("warn", "raw")
    assert record["pictures"][0]["same-length"] is True
    [report] = exiftool.read({"arrived": CLEAN}).values()
    assert exiftool.left_over(report) == set()


def test_as_yandex_alice_sends_it(lab: Lab) -> None:
    """A number of the stream before each piece, JSON around them all."""
    before = len(lab.proxy.records())
    start = json.dumps({"event": {"payload": {"file_upload_start": {"size": len(PHOTO)}}}})
    finish = json.dumps({"event": {"payload": {"chunk_upload_finish": {"is_last": True}}}})
    with open_socket(lab, ALICE) as client:
        send(client, start, *cut(PHOTO, 4_096, STREAM), finish)
    assert lab.origin.messages == [start, *cut(CLEAN, 4_096, STREAM), finish]
    assert [one["service"] for one in lab.new_records(before)] == ["yandex_alice"]


@pytest.mark.parametrize("photo", [pictures.png(), pictures.webp(), more_pictures.heic()])
def test_other_formats(lab: Lab, photo: bytes) -> None:
    with open_socket(lab) as client:
        send(client, *cut(photo, 333))
    assert lab.origin.messages == cut(images.strip(photo, Length.SAME_LENGTH), 333)


def test_pieces_of_equal_length_leave_when_nothing_follows(lab: Lab) -> None:
    photo = PHOTO if len(PHOTO) % 2 == 0 else PHOTO + b"\0"
    half = len(photo) // 2
    with open_socket(lab) as client:
        send(client, photo[:half], photo[half:])
    assert lab.origin.messages == cut(images.strip(photo, Length.SAME_LENGTH), half)


def test_nothing_leaves_before_it_is_whole(lab: Lab) -> None:
    with open_socket(lab) as client:
        *first, last = cut(PHOTO, 5_000)
        for message in first:
            client.send(message)
        client.send("in between")
        time.sleep(0.3)
        assert lab.origin.messages == []
        client.send(last)
        for _ in range(len(first) + 2):
            assert client.recv(10) == "received"
    *cleaned, end = cut(CLEAN, 5_000)
    assert lab.origin.messages == [*cleaned, "in between", end]


def test_two_streams_in_turn(lab: Lab) -> None:
    one, two = cut(PHOTO, 5_000, STREAM), cut(PHOTO, 5_000, b"\0\0\0\x08")
    with open_socket(lab, ALICE) as client:
        send(client, *itertools.chain(*zip(one, two, strict=True)))
    assert lab.origin.messages[::2] == cut(CLEAN, 5_000, STREAM)
    assert lab.origin.messages[1::2] == cut(CLEAN, 5_000, b"\0\0\0\x08")


def test_connections_do_not_mix(lab: Lab) -> None:
    photo = pictures.png()
    with open_socket(lab) as one, open_socket(lab) as two:
        one.send(PHOTO[:PIXELS])
        two.send(photo[:500])
        one.send(PHOTO[PIXELS:])
        assert [one.recv(10), one.recv(10)] == ["received"] * 2
        two.send(photo[500:])
        assert [two.recv(10), two.recv(10)] == ["received"] * 2
    cleaned = images.strip(photo, Length.SAME_LENGTH)
    assert lab.origin.messages == [
        *(CLEAN[:PIXELS], CLEAN[PIXELS:]),
        *(cleaned[:500], cleaned[500:]),
    ]


def test_a_second_picture_within_the_first_ends_the_connection(lab: Lab) -> None:
    before = len(lab.proxy.records())
    with open_socket(lab) as client:
        client.send(PHOTO[:PIXELS])
        client.send(PHOTO[:PIXELS])
        assert code_of_the_end(client) == 1008
    assert lab.origin.messages == []
    assert [one["refusal"] for one in lab.new_records(before)] == ["unreadable"]


@pytest.mark.parametrize(
    ("head", "cause"), [(b"", "unreadable"), (STREAM, "unknown-shape")], ids=["alone", "behind"]
)
def test_a_picture_that_never_becomes_whole_ends_the_connection(
    lab: Lab, head: bytes, cause: str
) -> None:
    before = len(lab.proxy.records())
    with open_socket(lab) as client:
        client.send(head + PHOTO[:PIXELS])
        client.send(head + PHOTO[PIXELS:-400])
        client.send("and text")
        assert code_of_the_end(client) == 1008
    assert lab.origin.messages == []
    assert [one["refusal"] for one in lab.new_records(before)] == [cause]


def test_a_client_that_goes_away_leaves_nothing(lab: Lab) -> None:
    before = len(lab.proxy.records())
    with open_socket(lab) as client:
        client.send(PHOTO[:PIXELS])
    lost = open_socket(lab)
    lost.send(PHOTO[:PIXELS])
    lost.socket.shutdown(socket.SHUT_RDWR)
    time.sleep(2)
    assert lab.origin.messages == []
    assert lab.new_records(before) == []
    with open_socket(lab) as client:
        send(client, *cut(PHOTO, 5_000))
    assert lab.origin.messages == cut(CLEAN, 5_000)


def test_more_than_the_largest_upload_ends_the_connection(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    text = HOME_POLICY.read_text().replace("largest-upload: 50 MB", "largest-upload: 20 KB")
    policy.write_text(text)
    with labs.running(tmp_path, policy) as lab, open_socket(lab) as client:
        for message in cut(PHOTO[:30_000], 5_000):
            client.send(message)
        assert code_of_the_end(client) == 1008
        assert lab.origin.messages == []


def test_the_policy_says_what_becomes_of_what_cannot_be_joined(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    text = HOME_POLICY.read_text().replace("unreadable: block ", "unreadable: allow ")
    policy.write_text(text)
    with labs.running(tmp_path, policy, before=SHORT_PAUSE) as lab, open_socket(lab) as client:
        send(client, PHOTO[:PIXELS], "end")
        assert lab.origin.messages == [PHOTO[:PIXELS], "end"]


def test_a_hook_that_breaks_lets_nothing_go_and_nothing_stay(tmp_path: Path) -> None:
    breaks = (
        "from safelight import conversation\n"
        "def look(self): raise RuntimeError\n"
        "conversation.Conversation.look = look\n"
        "conversation.MOST_HELD = 4_000\n"
    )
    with labs.running(tmp_path, before=breaks) as lab:
        for _ in range(3):
            with open_socket(lab) as client:
                client.send(PHOTO[:PIXELS])
                client.send("x")
                assert code_of_the_end(client) == 1008
        assert lab.origin.messages == []
        # Each was held until the hook broke: none was refused for want of room.
        assert lab.proxy.records() == []

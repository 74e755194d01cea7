"""Uploads that wait for a yes, answered by `safelight holds` while the proxy runs."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
import time
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from websockets.exceptions import ConnectionClosed

from safelight import broker, images, paths
from tests.cli.test_commands import call
from tests.support import lab as labs
from tests.support import pictures
from tests.support.large import large, put
from tests.support.sockets import open_socket

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.lab import Answered, Lab

JPEG = pictures.jpeg()
FILES = "https://api.openai.com/v1/files"
POLICY = """
version: 1
name: ask
rules:
  - {id: clean, do: [strip-metadata, rename], because: Always.}
  - {id: ask-me, when: {upload: {type: jpeg}}, do: hold, because: Somebody should know.}
"""


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[Lab]:
    yield from lab_with(tmp_path)


def lab_with(folder: Path, before: str = "", options: tuple[str, ...] = ()) -> Iterator[Lab]:
    policy = folder / "ask.yaml"
    policy.write_text(POLICY)
    with labs.running(folder, policy, before=before, options=options) as lab:
        yield lab


class Sending(threading.Thread):
    """An upload that waits."""

    def __init__(
        self, lab: Lab, *arguments: str, photo: bytes = JPEG, raw: bool = False, url: str = FILES
    ) -> None:
        super().__init__()
        path = lab.folder / f"photo-{zlib.crc32(photo)}.jpg"
        path.write_bytes(photo)
        body = ("--data-binary", f"@{path}") if raw else ("-F", f"image=@{path}")
        self.lab, self.arguments = lab, (*arguments, *body, url)
        self.answer: Answered | None = None
        self.start()

    def run(self) -> None:
        self.answer = self.lab.curl(*self.arguments)

    def answered(self) -> Answered:
        self.join(20)
        assert self.answer is not None
        return self.answer


def holds(lab: Lab, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "safelight", "holds", *arguments]
    state = ["--state", str(lab.folder / "state")]
    return subprocess.run([*command, *state], capture_output=True, text=True, check=False)


def waiting(lab: Lab, count: int = 1) -> list[str]:
    """Ids of what waits, once there are so many."""
    deadline = time.monotonic() + 10
    while True:
        found = broker.waiting(paths.broker_socket(lab.folder / "state"))
        if len(found) == count:
            return [held.id for held, _ in found]
        assert time.monotonic() < deadline
        time.sleep(0.05)


def kinds(lab: Lab) -> list[tuple[Any, Any]]:
    return [(one["kind"], one.get("verdict") or one.get("how")) for one in lab.proxy.records()]


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_a_yes(asking: Lab, version: str) -> None:
    sending = Sending(asking, version)
    [id_] = waiting(asking)
    assert asking.arrived == []
    listed = holds(asking, "list")
    assert id_ in listed.stdout
    assert "1 file to OpenAI" in listed.stdout
    assert "Somebody should know." in listed.stdout
    shown = holds(asking, "show", id_)
    assert "where it was taken" in shown.stdout
    assert holds(asking, "approve", id_).returncode == 0
    assert sending.answered().status == 200
    [received] = asking.arrived
    assert not pictures.says_secrets(received.body)
    assert kinds(asking) == [("decision", "hold"), ("release", "approved")]
    gone = holds(asking, "approve", id_)
    assert (gone.returncode, "it was answered" in gone.stderr) == (1, True)
    # The same picture again needs no other yes; another one does.
    assert Sending(asking, version).answered().status == 200
    another = Sending(asking, version, photo=pictures.jpeg(width=96))
    holds(asking, "deny", *waiting(asking))
    assert another.answered().status == 403
    assert len(asking.arrived) == 2


def test_a_no(asking: Lab) -> None:
    sending = Sending(asking)
    [id_] = waiting(asking)
    assert holds(asking, "deny", id_).returncode == 0
    answer = sending.answered()
    assert answer.status == 403
    assert "Somebody said no." in answer.body
    assert asking.arrived == []
    assert kinds(asking) == [("decision", "hold"), ("release", "denied")]


def test_nobody_answers(tmp_path: Path) -> None:
    before = (
        "import safelight.broker as broker\n"
        "ask = broker.ask\n"
        "broker.ask = lambda path, held: ask(path, held, 0.5)\n"
    )
    for lab in lab_with(tmp_path, before):
        assert "Nobody answered in time." in Sending(lab).answered().body
        assert lab.arrived == []
        assert kinds(lab) == [("decision", "hold"), ("release", "timed-out")]


def test_a_client_that_leaves_sends_nothing(asking: Lab) -> None:
    command = ["curl", "-s", "--proxy", asking.proxy.url, "--cacert", str(asking.proxy.root)]
    photo = asking.folder / "left.jpg"
    photo.write_bytes(JPEG)
    url = "https://api.openai.com/v1/files"
    leaving = subprocess.Popen([*command, "-F", f"image=@{photo}", url])
    waiting(asking)
    leaving.kill()
    leaving.wait()
    waiting(asking, 0)
    deadline = time.monotonic() + 5
    while len(asking.proxy.records()) < 2:
        assert time.monotonic() < deadline
    assert asking.arrived == []
    assert kinds(asking) == [("decision", "hold"), ("release", "left")]


def test_others_are_served_meanwhile(asking: Lab) -> None:
    sending = Sending(asking)
    [id_] = waiting(asking)
    png = asking.folder / "photo.png"
    png.write_bytes(pictures.png())
    url = "https://api.openai.com/v1/files"
    assert asking.curl("-F", f"image=@{png}", url).status == 200
    holds(asking, "approve", id_)
    assert sending.answered().status == 200


def test_a_broken_record_of_the_release(tmp_path: Path) -> None:
    before = (
        "from safelight.audit import AuditError\n"
        "from safelight.journal import Journal\n"
        "def broken(*_): raise AuditError('the disk is full')\n"
        "Journal.released = broken\n"
    )
    for lab in lab_with(tmp_path, before):
        sending = Sending(lab)
        holds(lab, "approve", *waiting(lab))
        assert sending.answered().status == 503
        assert lab.arrived == []


def test_several_workers_ask_in_one_place(tmp_path: Path) -> None:
    for lab in lab_with(tmp_path, options=("--workers", "2")):
        photos = [pictures.jpeg(width=size) for size in range(80, 112, 8)]
        sending = [
            Sending(lab, "--interface", f"127.0.0.{number}", photo=photo)
            for number, photo in enumerate(photos, 2)
        ]
        for id_ in waiting(lab, 4):
            holds(lab, "approve", id_)
        assert [one.answered().status for one in sending] == [200] * 4


def test_a_message_of_a_websocket_waits_and_others_queue_behind_it(asking: Lab) -> None:
    with open_socket(asking) as client:
        client.send("before")
        assert client.recv(10) == "received"
        for message in (JPEG, "behind", b"\1\2", JPEG):
            client.send(message)
        [id_] = waiting(asking)
        assert client.ping().wait(10)
        assert asking.origin.messages == ["before"]
        assert holds(asking, "approve", id_).returncode == 0
        # The same picture behind it needs no other yes.
        for _ in range(4):
            assert client.recv(10) == "received"
    first, photo, behind, binary, again = asking.origin.messages
    assert (first, behind, binary) == ("before", "behind", b"\1\2")
    assert photo == again
    assert len(photo) == len(JPEG)
    assert isinstance(photo, bytes)
    assert not pictures.says_secrets(photo)
    assert kinds(asking) == [("decision", "hold"), ("release", "approved")] * 2


def test_a_picture_in_several_messages_waits_as_one(asking: Lab) -> None:
    with open_socket(asking) as client:
        for start in range(0, len(JPEG), 1000):
            client.send(JPEG[start : start + 1000])
        client.send("behind")
        [id_] = waiting(asking)
        holds(asking, "approve", id_)
        for _ in range(len(range(0, len(JPEG), 1000)) + 1):
            assert client.recv(10) == "received"
    *parts, behind = asking.origin.messages
    assert behind == "behind"
    assert not pictures.says_secrets(b"".join(one for one in parts if isinstance(one, bytes)))


def test_a_no_to_a_message_ends_the_connection(asking: Lab) -> None:
    with open_socket(asking) as client:
        client.send(JPEG)
        client.send("behind")
        holds(asking, "deny", *waiting(asking))
        with pytest.raises(ConnectionClosed, match="1008"):
            client.recv(10)
    assert asking.origin.messages == []
    assert kinds(asking) == [("decision", "hold"), ("release", "denied")]


def test_a_client_that_leaves_its_messages_sends_none(asking: Lab) -> None:
    with open_socket(asking) as client:
        client.send(JPEG)
        client.send("behind")
        waiting(asking)
    waiting(asking, 0)
    deadline = time.monotonic() + 5
    while len(asking.proxy.records()) < 2:
        assert time.monotonic() < deadline
    assert asking.origin.messages == []
    assert kinds(asking) == [("decision", "hold"), ("release", "left")]


LARGE = pictures.jpeg(width=640, height=480)
PIXELS = LARGE.rindex(b"\xff\xda") + 900
EDGES = (0, PIXELS, len(LARGE) - 5_000, len(LARGE))
PIECES = list(enumerate(itertools.pairwise(EDGES)))


def fragment(lab: Lab, number: int, upload: str = "one") -> Sending:
    start, end = PIECES[number][1]
    url = f"https://upload.kuaishouzt.com/api/upload/fragment?upload_token={upload}"
    return Sending(
        lab,
        *("-H", f"content-range: bytes {start}-{end - 1}/{len(LARGE)}"),
        *("-H", "content-type: application/octet-stream"),
        photo=LARGE[start:end],
        raw=True,
        url=f"{url}&fragment_id={number}",
    )


def test_pieces_wait_for_one_yes_to_all_of_them(asking: Lab) -> None:
    first = fragment(asking, 0)
    [id_] = waiting(asking)
    others = [fragment(asking, number) for number in (2, 1)]
    time.sleep(1)
    assert waiting(asking) == [id_]
    assert asking.arrived == []
    holds(asking, "approve", id_)
    assert [one.answered().status for one in (first, *others)] == [200] * 3
    cleaned = images.strip(LARGE, images.Length.SAME_LENGTH)
    # They leave in order, each over a connection of its own.
    arrived = sorted(asking.arrived, key=lambda one: one.path)
    assert b"".join(one.body for one in arrived) == cleaned
    assert kinds(asking) == [("decision", "hold"), ("release", "approved")] * 3


def test_a_no_to_a_piece_is_one_to_all_that_follow(asking: Lab) -> None:
    first = fragment(asking, 0)
    [id_] = waiting(asking)
    second = fragment(asking, 1)
    holds(asking, "deny", id_)
    assert [one.answered().status for one in (first, second)] == [403] * 2
    assert fragment(asking, 2).answered().status == 403
    assert asking.arrived == []


def test_a_yes_to_a_piece_is_not_one_to_another_picture(asking: Lab) -> None:
    first = fragment(asking, 0)
    holds(asking, "approve", *waiting(asking))
    assert first.answered().status == 200
    # Sent again as another upload it passes, as the same picture.
    assert fragment(asking, 0, "two").answered().status == 200
    other = fragment(asking, 0, "three")
    assert other.answered().status == 200
    start, end = PIECES[0][1]
    changed = bytearray(LARGE[start:end])
    changed[-1] ^= 1
    third = Sending(
        asking,
        *("-H", f"content-range: bytes {start}-{end - 1}/{len(LARGE)}"),
        photo=bytes(changed),
        raw=True,
        url="https://upload.kuaishouzt.com/api/upload/fragment?upload_token=four&fragment_id=0",
    )
    holds(asking, "deny", *waiting(asking))
    assert third.answered().status == 403


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_what_is_too_large_to_be_held_passes_when_it_comes_again(
    tmp_path: Path, version: str
) -> None:
    photo = large("JPEG")
    before = "import safelight.engine as engine\nengine.LARGEST_HELD = 8_000_000\n"
    for lab in lab_with(tmp_path, before):
        for _ in range(2):
            answer = put(lab, photo, version)
            assert answer.status == 403
            assert "too large to wait here, but it can be answered for" in answer.body
        assert lab.arrived == []
        [id_] = waiting(lab)
        assert "not known yet" in holds(lab, "show", id_).stdout
        holds(lab, "approve", id_)
        waiting(lab, 0)
        assert put(lab, photo, version).status == 200
        [arrived] = lab.arrived
        assert arrived.body == images.strip(photo, images.Length.SAME_LENGTH)
        *_, decided, released, ended = lab.proxy.records()
        assert (decided["verdict"], decided["by"], decided["flowing"]) == ("hold", ["ask-me"], True)
        assert (released["of"], released["how"]) == (decided["id"], "approved")
        assert (ended["of"], ended["how"]) == (decided["id"], "whole")
        log = ("--audit", lab.proxy.audit_folder, "--state", lab.folder / "state")
        found = call("audit", "find", lab.folder / f"photo-{len(photo)}", *log)
        assert "left, without" in found.stdout
        # One that begins otherwise is another one.
        other = bytearray(photo)
        other[9_000] ^= 1
        assert put(lab, bytes(other), version).status == 403
        replayed = call("policy", "replay", lab.folder / "ask.yaml", *log)
        assert (replayed.exit_code, replayed.stdout) == (0, "")

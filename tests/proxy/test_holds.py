"""Uploads that wait for a yes, answered by `safelight holds` while the proxy runs."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from safelight import broker, paths
from tests.support import lab as labs
from tests.support import pictures
from tests.support.sockets import open_socket

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.lab import Answered, Lab

JPEG = pictures.jpeg()
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

    def __init__(self, lab: Lab, *arguments: str, photo: bytes = JPEG) -> None:
        super().__init__()
        self.lab, self.arguments = lab, arguments
        self.path = lab.folder / f"photo-{len(photo)}.jpg"
        self.path.write_bytes(photo)
        self.answer: Answered | None = None
        self.start()

    def run(self) -> None:
        url = "https://api.openai.com/v1/files"
        self.answer = self.lab.curl(*self.arguments, "-F", f"image=@{self.path}", url)

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


def test_messages_of_a_websocket_do_not_wait(asking: Lab) -> None:
    with open_socket(asking) as client:
        client.send(json.dumps({"a": 1}))
        assert client.recv(10) == "received"
        client.send(JPEG)
        with pytest.raises(Exception, match="1008"):
            client.recv(10)
    assert asking.origin.messages == ['{"a": 1}']

"""`safelight run --workers`: several processes on one port, one audit log."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from safelight.audit import verify
from tests.support import lab as labs
from tests.support import pictures
from tests.support.large import large, put

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.lab import Lab

LARGE = large("PNG")
CLIENTS = [f"127.0.0.{number}" for number in range(2, 10)]


@pytest.fixture
def crowd(tmp_path: Path) -> Iterator[Lab]:
    with labs.running(tmp_path, options=("--workers", "2")) as lab:
        yield lab


def workers(lab: Lab) -> dict[int, float]:
    """The processor time that each worker has taken, in seconds, by its process id."""
    assert lab.proxy.process is not None
    children = Path(f"/proc/{lab.proxy.process.pid}/task/{lab.proxy.process.pid}/children")
    found = {}
    for child in map(int, children.read_text().split()):
        fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
        found[child] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return found


def send(lab: Lab, client: str) -> int:
    photo = lab.folder / "small"
    photo.write_bytes(pictures.jpeg())
    url = "https://api.openai.com/v1/files"
    return lab.curl("--interface", client, "-F", f"image=@{photo}", url).status


def test_all_work_and_write_one_log(crowd: Lab) -> None:
    before = workers(crowd)
    assert len(before) == 2
    assert [send(crowd, client) for client in CLIENTS] == [200] * len(CLIENTS)
    assert not any(pictures.says_secrets(one.body) for one in crowd.arrived)
    after = workers(crowd)
    assert all(after[process] > before[process] for process in before)
    assert len(crowd.proxy.records()) == len(CLIENTS)
    verify(crowd.proxy.audit_folder, None)


def test_a_client_always_comes_to_the_same(crowd: Lab) -> None:
    for client in CLIENTS[:4]:
        with contextlib.ExitStack() as open_:
            for _ in range(10):
                connection = socket.create_connection(
                    crowd.proxy.address, 5, source_address=(client, 0)
                )
                open_.enter_context(connection).sendall(b"C")
            deadline = time.monotonic() + 5
            while sum(serving(crowd, client)) < 10 and time.monotonic() < deadline:
                time.sleep(0.05)
            assert sorted(serving(crowd, client)) == [0, 10]


def serving(lab: Lab, client: str) -> list[int]:
    """How many connections of a client each worker holds (Linux's proc(5), net/tcp)."""
    address = socket.inet_aton(client)[::-1].hex().upper()
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    sockets = {f"socket:[{row[9]}]" for row in rows if row[2].startswith(address)}
    return [len(sockets & descriptors(process)) for process in workers(lab)]


def descriptors(process: int) -> set[str]:
    found = set()
    for descriptor in Path(f"/proc/{process}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.add(str(descriptor.readlink()))
    return found


def test_only_the_uploads_of_a_killed_worker_are_lost(crowd: Lab) -> None:
    answers: dict[str, int] = {}

    def send_slowly(client: str) -> None:
        answers[client] = 0
        with contextlib.suppress(ConnectionError, ValueError):
            answers[client] = put(crowd, LARGE, "--interface", client, "--limit-rate", "6M").status

    (crowd.folder / f"photo-{len(LARGE)}").write_bytes(LARGE)
    sending = [threading.Thread(target=send_slowly, args=(client,)) for client in CLIENTS[:2]]
    for thread in sending:
        thread.start()
    deadline = time.monotonic() + 20
    while len(crowd.proxy.records()) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    killed = next(iter(workers(crowd)))
    os.kill(killed, signal.SIGKILL)
    for thread in sending:
        thread.join()
    assert [status == 200 for status in sorted(answers.values())] == [False, True]
    deadline = time.monotonic() + 20
    while len(set(workers(crowd)) - {killed}) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert [send(crowd, client) for client in CLIENTS] == [200] * len(CLIENTS)
    verify(crowd.proxy.audit_folder, None)

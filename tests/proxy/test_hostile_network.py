"""Clients, services and machines that misbehave: nothing leaks, and others are served."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trustme

from safelight.audit import verify
from tests.support import lab as labs
from tests.support import pictures, rude_origin
from tests.support.large import large, put
from tests.support.origin import client_context

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

    from tests.support.lab import Answered, Lab
    from tests.support.rude_origin import Manner

JPEG = pictures.jpeg()
LARGE = large("JPEG")
RUDE = "claude.ai"
POLITE = "https://api.openai.com/v1/files"


def upload(lab: Lab, url: str = POLITE, body: bytes = JPEG) -> Answered:
    photo = lab.folder / "photo"
    photo.write_bytes(body)
    octets = "content-type: application/octet-stream"
    return lab.curl("-H", octets, "--data-binary", f"@{photo}", url)


def descriptors(lab: Lab) -> int:
    """How many files and sockets the proxy has open."""
    assert lab.proxy.process is not None
    return len(list(Path(f"/proc/{lab.proxy.process.pid}/fd").iterdir()))


def wait_until(holds: Callable[[], bool], longest: float = 20) -> None:
    deadline = time.monotonic() + longest
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@contextlib.contextmanager
def rude_lab(folder: Path, manner: Manner, before: str = "") -> Iterator[Lab]:
    """A lab in which one service misbehaves."""
    authority = trustme.CA()
    with (
        rude_origin.listening(authority, RUDE, folder, manner) as address,
        labs.running(folder, before=before, authority=authority, elsewhere={RUDE: address}) as lab,
    ):
        yield lab


def tunnel(lab: Lab, host: str) -> ssl.SSLSocket:
    plain = socket.create_connection(lab.proxy.address, 20)
    plain.sendall(f"CONNECT {host}:443 HTTP/1.1\r\n\r\n".encode())
    assert b"200" in plain.recv(4096)
    return client_context(lab.proxy.root).wrap_socket(plain, server_hostname=host)


def head(host: str, length: int) -> bytes:
    return f"POST /v1/files HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n".encode()


def test_many_slow_clients_do_not_keep_others_waiting(lab: Lab) -> None:
    before = descriptors(lab)
    with contextlib.ExitStack() as slow:
        for number in range(150):
            client = slow.enter_context(socket.create_connection(lab.proxy.address, 20))
            client.sendall(b"CONNECT api.openai" if number % 2 else b"P")
        for _ in range(20):
            client = slow.enter_context(tunnel(lab, "api.openai.com"))
            client.sendall(head("api.openai.com", 5_000_000) + JPEG)
        started = time.monotonic()
        assert upload(lab).status == 200
        assert time.monotonic() - started < 5
    assert len(lab.arrived) == 1
    wait_until(lambda: descriptors(lab) <= before + 5)


def test_more_connections_than_the_usual_limit(tmp_path: Path) -> None:
    before = "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (100, 4096))\n"
    with labs.running(tmp_path, before=before) as lab, contextlib.ExitStack() as open_:
        for _ in range(150):
            open_.enter_context(socket.create_connection(lab.proxy.address, 20)).sendall(b"P")
        assert upload(lab).status == 200


@pytest.mark.parametrize("complete", [True, False])
def test_half_closed_clients(lab: Lab, complete: bool) -> None:
    before = descriptors(lab)
    for _ in range(5):
        with tunnel(lab, "api.openai.com") as client:
            client.sendall(head("api.openai.com", len(JPEG)) + JPEG[: None if complete else 500])
            client.shutdown(socket.SHUT_WR)
            client.settimeout(5)
            with contextlib.suppress(OSError):
                client.recv(4096)
    assert not any(pictures.says_secrets(one.body) for one in lab.arrived)
    assert complete or not lab.arrived
    assert upload(lab).status == 200
    wait_until(lambda: descriptors(lab) <= before + 5)


@pytest.mark.parametrize("body", [JPEG, LARGE], ids=["small", "large"])
@pytest.mark.parametrize(
    "manner",
    [
        rude_origin.resets,
        rude_origin.answers_half,
        rude_origin.answers_early,
        rude_origin.speaks_no_http,
    ],
    ids=lambda manner: manner.__name__,
)
def test_a_rude_service(tmp_path: Path, manner: Manner, body: bytes) -> None:
    with rude_lab(tmp_path, manner) as lab:
        for _ in range(3):
            try:
                answer = upload(lab, f"https://{RUDE}/upload", body)
            except ConnectionError:
                continue
            assert answer.status in {200, 413, 502}
        assert upload(lab).status == 200
        records = lab.proxy.records()
        assert [record["kind"] for record in records].count("decision") == 4
        begun = {record["id"] for record in records if record.get("flowing")}
        assert begun == {record["of"] for record in records if record["kind"] == "end"}


def test_what_is_said_before_the_answer_is_none(tmp_path: Path) -> None:
    with rude_lab(tmp_path, rude_origin.answers_at_last) as lab:
        for body in (JPEG, LARGE):
            answer = upload(lab, f"https://{RUDE}/upload", body)
            assert (answer.status, answer.body) == (200, "ok")


def test_a_service_that_sends_back_what_it_gets(tmp_path: Path) -> None:
    text = b"It may not read on before its answer was read. " * 500_000
    with rude_lab(tmp_path, rude_origin.sends_back) as lab:
        answer = upload(lab, f"https://{RUDE}/upload", text)
        assert (answer.status, answer.body.encode()) == (200, text)


def test_connections_to_a_rude_service_are_closed(tmp_path: Path) -> None:
    """At once, not when the interpreter looks for what nobody needs any more."""
    before = "import gc\ngc.disable()\n"
    with rude_lab(tmp_path, rude_origin.answers_nonsense_at_once, before) as lab:
        open_ = descriptors(lab)
        for _ in range(20):
            with tunnel(lab, RUDE) as client:
                client.sendall(head(RUDE, len(JPEG)) + JPEG)
                assert b" 502 " in client.recv(4096)
        wait_until(lambda: descriptors(lab) <= open_ + 5)


def test_a_service_that_never_answers(tmp_path: Path) -> None:
    with rude_lab(tmp_path, rude_origin.says_nothing) as lab:
        before = descriptors(lab)
        with contextlib.ExitStack() as waiting:
            for _ in range(20):
                client = waiting.enter_context(tunnel(lab, RUDE))
                client.sendall(head(RUDE, len(JPEG)) + JPEG)
            assert upload(lab).status == 200
        wait_until(lambda: descriptors(lab) <= before + 5)
        assert len(lab.proxy.records()) == 21


def test_who_waits_for_a_go_ahead_hears_of_a_service_that_is_away(tmp_path: Path) -> None:
    """The go-ahead must not be taken for the answer."""
    with labs.running(tmp_path, elsewhere={RUDE: ("127.0.0.1", 1)}) as lab:
        answer = lab.curl("-H", "Expect: 100-continue", "-d", "x", f"https://{RUDE}/upload")
        assert answer.status == 502


JUMPS = """
import signal, time
real, shift, jumps = time.time, 0, [-31_536_000, 86_400, 31_536_000, 0]
def jump(*_):
    global shift
    shift = jumps.pop(0)
signal.signal(signal.SIGUSR1, jump)
time.time = lambda: real() + shift
"""


def has_flowing(lab: Lab, count: int) -> bool:
    return sum("flowing" in record for record in lab.proxy.records()) == count


def test_a_clock_that_jumps(tmp_path: Path) -> None:
    """Back by a year, forward by two, and right again, while uploads are on their way."""
    with labs.running(tmp_path, before=JUMPS) as lab:
        assert lab.proxy.process is not None
        for jumps in range(1, 5):
            sending = threading.Thread(target=_send_slowly, args=(lab,))
            sending.start()
            wait_until(partial(has_flowing, lab, jumps))
            lab.proxy.process.send_signal(signal.SIGUSR1)
            sending.join()
            assert upload(lab).status == 200
        assert not any(pictures.says_secrets(one.body[:100_000]) for one in lab.arrived)
        records = lab.proxy.records()
        assert [record["kind"] for record in records].count("decision") == 8
        assert [record["kind"] for record in records].count("end") == 4


def _send_slowly(lab: Lab) -> None:
    with contextlib.suppress(ConnectionError):
        put(lab, LARGE, "--limit-rate", "12M")


def test_killed_in_the_middle(tmp_path: Path) -> None:
    with labs.running(tmp_path) as lab:
        assert upload(lab).status == 200
        sending = threading.Thread(target=_send_slowly, args=(lab,))
        sending.start()
        wait_until(lambda: has_flowing(lab, 1))
        lab.proxy.kill()
        sending.join()
        assert all(len(one.body) < len(LARGE) for one in lab.arrived)
        before = lab.proxy.records()
        assert [record["kind"] for record in before] == ["decision", "decision"]
        lab.proxy.start()
        assert upload(lab).status == 200
        assert lab.proxy.records()[:2] == before
        verify(lab.proxy.audit_folder, None)

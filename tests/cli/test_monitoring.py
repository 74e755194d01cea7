"""`safelight run --monitor`: what other programs ask of a running proxy."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import ssl
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

from safelight import __version__, broker, paths
from tests.support import lab as labs
from tests.support import pictures, ports
from tests.support.large import large, put

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.lab import Lab


LARGE = large("PNG")


def ask(port: int, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def send(lab: Lab, data: bytes, client: str) -> int:
    photo = lab.folder / "Anna at home.jpg"
    photo.write_bytes(data)
    url = "https://api.openai.com/v1/files"
    return lab.curl("--interface", client, "-F", f"image=@{photo}", url).status


def numbers(port: int) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(ask(port, "/metrics")[1])
        for sample in family.samples
        if sample.name.startswith("safelight") and not sample.name.endswith("_created")
    }


def _soon(port: int, name: str, value: float) -> None:
    for _ in range(100):
        # A worker that has not counted anything yet has no number.
        if numbers(port).get((name,), 0) == value:
            return
        time.sleep(0.05)
    pytest.fail(f"{name} is {numbers(port)}")


@contextmanager
def ssl_tunnel(lab: Lab) -> Iterator[None]:
    """A connection to a service that stays open."""
    context = ssl.create_default_context(cafile=str(lab.proxy.root))
    connection = http.client.HTTPSConnection(*lab.proxy.address, context=context, timeout=10)
    connection.set_tunnel("api.openai.com", 443)
    connection.connect()
    try:
        yield
    finally:
        connection.close()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_working_proxy(tmp_path: Path, workers: str) -> None:
    port = ports.free()
    options = ("--monitor", f"127.0.0.1:{port}", "--workers", workers)
    with labs.running(tmp_path, options=options) as lab:
        assert ask(port, "/healthz") == (200, "ok\n")
        assert ask(port, "/readyz") == (200, "ok\n")
        assert ask(port, "/")[0] == 404
        for number in range(2, 8):
            assert send(lab, pictures.jpeg(), f"127.0.0.{number}") == 200
        assert send(lab, pictures.jpeg()[:400], "127.0.0.9") == 403
        found = numbers(port)
        assert found["safelight_uploads_total", "", "warned", "openai_api"] == 6
        assert found["safelight_uploads_total", "unreadable", "stopped", "openai_api"] == 1
        assert found["safelight_pictures_total", "openai_api"] == 6
        assert found["safelight_removed_total", "location"] == 6
        assert found["safelight_upload_bytes_total", "openai_api"] > 6 * len(pictures.jpeg())
        assert found["safelight_upload_delay_seconds_count",] == 7
        assert found["safelight_upload_delay_seconds_bucket", "+Inf"] == 7
        assert found["safelight_upload_delay_seconds_bucket", "0.002"] < 7
        for what in ("policy_usable", "audit_writable", "ready"):
            assert found[f"safelight_{what}",] == 1
        assert found["safelight_holds_waiting",] == 0
        month = time.time() + 30 * 86_400
        assert found["safelight_certificate_expiry_timestamp_seconds",] > month
        assert found["safelight_build_info", __version__] == 1
        with ssl_tunnel(lab):
            _soon(port, "safelight_connections", 1)
        _soon(port, "safelight_connections", 0)
        text = ask(port, "/metrics")[1]
        assert not re.search(r"Anna|127\.0\.0|CANARY", text)


def test_one_that_cannot_let_anything_leave(tmp_path: Path) -> None:
    port = ports.free()
    policy = tmp_path / "policy.yaml"
    policy.write_text("version: 1\n")
    with labs.running(tmp_path, policy, options=("--monitor", f"127.0.0.1:{port}")) as lab:
        assert ask(port, "/readyz") == (503, "The policy file has a mistake.\n")
        assert (numbers(port)["safelight_policy_usable",], numbers(port)["safelight_ready",]) == (
            0,
            0,
        )
        assert ask(port, "/healthz")[0] == 200
        assert send(lab, pictures.jpeg(), "127.0.0.1") == 503


def test_who_hangs_up_is_not_written_down(tmp_path: Path) -> None:
    port = ports.free()
    options = ("--monitor", f"127.0.0.1:{port}", "--log-format", "json")
    with labs.running(tmp_path, options=options) as lab:
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", port)) as one:
                # A reset in place of an end, as balancers' checks close.
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                one.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
        assert ask(port, "/healthz") == (200, "ok\n")
        time.sleep(0.3)
        events = [json.loads(line)["event"] for line in lab.proxy.output.splitlines()]
        assert events == ["started"]


def test_one_that_is_about_to_stop(tmp_path: Path) -> None:
    port = ports.free()
    options = ("--monitor", f"127.0.0.1:{port}")
    with labs.running(tmp_path, options=options) as lab, ThreadPoolExecutor(1) as pool:
        assert lab.proxy.process is not None
        (lab.folder / f"photo-{len(LARGE)}").write_bytes(LARGE)
        sending = pool.submit(put, lab, LARGE, "--limit-rate", "5M")
        deadline = time.monotonic() + 20
        while not lab.proxy.records():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert ask(port, "/readyz") == (200, "ok\n")
        lab.proxy.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        stopping = "It is about to stop: what is on its way is answered first.\n"
        assert ask(port, "/readyz") == (503, stopping)
        assert sending.result().status == 200
        assert lab.proxy.process.wait(20) == 0


def test_an_upload_that_waits(tmp_path: Path) -> None:
    port = ports.free()
    policy = tmp_path / "policy.yaml"
    policy.write_text("version: 1\nname: t\nrules: [{id: ask, do: hold, because: ask}]\n")
    options = ("--monitor", f"127.0.0.1:{port}")
    with labs.running(tmp_path, policy, options=options) as lab, ThreadPoolExecutor(1) as pool:
        sending = pool.submit(send, lab, pictures.jpeg(), "127.0.0.1")
        _soon(port, "safelight_holds_waiting", 1)
        state = tmp_path / "state"
        [(held, _)] = broker.waiting(paths.broker_socket(state))
        broker.answer(paths.broker_socket(state), held.id, approve=True)
        assert sending.result() == 200
        _soon(port, "safelight_holds_waiting", 0)


def test_a_worker_that_ended_has_no_connections(tmp_path: Path) -> None:
    port = ports.free()
    options = ("--monitor", f"127.0.0.1:{port}", "--workers", "2")
    with labs.running(tmp_path, options=options) as lab:
        assert lab.proxy.process is not None
        with ssl_tunnel(lab):
            _soon(port, "safelight_connections", 1)
            parent = lab.proxy.process.pid
            children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
            for child in children:
                os.kill(int(child), signal.SIGKILL)
            _soon(port, "safelight_connections", 0)

"""HAProxy before two workers: it says for whom it connects, and nothing is lost when they stop."""

from __future__ import annotations

import concurrent.futures
import contextlib
import http.client
import signal
import ssl
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.support import lab as labs
from tests.support import pictures, ports, programs, tools

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.lab import Lab

POLICY = """
version: 1
name: test
people:
  kids: [127.0.0.7]
rules:
  - {id: clean, do: strip-metadata, because: always}
  - {id: kids, when: {people: kids}, do: block, because: not for kids}
"""
CONFIGURATION = """
defaults
    mode tcp
    timeout connect 5s
    timeout client 60s
    timeout server 60s
frontend safelight
    bind 127.0.0.1:{port}
    default_backend workers
backend workers
    balance source
    retries 0
    server w1 127.0.0.1:{first} send-proxy{version}
    server w2 127.0.0.1:{second} send-proxy{version}
"""
GATEWAYS = """
defaults
    mode tcp
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout check 2s
frontend safelight
    bind 127.0.0.1:{port}
    default_backend gateways
backend gateways
    balance source
    option httpchk GET /readyz
    option redispatch 1
    retries 3
    default-server inter 500ms fall 1 rise 1 check send-proxy-v2
    server a 127.0.0.1:{a} port {a_monitor}
    server b 127.0.0.1:{b} port {b_monitor}
"""
UPLOADS = 400


@pytest.fixture(params=["", "-v2"], ids=["v1", "v2"])
def balanced(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Lab, int]]:
    program = tools.needed("haproxy")
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    options = ("--workers", "2", "--proxy-protocol", "127.0.0.1")
    with labs.running(tmp_path, policy, options=options) as lab:
        first = lab.proxy.address[1]
        port = ports.free()
        configuration = tmp_path / "haproxy.cfg"
        configuration.write_text(
            CONFIGURATION.format(port=port, first=first, second=first + 1, version=request.param)
        )
        with _balancing(program, configuration, port):
            yield lab, port


@contextlib.contextmanager
def _balancing(program: str, configuration: Path, port: int) -> Iterator[None]:
    process = subprocess.Popen([program, "-db", "-f", str(configuration)])
    try:
        programs.wait_for(port)
        yield
    finally:
        process.terminate()
        process.wait(10)


def upload(lab: Lab, port: int, client: str, root: Path | None = None) -> int:
    """Upload a photo from the address `client`; the answer's status."""
    context = ssl.create_default_context(cafile=str(root or lab.proxy.root))
    connection = http.client.HTTPSConnection(
        "127.0.0.1", port, context=context, timeout=30, source_address=(client, 0)
    )
    try:
        connection.set_tunnel("api.openai.com", 443)
        connection.request("POST", "/v1/files", pictures.jpeg())
        return connection.getresponse().status
    finally:
        connection.close()


def test_the_clients_address_is_kept(balanced: tuple[Lab, int]) -> None:
    lab, port = balanced
    assert upload(lab, port, "127.0.0.5") == 200
    assert upload(lab, port, "127.0.0.6") == 200
    assert upload(lab, port, "127.0.0.7") != 200
    people = [record.get("people", []) for record in lab.proxy.records()]
    assert people == [[], [], ["kids"]]
    assert len({record["client"] for record in lab.proxy.records()}) == 3


def test_nothing_on_its_way_is_lost_when_they_stop(balanced: tuple[Lab, int]) -> None:
    """Those that were let in are answered; later ones are not let in, and say so at once."""
    lab, port = balanced
    process = lab.proxy.process
    assert process is not None
    answered = 0
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        running = [
            pool.submit(upload, lab, port, f"127.0.0.{20 + number % 8}")
            for number in range(UPLOADS)
        ]
        while sum(one.done() for one in running) < UPLOADS // 4:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        for one in running:
            with contextlib.suppress(OSError):
                assert one.result() == 200
                answered += 1
    assert process.wait(30) == 0
    assert UPLOADS // 4 <= answered == len(lab.arrived) == len(lab.proxy.records())


def test_of_two_gateways_one_stops_and_nobody_notices(tmp_path: Path) -> None:
    program = tools.needed("haproxy")
    monitors = ports.free(), ports.free()
    folders = tmp_path / "a", tmp_path / "b"
    with contextlib.ExitStack() as running:
        labs_ = []
        for folder, monitor in zip(folders, monitors, strict=True):
            folder.mkdir()
            (folder / "policy.yaml").write_text(POLICY)
            options = ("--proxy-protocol", "127.0.0.1", "--monitor", f"127.0.0.1:{monitor}")
            one = labs.running(folder, folder / "policy.yaml", options=options)
            labs_.append(running.enter_context(one))
        port = ports.free()
        configuration = tmp_path / "haproxy.cfg"
        a, b = (lab.proxy.address[1] for lab in labs_)
        configuration.write_text(
            GATEWAYS.format(port=port, a=a, b=b, a_monitor=monitors[0], b_monitor=monitors[1])
        )
        running.enter_context(_balancing(program, configuration, port))
        roots = tmp_path / "roots.pem"
        roots.write_text("".join(lab.proxy.root.read_text() for lab in labs_))
        stopping = labs_[0].proxy.process
        assert stopping is not None
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            sent = [
                pool.submit(upload, labs_[0], port, f"127.0.0.{20 + number % 8}", roots)
                for number in range(UPLOADS)
            ]
            while sum(one.done() for one in sent) < UPLOADS // 4:
                time.sleep(0.01)
            stopping.send_signal(signal.SIGTERM)
            assert [one.result() for one in sent] == [200] * UPLOADS
        assert stopping.wait(30) == 0
        arrived = [len(lab.arrived) for lab in labs_]
        assert sum(arrived) == UPLOADS
        assert min(arrived) > 0

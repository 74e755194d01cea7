"""What listens for this machine alone is not reached through the proxy from elsewhere."""

from __future__ import annotations

import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest

from safelight.proxy.reach import is_near
from tests.proxy.test_admission import BALANCED
from tests.proxy.test_proxy_protocol import v2
from tests.support import lab as labs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.lab import Lab

# A name that leads here, as anybody's name server may say.
REBOUND = """
import asyncio
connect = asyncio.open_connection
def connected(host, *rest, **more):
    return connect("127.0.0.1" if host == "rebound.example" else host, *rest, **more)
asyncio.open_connection = connected
"""


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.255.1.2", "localhost", "LocalHost.", "a.localhost", "::1"),
        *("0.0.0.0", "::", "::ffff:127.0.0.1", "2130706433", "0x7f.1", "127.1", "0177.0.0.1"),  # noqa: S104 - to be told
        *("169.254.169.254", "fe80::1%eth0"),
    ],
)
def test_this_machine_in_every_spelling(host: str) -> None:
    assert is_near(host)


@pytest.mark.parametrize(
    "host", ["192.168.1.1", "10.0.0.1", "chatgpt.com", "localhost.example.org", "2001:db8::1", ""]
)
def test_elsewhere(host: str) -> None:
    assert not is_near(host)


class _Private(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"a secret")

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def private_port() -> Iterator[int]:
    """Where something listens for this machine alone."""
    with HTTPServer(("127.0.0.1", 0), _Private) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("gateway")
    with labs.running(folder, before=REBOUND, options=BALANCED) as lab:
        yield lab


def asked(lab: Lab, client: str, authority: str, *, tunnel: bool) -> bytes:
    """All that a client gets that asks for a page there."""
    head = f"Host: {authority}\r\nConnection: close\r\n\r\n"
    with socket.create_connection(lab.proxy.address, timeout=10) as connection:
        connection.sendall(v2(client, 1234))
        if tunnel:
            connection.sendall(f"CONNECT {authority} HTTP/1.1\r\n{head}".encode())
            connection.recv(1000)
            request = f"GET / HTTP/1.1\r\n{head}"
        else:
            request = f"GET http://{authority}/ HTTP/1.1\r\n{head}"
        try:
            connection.sendall(request.encode())
            with connection.makefile("rb") as stream:
                return stream.read()
        except OSError:
            return b""


@pytest.mark.parametrize("tunnel", [False, True])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "rebound.example"])
def test_only_this_machines_programs_get_there(
    gateway: Lab, private_port: int, host: str, *, tunnel: bool
) -> None:
    where = f"{host}:{private_port}"
    assert b"a secret" not in asked(gateway, "203.0.113.8", where, tunnel=tunnel)
    assert b"a secret" in asked(gateway, "127.0.0.1", where, tunnel=tunnel)

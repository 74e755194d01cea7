"""Who may connect, and whose connection it is, of a running proxy."""

from __future__ import annotations

import socket
import ssl
import struct
from typing import TYPE_CHECKING

import pytest

from safelight.proxy.proxy_protocol import SIGNATURE
from tests.proxy.test_proxy_protocol import v2
from tests.support import lab as labs
from tests.support import pictures

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.lab import Lab

POLICY = """
version: 1
name: test
people:
  kids: [203.0.113.7, "2001:db8::7"]
rules:
  - {id: clean, do: strip-metadata, because: always}
  - {id: kids, when: {people: kids}, do: block, because: not for kids}
"""
CLIENTS = ("203.0.113.0/24", "2001:db8::/32", "127.0.0.1")
BALANCED = (
    *("--proxy-protocol", "127.0.0.1"),
    *(word for network in CLIENTS for word in ("--clients", network)),
)


@pytest.fixture(scope="module")
def balanced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("balanced")
    policy = folder / "policy.yaml"
    policy.write_text(POLICY)
    with labs.running(folder, policy, options=BALANCED) as lab:
        yield lab


def status(lab: Lab, address: str) -> int:
    """Upload a photo as a client of a balancer; the answer's status."""
    with socket.create_connection(lab.proxy.address, timeout=10) as connection:
        connection.sendall(v2(address, 1234))
        connection.sendall(b"CONNECT api.openai.com:443 HTTP/1.1\r\nHost: api.openai.com\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 200")
        context = ssl.create_default_context(cafile=str(lab.proxy.root))
        with context.wrap_socket(connection, server_hostname="api.openai.com") as encrypted:
            photo = pictures.jpeg()
            head = (
                "POST /v1/files HTTP/1.1\r\nHost: api.openai.com\r\nConnection: close\r\n"
                f"Content-Length: {len(photo)}\r\n\r\n"
            )
            encrypted.sendall(head.encode() + photo)
            return int(encrypted.recv(1000).split()[1])


def test_the_client_is_whom_the_balancer_names(balanced: Lab) -> None:
    for address, people in (
        ("203.0.113.7", ["kids"]),
        ("203.0.113.8", []),
        ("2001:db8::7", ["kids"]),
    ):
        before, arrived = len(balanced.proxy.records()), len(balanced.arrived)
        assert (status(balanced, address) == 200) is (not people)
        [record] = balanced.new_records(before)
        assert record.get("people", []) == people
        assert len(balanced.arrived) == arrived + (not people)


def answer_to(lab: Lab, header: bytes) -> bytes:
    with socket.create_connection(lab.proxy.address, timeout=10) as connection:
        connection.sendall(
            header
            + b"GET /proxy.pac HTTP/1.1\r\nHost: localhost:%d\r\n\r\n" % (lab.proxy.address[1])
        )
        try:
            connection.shutdown(socket.SHUT_WR)
            return connection.recv(100)
        except OSError:  # it was closed already
            return b""


def test_both_versions_and_what_is_added_behind(balanced: Lab) -> None:
    for header in (
        v2("203.0.113.9", 1234),
        v2("2001:db8::9", 1234, b"\x20\x00\x03abc"),
        SIGNATURE + struct.pack("!BBH", 0x20, 0, 0),
        b"PROXY TCP4 203.0.113.9 192.0.2.1 1234 8080\r\n",
        b"PROXY UNKNOWN\r\n",
    ):
        assert answer_to(balanced, header).startswith(b"HTTP/1.1 200"), header


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"PROXY TCP4 203.0.113.9 192.0.2.1 1234 8080\n",
        b"PROXY " + b"x" * 200 + b"\r\n",
        v2("198.51.100.1", 1234),
        v2("8.8.8.8", 1234),
        SIGNATURE + struct.pack("!BBH", 0x21, 0x11, 60000) + bytes(60000),
    ],
    ids=range(6),
)
def test_others_get_no_answer(balanced: Lab, header: bytes) -> None:
    assert answer_to(balanced, header) == b""


def test_who_is_no_balancer_cannot_say_who_it_is(lab: Lab) -> None:
    assert b" 200 " not in answer_to(lab, v2("10.0.0.1", 1))
    assert b" 200 " not in answer_to(lab, b"PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n")


def test_strangers_are_not_let_in(tmp_path: Path) -> None:
    with labs.running(tmp_path, options=("--clients", "192.0.2.0/24")) as lab:
        for _ in range(3):
            assert answer_to(lab, b"") == b""
        with pytest.raises(ConnectionError):
            lab.curl("https://api.openai.com/v1/files")
        assert lab.proxy.output.count("Somebody at 127.0.0.1 may not use this proxy.") == 1
        assert lab.arrived == []

"""Requests that two readers could understand differently, byte by byte over a real connection."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

import pytest
from mitmproxy.test import tflow

from safelight.proxy import framing
from tests.support import pictures
from tests.support.origin import client_context

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from tests.support.lab import Lab

from contextlib import contextmanager

JPEG = pictures.jpeg()
LENGTH = str(len(JPEG)).encode()


def tunnel(lab: Lab, host: str, sni: str) -> AbstractContextManager[ssl.SSLSocket]:
    @contextmanager
    def connect() -> Iterator[ssl.SSLSocket]:
        with socket.create_connection(lab.proxy.address, 10) as plain:
            plain.sendall(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode())
            assert b" 200 " in plain.recv(4096)
            context = client_context(lab.proxy.root)
            with context.wrap_socket(plain, server_hostname=sni) as encrypted:
                yield encrypted

    return connect()


def answer(connection: socket.socket, request: bytes) -> bytes:
    connection.sendall(request)
    received = b""
    try:
        while chunk := connection.recv(65536):
            received += chunk
            if b"\r\n\r\n" in received and b"content-length" in received.lower():
                head, _, body = received.partition(b"\r\n\r\n")
                length = head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]
                if len(body) >= int(length):
                    break
    except (ConnectionError, TimeoutError):
        pass
    return received


def head(*lines: bytes, target: bytes = b"/v1/files") -> bytes:
    return b"\r\n".join([b"POST " + target + b" HTTP/1.1", *lines, b"", b""])


HOST = b"Host: api.openai.com"
AMBIGUOUS = {
    "two hosts": head(HOST, b"Host: www.example.org", b"Content-Length: " + LENGTH) + JPEG,
    "the same host twice": head(HOST, HOST, b"Content-Length: " + LENGTH) + JPEG,
    "another host": head(b"Host: www.example.org", b"Content-Length: " + LENGTH) + JPEG,
    "length and chunks": head(HOST, b"Content-Length: 5", b"Transfer-Encoding: chunked")
    + b"%x\r\n%s\r\n0\r\n\r\n" % (len(JPEG), JPEG),
    "two lengths": head(HOST, b"Content-Length: 5", b"Content-Length: " + LENGTH) + JPEG,
    "gzip and chunks": head(HOST, b"Transfer-Encoding: gzip, chunked")
    + b"%x\r\n%s\r\n0\r\n\r\n" % (len(JPEG), JPEG),
    "fields behind the body": head(HOST, b"Transfer-Encoding: chunked")
    + b"%x\r\n%s\r\n0\r\nX-Trailer: 1\r\n\r\n" % (len(JPEG), JPEG),
    "unknown transfer coding": head(HOST, b"Transfer-Encoding: xchunked") + JPEG,
    "two content types": head(
        HOST, b"Content-Type: image/png", b"Content-Type: text/plain", b"Content-Length: " + LENGTH
    )
    + JPEG,
    "two codings": head(
        HOST, b"Content-Encoding: gzip", b"Content-Encoding: br", b"Content-Length: " + LENGTH
    )
    + JPEG,
    "an address of another host": head(
        HOST, b"Content-Length: " + LENGTH, target=b"https://www.example.org/v1/files"
    )
    + JPEG,
    "a header in two lines": head(
        HOST, b"X-A: b\r\n Content-Length: 5", b"Content-Length: " + LENGTH
    )
    + JPEG,
    "an unknown version": head(HOST, b"Content-Length: " + LENGTH).replace(b"1.1", b"9.9", 1)
    + JPEG,
    "a chunk of no size": head(HOST, b"Transfer-Encoding: chunked") + b"-5\r\n" + JPEG,
    "a chunk whose line does not end": head(HOST, b"Transfer-Encoding: chunked")
    + b"5;a="
    + b"a" * 20_000,
    "no HTTP": b"\x00\x01\x02" + JPEG,
    "a head that does not end": b"GET / HTTP/1.1\r\n" + HOST + b"\r\nX: " + b"a" * 300_000,
    "very many fields": head(HOST, *(b"X-%d: y" % number for number in range(20_000))),
}


@pytest.mark.parametrize("case", AMBIGUOUS)
def test_ambiguous_requests_are_refused(lab: Lab, case: str) -> None:
    with tunnel(lab, "api.openai.com", "api.openai.com") as connection:
        received = answer(connection, AMBIGUOUS[case])
    assert received.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 403 ", b"HTTP/1.1 431 ")), received[
        :200
    ]
    assert lab.arrived == []


def test_what_is_too_long_for_a_name_is_not_kept() -> None:
    flow = tflow.tflow()
    flow.client_conn.sni = "chatgpt.com"
    flow.request.headers["host"] = "a" * 100_000
    assert "chatgpt.com" in framing.names(flow)
    assert max(map(len, framing.names(flow))) < 1000
    assert framing.ambiguity(flow) is not None


def test_a_service_behind_another_name_is_still_seen(lab: Lab) -> None:
    """CONNECT to some address, TLS for a service: the name in the TLS handshake counts."""
    with tunnel(lab, "127.0.0.1", "api.openai.com") as connection:
        request = head(HOST, b"Content-Type: image/jpeg", b"Content-Length: " + LENGTH) + JPEG[:-9]
        received = answer(connection, request + b"x" * 9)
    assert b" 403 " in received.split(b"\r\n")[0]
    assert lab.arrived == []


def test_the_certificate_cannot_speak_for_others(lab: Lab) -> None:
    with (
        pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"),
        tunnel(lab, "api.openai.com", "www.example.org"),
    ):
        pass


def test_the_connection_goes_on_after_a_refusal(lab: Lab) -> None:
    with tunnel(lab, "api.openai.com", "api.openai.com") as connection:
        broken = head(HOST, b"Content-Length: 500") + JPEG[:500]
        assert b" 403 " in answer(connection, broken).split(b"\r\n")[0]
        whole = head(HOST, b"Content-Length: " + LENGTH) + JPEG
        assert b" 200 " in answer(connection, whole).split(b"\r\n")[0]
    [received] = lab.arrived
    assert not pictures.says_secrets(received.body)


def test_a_client_that_leaves_sends_nothing(lab: Lab) -> None:
    with tunnel(lab, "api.openai.com", "api.openai.com") as connection:
        connection.sendall(head(HOST, b"Content-Length: " + LENGTH) + JPEG[:800])
    with tunnel(lab, "api.openai.com", "api.openai.com") as connection:
        assert b" 200 " in answer(connection, b"GET / HTTP/1.1\r\n" + HOST + b"\r\n\r\n")
    assert [received.method for received in lab.arrived] == ["GET"]

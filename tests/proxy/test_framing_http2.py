"""Requests over HTTP/2 that a service behind it could understand differently."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import http2, pictures

if TYPE_CHECKING:
    from tests.support.http2 import Fields
    from tests.support.lab import Lab

JPEG = pictures.jpeg()
HOST = "api.openai.com"
LENGTH = b"%d" % len(JPEG)


def fields(*more: tuple[bytes, bytes], **other: bytes) -> Fields:
    """What an upload begins with; `other` pseudo-headers in place of the usual ones."""
    usual = {
        "method": b"POST",
        "scheme": b"https",
        "authority": HOST.encode(),
        "path": b"/v1/files",
    }
    pseudo = [(b":" + name.encode(), value) for name, value in (usual | other).items()]
    return [*pseudo, (b"content-type", b"application/octet-stream"), *more]


AMBIGUOUS: dict[str, Fields] = {
    "another host": fields(authority=b"www.example.org"),
    "another host besides": fields((b"host", b"www.example.org")),
    "a length too small": fields((b"content-length", b"5")),
    "a length too large": fields((b"content-length", b"999999")),
    "two lengths": fields((b"content-length", LENGTH), (b"content-length", b"5")),
    "chunks": fields((b"transfer-encoding", b"chunked")),
    "a request in a field": fields((b"x", b"a\r\nContent-Length: 0\r\n\r\nPOST / HTTP/1.1")),
    "a request in the path": fields(path=b"/ HTTP/1.1\r\nX: y\r\n\r\nPOST /v1/files"),
    "a request in the method": fields(method=b"GET / HTTP/1.1\r\nX: y\r\n\r\nPOST"),
    "a field in the host": fields(authority=HOST.encode() + b"\r\nX: y"),
    "a version in the path": fields(path=b"/v1/files HTTP/1.0"),
    "an address of another host": fields(path=b"https://www.example.org/v1/files"),
    "no path": fields(path=b""),
    "a tunnel": [(b":method", b"CONNECT"), (b":authority", HOST.encode() + b":443")],
    "a WebSocket": fields((b":protocol", b"websocket"), method=b"CONNECT"),
}


@pytest.mark.parametrize("case", AMBIGUOUS)
def test_ambiguous_requests_are_refused(lab: Lab, case: str) -> None:
    with http2.client(lab, HOST) as client:
        assert client.ask(AMBIGUOUS[case], JPEG) in {400, 403, None}
    with http2.client(lab, HOST) as client:
        assert client.ask(fields(), JPEG) == 200
    [arrived] = lab.arrived
    assert not pictures.says_secrets(arrived.body)


def test_fields_behind_the_body_are_refused(lab: Lab) -> None:
    with http2.client(lab, HOST) as client:
        assert client.ask(fields(), JPEG, [(b"x-place", b"CANARY")]) == 400
        assert client.ask(fields(), JPEG) == 200
    assert len(lab.arrived) == 1

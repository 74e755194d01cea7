"""Requests that two readers could understand differently, and so must not be passed on."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from mitmproxy.net.http import url

if TYPE_CHECKING:
    from mitmproxy.http import HTTPFlow

_ONCE = (
    b"content-type",
    b"content-encoding",
    b"content-length",
    b"content-range",
    b"transfer-encoding",
)

_VERSIONS = {"HTTP/1.0", "HTTP/1.1", "HTTP/2.0"}
# In HTTP/2 an address is a field of its own, and may hold what no request line can.
_TARGET = re.compile(r"\*|/[^\s\x00-\x1f\x7f]*", re.ASCII)

# More than a name and a port may have together. What is longer names nobody, and is not kept.
_LONGEST_AUTHORITY = 512
IDENTITY = "safelight.identity"


def names(flow: HTTPFlow) -> tuple[str, ...]:
    """Every host name that this request could be meant for, in lower case."""
    request = flow.request
    said = (request.host, flow.client_conn.sni or "", request.authority)
    hosts = request.headers.get_all("host")
    return _names(*(one[:_LONGEST_AUTHORITY] for one in (*said, *hosts)))


@lru_cache(128)
def _names(host: str, sni: str, *authorities: str) -> tuple[str, ...]:
    candidates = (host, sni, *map(_host_of, authorities))
    return tuple(dict.fromkeys(_normal(name) for name in candidates if name))


def identity(flow: HTTPFlow) -> str | None:
    """Who is known to send this, such as `user:anna`; None where nobody was asked who it is."""
    known: str | None = flow.metadata.get(IDENTITY)
    return known


def client(flow: HTTPFlow) -> str | None:
    """The address from which a request comes."""
    peer = flow.client_conn.peername
    return str(peer[0]) if peer else None


def ambiguity(flow: HTTPFlow) -> str | None:
    """Why this request is ambiguous, in a sentence; None when it is not."""
    request = flow.request
    if request.http_version not in _VERSIONS:
        return "The request is of an unknown version of HTTP."
    if not _TARGET.fullmatch(request.path):
        return "The request's address is not written as it should be."
    fields = request.headers.fields
    if any(b"\r" in value or b"\n" in value for _, value in fields):
        return "The request has a header in several lines."
    found = [name.lower() for name, _ in fields]
    if found.count(b"host") > 1:
        return "The request names its host twice."
    hosts = request.headers.get_all("host")
    encrypted = flow.client_conn.tls_established
    said = (value[:_LONGEST_AUTHORITY] for value in (*hosts, request.authority))
    named = {_normal(_host_of(value)) for value in said if value}
    if encrypted and flow.client_conn.sni:
        named.add(_normal(flow.client_conn.sni))
    if len(named) > 1:
        return "The request names one host in its address and another in its encryption."
    for name in _ONCE:
        if found.count(name) > 1:
            return f"The request has the header {name.decode()} twice."
    if b"transfer-encoding" in found:
        if request.headers["transfer-encoding"].strip().lower() != "chunked":
            return "The request's body is sent in an unusual way."
        if b"content-length" in found:
            return "The request gives its length in two ways."
    return None


@lru_cache(1024)
def _host_of(authority: str) -> str:
    try:
        return url.parse_authority(authority, check=False)[0]
    except ValueError:
        return authority


def _normal(name: str) -> str:
    return name.lower().rstrip(".")

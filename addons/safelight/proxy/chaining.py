"""A proxy behind this one, such as companies have: all connections go through it, by CONNECT.

TLS reaches through it to the services, whose certificates are verified as ever.
"""

from __future__ import annotations

import base64
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from pathlib import Path

    from mitmproxy.http import HTTPFlow
    from mitmproxy.proxy.server_hooks import ServerConnectionHookData

    from safelight.proxy.resolve import Address

logger = logging.getLogger(__name__)

_PORTS = {"http": 80, "https": 443}
_RARELY = 60.0  # seconds
_LOGIN_WANTED = 407


class UpstreamProxyError(Exception):
    """The proxy behind this one cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class UpstreamProxy:
    """Where it is, whether TLS leads to it, and the credentials that it wants (RFC 7617)."""

    scheme: str
    address: Address
    credentials: str | None = None

    @property
    def mode(self) -> str:
        """How mitmproxy is told of it."""
        host, port = self.address
        return f"upstream:{self.scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def upstream_proxy(url: str, login: Path | None) -> UpstreamProxy:
    """The proxy at `url`; the file `login` holds NAME:PASSWORD. Raises UpstreamProxyError."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UpstreamProxyError(f"--upstream-proxy {url}: {error}.") from error
    if parts.username is not None:
        raise UpstreamProxyError(
            "Whoever lists processes sees what stands on their command lines: write NAME:PASSWORD "
            "into a file, and name that by --upstream-login."
        )
    rest = (parts.path.strip("/"), parts.query, parts.fragment)
    if parts.scheme not in _PORTS or not parts.hostname or any(rest):
        raise UpstreamProxyError(f"--upstream-proxy {url}: it has to be http://HOST:PORT.")
    credentials = _credentials(login) if login is not None else None
    return UpstreamProxy(parts.scheme, (parts.hostname, port or _PORTS[parts.scheme]), credentials)


def _credentials(login: Path) -> str:
    try:
        line = login.read_bytes().rstrip(b"\r\n")
    except OSError as error:
        raise UpstreamProxyError(f"{login} cannot be read: {error.strerror}.") from error
    if b":" not in line or b"\n" in line:
        raise UpstreamProxyError(f"{login} has to hold one line, NAME:PASSWORD.")
    return f"Basic {base64.b64encode(line).decode()}"


class Chaining:
    """The hooks that keep all connections on their way through `proxy`."""

    def __init__(self, proxy: UpstreamProxy) -> None:
        self._proxy = proxy
        self._told = -_RARELY

    def server_connect(self, data: ServerConnectionHookData) -> None:
        """Open no connection past it."""
        if data.server.address != self._proxy.address:
            data.server.error = "connections go through the upstream proxy alone"

    def server_connect_error(self, data: ServerConnectionHookData) -> None:
        """It is not there."""
        self._say(data.server.error or "")

    def http_connect_upstream(self, flow: HTTPFlow) -> None:
        """A tunnel through it is asked for."""
        self._log_in(flow)

    def requestheaders(self, flow: HTTPFlow) -> None:
        """Requests that are not encrypted go to it without a tunnel."""
        if flow.request.scheme == "http" and not flow.server_conn.address:
            self._log_in(flow)

    def responseheaders(self, flow: HTTPFlow) -> None:
        """It wants a login of this proxy's: clients are not asked for it."""
        answer = flow.response
        if flow.request.scheme == "http" and answer and answer.status_code == _LOGIN_WANTED:
            self._say("it does not take this proxy's login, or wants one (--upstream-login)")
            answer.status_code, answer.reason = 502, "Bad Gateway"
            answer.headers.pop("proxy-authenticate", None)

    def error(self, flow: HTTPFlow) -> None:
        """It refused a tunnel."""
        if flow.error is not None and "refused HTTP CONNECT" in flow.error.msg:
            self._say(flow.error.msg.rpartition("refused HTTP CONNECT request: ")[2])

    def _log_in(self, flow: HTTPFlow) -> None:
        if self._proxy.credentials is not None:
            flow.request.headers["proxy-authorization"] = self._proxy.credentials

    def _say(self, why: str) -> None:
        if time.monotonic() - self._told >= _RARELY:
            self._told = time.monotonic()
            host, port = self._proxy.address
            logger.error(
                "The upstream proxy %s:%s let nothing pass, and there is no other way: %s",
                host,
                port,
                why,
                extra={"event": "upstream-proxy-silent"},
            )

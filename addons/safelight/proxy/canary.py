"""The canary: before anybody is served, an upload whose hooks break must be refused.

mitmproxy forwards what its addons fail to judge. Should a change in it, or in here, bring that
back, the proxy does not start.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mitmproxy.http import HTTPFlow

    from safelight.proxy.resolve import Address

_HEADER = "x-safelight-canary"
_LONGEST = 10  # seconds
_REFUSED = (b"HTTP/1.1 503 ", b'"safelight_refused"')
_UPLOAD = b"what must not arrive"


class CanaryError(Exception):
    """Raised inside hooks on purpose."""


class Canary:
    """One upload to a service of our own, and the hooks that break on it."""

    def __init__(self) -> None:
        self._token = secrets.token_hex(16)
        self._arrived = 0
        self._is_sent = False

    def break_on(self, flow: HTTPFlow) -> None:
        """Raise CanaryError if this is the canary's upload."""
        if self._is_sent and flow.request.headers.get(_HEADER) == self._token:
            raise CanaryError

    async def is_refused(self, proxy: Address) -> bool:
        """Send the upload through the proxy that listens at `proxy`: does it stay here?"""
        service = await asyncio.start_server(self._arrive, "127.0.0.1", 0)
        self._is_sent = True
        try:
            async with asyncio.timeout(_LONGEST):
                answer = await self._send(proxy, service.sockets[0].getsockname()[1])
        except (TimeoutError, OSError):
            return False
        finally:
            self._is_sent = False
            service.close()
        status, ours = _REFUSED
        # A proxy behind this one may answer in such a way, too.
        return answer.startswith(status) and ours in answer and not self._arrived

    async def _send(self, proxy: Address, port: int) -> bytes:
        reader, writer = await asyncio.open_connection(*proxy)
        head = (
            f"POST http://127.0.0.1:{port}/ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            f"Connection: close\r\n{_HEADER}: {self._token}\r\n"
            f"Content-Length: {len(_UPLOAD)}\r\n\r\n"
        )
        try:
            writer.write(head.encode() + _UPLOAD)
            await writer.drain()
            return await reader.read()
        finally:
            writer.close()

    async def _arrive(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._arrived += 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()

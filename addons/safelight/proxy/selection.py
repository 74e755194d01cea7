"""Which connections are decrypted: those to AI services. All others are relayed as they are."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mitmproxy.tls import ClientHelloData, TlsData

    from safelight.engine import Engine
    from safelight.services import Catalogue, Learnt

logger = logging.getLogger(__name__)

_RARELY = 60  # seconds
_HTTP1 = b"http/1.1"


class Selection:
    """Decides by the SNI and by the host that the client asked the proxy for."""

    def __init__(self, engine: Engine, catalogue: Catalogue, learnt: Learnt) -> None:
        self._engine = engine
        self._catalogue = catalogue
        self._learnt = learnt
        self._rejected: dict[str, float] = {}

    async def begin(self, data: ClientHelloData) -> None:
        """Decrypt connections to AI services; relay all others as they are."""
        address = data.context.server.address
        port = address[1] if address else 443
        names = [data.client_hello.sni, address[0] if address else None]
        guarded = [name for name in names if name and self.covers(name, port)]
        behind = [one for name in guarded for one in self._catalogue.behind(name, port)]
        through = await asyncio.to_thread(self._engine.lets_through, behind)
        data.ignore_connection = not guarded or through
        large = any(self._takes_whole_pictures(name, port) for name in guarded)
        if large and _HTTP1 in data.client_hello.alpn_protocols:
            # HTTP/2 holds all of a body in memory when the service is slower than the client.
            data.context.client.alpn = _HTTP1

    async def rejected(self, data: TlsData) -> None:
        """A client that rejects our certificate sends nothing; say what that means."""
        name = data.conn.sni or "an AI service"
        address = data.context.server.address
        behind = self._catalogue.behind(name, address[1] if address else 443)
        logger.warning(
            "A program would not accept Safelight's certificate for %s, so it sent nothing. "
            "Trust the CA certificate in it; if it still refuses, it only accepts its own.",
            name,
            extra={
                "event": "certificate-rejected",
                "facts": {"services": [one.service.id for one in behind]},
            },
        )
        now = time.monotonic()
        service = behind[0].service.id if behind else ""
        # Programs try again and again, by many names; once a minute is enough to be counted.
        if behind and now - self._rejected.get(service, -_RARELY) >= _RARELY:
            self._rejected[service] = now
            await asyncio.to_thread(self._engine.rejected, behind[0])

    def covers(self, name: str, port: int) -> bool:
        """Is this an AI service's host, by the catalogue or by what a service said?"""
        return self._catalogue.covers(name, port) or (port == 443 and self._learnt.covers(name))

    def _takes_whole_pictures(self, name: str, port: int) -> bool:
        return self._catalogue.takes_whole_pictures(name, port) or self._learnt.covers(name)

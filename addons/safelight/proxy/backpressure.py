"""Who waits until others have read: a client for all, a service for its client alone.

In mitmproxy all wait for all, one after the other. A service that wants to be rid of its answer
before it reads on, as one does that sends back what it gets, would wait for us and we for it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from mitmproxy.proxy import server

if TYPE_CHECKING:
    from mitmproxy.proxy.server import ConnectionHandler, ConnectionIO


async def _drain_writers(handler: ConnectionHandler) -> None:
    """Return once there is room for what the reading task, which calls this, reads next."""
    reading = asyncio.current_task()
    client = handler.transports.get(handler.client)
    is_client = client is None or client.handler is reading
    for connection, transport in list(handler.transports.items()):
        if transport is client:
            # Several wait for this one, and not every kind of writer allows that.
            async with handler._drain_lock:  # noqa: SLF001
                await _drain(transport)
        elif is_client or (transport.handler is reading and connection.alpn == b"h2"):
            # In HTTP/2 we answer for ourselves as well, and who speaks it reads at all times.
            await _drain(transport)


async def _drain(transport: ConnectionIO) -> None:
    if transport.writer is None:
        return
    try:
        await transport.writer.drain()
    except OSError as error:
        if transport.handler is not None:
            transport.handler.cancel(f"Error sending data: {error}")


def install() -> None:
    """Put it in mitmproxy's place."""
    server.ConnectionHandler.drain_writers = _drain_writers  # type: ignore[method-assign]

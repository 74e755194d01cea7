"""SIGTERM: no new connections, and an end once all requests that are on their way are answered."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING
from weakref import WeakSet

if TYPE_CHECKING:
    from mitmproxy.http import HTTPFlow

LONGEST_DRAIN = 25  # seconds; Docker and systemd are told to wait longer
_LOOK = 0.1  # seconds


class Draining:
    """Knows which requests are on their way. Connections that are only relayed are not seen, and
    WebSockets, which may stay open for ever, are not waited for."""

    def __init__(self) -> None:
        self._flows: WeakSet[HTTPFlow] = WeakSet()

    def requestheaders(self, flow: HTTPFlow) -> None:
        """A request begins."""
        self._flows.add(flow)

    async def drained(self) -> None:
        """Return when nothing is on its way any more, or after `LONGEST_DRAIN`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_DRAIN):
                # No hook is called at the end of every flow.
                while any(flow.live and flow.websocket is None for flow in self._flows):  # noqa: ASYNC110
                    await asyncio.sleep(_LOOK)
        # What was answered last still has to reach its client.
        await asyncio.sleep(_LOOK)

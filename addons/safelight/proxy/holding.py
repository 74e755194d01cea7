"""Uploads that wait for a person's yes. A client that leaves meanwhile is not waited for."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING

from safelight.broker import Answer, Held
from safelight.proxy import framing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mitmproxy.http import HTTPFlow

    from safelight.case import Waits

LEFT = "left"
_NOBODY = "nobody-to-ask"


class Holding:
    """Asks through `ask`, which raises OSError when there is nobody; None: there never is."""

    def __init__(self, ask: Callable[[Held], Awaitable[Answer]] | None) -> None:
        self._ask = ask
        self._asked: defaultdict[str, set[asyncio.Future[Answer]]] = defaultdict(set)

    async def answer(self, flow: HTTPFlow, service: str, waits: Waits) -> str:
        """How the wait ended, in a word that the audit record has."""
        if self._ask is None:
            return _NOBODY
        held = Held(
            id=waits.record,
            service=service,
            pictures=waits.pictures,
            size=waits.size,
            found=tuple(sorted(waits.found)),
            rules=tuple(sorted(waits.decision.deciding)),
            because=tuple(sorted(waits.decision.because)),
            content=waits.content,
            client=framing.identity(flow) or framing.client(flow),
            workspace=waits.workspace,
        )
        client = flow.client_conn.id
        asked: asyncio.Future[Answer] = asyncio.ensure_future(self._ask(held))
        self._asked[client].add(asked)
        try:
            await asyncio.wait([asked])
        finally:
            self._asked[client].discard(asked)
            if not self._asked[client]:
                del self._asked[client]
            asked.cancel()
        if asked.cancelled():
            return LEFT
        return _NOBODY if isinstance(asked.exception(), OSError) else str(asked.result())

    def leave(self, client: str) -> None:
        """This client has gone."""
        for asked in self._asked.get(client, ()):
            asked.cancel()

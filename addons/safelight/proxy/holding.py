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

    type Ask = Callable[[Held], Awaitable[Answer]]

LEFT = "left"
_NOBODY = "nobody-to-ask"


class Holding:
    """Asks through `ask`, and through `ask_for_later` about what cannot wait here; both raise
    OSError when there is nobody. None: there never is."""

    def __init__(self, ask: Ask | None, ask_for_later: Ask | None) -> None:
        self._ask = ask
        self._ask_for_later = ask_for_later
        self._asked: defaultdict[str, set[asyncio.Future[Answer]]] = defaultdict(set)

    async def answer(self, flow: HTTPFlow, service: str, waits: Waits) -> str:
        """How the wait ended, in a word that the audit record has."""
        if self._ask is None:
            return _NOBODY
        client = flow.client_conn.id
        asked: asyncio.Future[Answer] = asyncio.ensure_future(
            self._ask(_held(flow, service, waits))
        )
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

    async def answer_before(self, flow: HTTPFlow, service: str, waits: Waits) -> str:
        """What was answered when this was sent before; a person is asked if nothing was."""
        if self._ask_for_later is None:
            return _NOBODY
        try:
            return str(await self._ask_for_later(_held(flow, service, waits)))
        except OSError:
            return _NOBODY

    def leave(self, client: str) -> None:
        """This client has gone."""
        for asked in self._asked.get(client, ()):
            asked.cancel()


def _held(flow: HTTPFlow, service: str, waits: Waits) -> Held:
    return Held(
        id=waits.record,
        service=service,
        pictures=waits.pictures,
        size=waits.size,
        found=None if waits.found is None else tuple(sorted(waits.found)),
        rules=tuple(sorted(waits.decision.deciding)),
        because=tuple(sorted(waits.decision.because)),
        content=waits.content,
        client=framing.identity(flow) or framing.client(flow),
        workspace=waits.workspace,
    )

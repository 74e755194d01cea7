"""WebSocket messages on their way to a service: what a conversation lets go, the guard passes.

A message that waits for a person is looked after whenever the client was silent for a while, as
others that are held back are; meanwhile the service's own messages pass.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from safelight.conversation import QUIET, Conversation, Room
from safelight.proxy import socket_guard

if TYPE_CHECKING:
    from collections.abc import Callable

    from mitmproxy.http import HTTPFlow
    from mitmproxy.websocket import WebSocketMessage

    from safelight.case import Outcome, Upload
    from safelight.conversation import Ready
    from safelight.engine import Engine
    from safelight.proxy.holding import Holding
    from safelight.services import Destination

_CONVERSATION = "safelight.conversation"


class Messages:
    """All conversations; `told` hears of what held a picture, `holding` asks about what waits. A
    look takes `longest` seconds."""

    def __init__(
        self,
        engine: Engine,
        told: Callable[[Destination, Outcome], None],
        holding: Holding,
        longest: float,
    ) -> None:
        self._engine = engine
        self._told = told
        self._holding = holding
        self._longest = longest
        self._asking: set[asyncio.Task[None]] = set()
        self._room = Room()

    async def take(self, flow: HTTPFlow, handshake: Upload, one: WebSocketMessage) -> None:
        """Judge a message of the client's, or what several make up. `handshake` is the request by
        which the connection began."""
        conversation = flow.metadata.get(_CONVERSATION)
        if conversation is None:
            conversation = self._conversation(handshake)
            flow.metadata[_CONVERSATION] = conversation
        alone = not conversation.waiting
        async with asyncio.timeout(self._longest):
            ready = await asyncio.to_thread(conversation.add, one.content, is_text=one.is_text)
        if alone and ready.messages:
            # mitmproxy keeps its frames as they were.
            [(one.content, _)] = ready.messages
            one.dropped = False
        else:
            _pass_on(flow, ready)
        self._take_care(flow, handshake, conversation, ready)

    async def look(self, flow: HTTPFlow, handshake: Upload) -> None:
        """The client of held messages is silent: what it sent may be whole, or never be, or be
        answered for."""
        conversation: Conversation = flow.metadata[_CONVERSATION]
        async with asyncio.timeout(self._longest):
            ready = await asyncio.to_thread(conversation.look)
        _pass_on(flow, ready)
        self._take_care(flow, handshake, conversation, ready)

    def end(self, flow: HTTPFlow) -> None:
        """The connection is over; what was held stays here, and nobody need answer for it."""
        conversation: Conversation | None = flow.metadata.get(_CONVERSATION)
        if conversation is not None:
            conversation.close()
            self._holding.leave(flow.client_conn.id)

    def _take_care(
        self, flow: HTTPFlow, handshake: Upload, conversation: Conversation, ready: Ready
    ) -> None:
        """Tell of what was judged, and ask about what waits."""
        self._tell(handshake.destination, ready)
        if ready.stopped:
            self._holding.leave(flow.client_conn.id)
        elif ready.asks is not None:
            task = asyncio.ensure_future(self._ask(flow, handshake, conversation, ready.asks))
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)

    async def _ask(
        self, flow: HTTPFlow, handshake: Upload, conversation: Conversation, held: Outcome
    ) -> None:
        if held.waits is not None:
            name = handshake.destination.service.name
            how = await self._holding.answer(flow, name, held.waits)
            outcome = await asyncio.to_thread(self._engine.released, handshake, held, how)
            conversation.answered(outcome)

    def _conversation(self, handshake: Upload) -> Conversation:
        def judge(content: bytes, is_text: bool) -> Outcome:  # noqa: FBT001 - a value, no switch
            # Sizes are often announced in a message before; text has no such framing.
            message = replace(handshake, headers={}, body=content, length_promised=not is_text)
            return self._engine.process(message)

        return Conversation(judge, self._engine.largest_upload, self._room)

    def _tell(self, destination: Destination, ready: Ready) -> None:
        for outcome in ready.outcomes:
            if outcome.pictures or outcome.refusal is not None:
                self._told(destination, outcome)


def _pass_on(flow: HTTPFlow, ready: Ready) -> None:
    wait = QUIET if ready.waiting else None
    socket_guard.pass_on(flow, socket_guard.Passage(tuple(ready.messages), ready.stopped, wait))

"""The hooks: which connections are decrypted, which requests are uploads, what becomes of them.

Everything here may fail. Then a request has no clearance, and the guard refuses it.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from safelight.case import Upload
from safelight.proxy import framing, guard, replies
from safelight.proxy.messages import Messages
from safelight.proxy.order import Order
from safelight.refusals import Cause
from safelight.services import Destination, Learnt, Role
from safelight.services.learnt import LONGEST_ANSWER

if TYPE_CHECKING:
    from collections.abc import Callable

    from mitmproxy.http import HTTPFlow
    from mitmproxy.tls import ClientHelloData, TlsData

    from safelight.case import Outcome
    from safelight.engine import Engine
    from safelight.sequences import Turn
    from safelight.services import Catalogue

logger = logging.getLogger(__name__)

_DESTINATION = "safelight.destination"
_TURN = "safelight.turn"
_LONGEST_LOOK = 120  # seconds


class Gate:
    """mitmproxy's side of the engine. `told` hears of every upload that held a picture."""

    def __init__(
        self,
        engine: Engine,
        catalogue: Catalogue,
        told: Callable[[Destination, Outcome], None],
    ) -> None:
        self._engine = engine
        self._catalogue = catalogue
        self._told = told
        self._order = Order()
        self._messages = Messages(engine, told, _LONGEST_LOOK)
        self._learnt = Learnt(catalogue.permitted_names())

    def tls_clienthello(self, data: ClientHelloData) -> None:
        """Decrypt connections to AI services; relay all others as they are."""
        address = data.context.server.address
        port = address[1] if address else 443
        names = [data.client_hello.sni, address[0] if address else None]
        guarded = any(name and self._covers(name, port) for name in names)
        data.ignore_connection = not guarded

    def tls_failed_client(self, data: TlsData) -> None:
        """A client that rejects our certificate sends nothing; say what that means."""
        name = data.conn.sni or "an AI service"
        logger.warning(
            "A program would not accept Safelight's certificate for %s, so it sent nothing. "
            "Trust the CA certificate in it; if it still refuses, it only accepts its own.",
            name,
        )

    def requestheaders(self, flow: HTTPFlow) -> None:
        """Decide by the headers alone whether this is an upload to an AI service."""
        if flow.response or flow.error:
            return
        guarded = [name for name in framing.names(flow) if self._covers(name, flow.request.port)]
        if not guarded:
            guard.clear_anything(flow)
            flow.request.stream = True
            return
        destination = self._destination(flow, guarded)
        if destination is None:
            guard.clear_anything(flow)
            flow.request.stream = True
            return
        flow.metadata[_DESTINATION] = destination
        flow.metadata[_TURN] = self._engine.pieces.begin(destination, flow.request.path)
        guard.cap(flow, self._engine.largest_upload)
        length = _declared_length(flow)
        ambiguous = framing.ambiguity(flow)
        if ambiguous is not None:
            self._refuse(flow, destination, Cause.AMBIGUOUS_REQUEST, ambiguous)
        elif length > self._engine.largest_upload:
            self._refuse_large(flow, destination)
        elif length:
            piece = self._engine.pieces.said(_headers(flow), flow.request.path, length)
            if piece is not None:
                self._order.begin(flow, piece.upload)

    def upload_too_large(self, flow: HTTPFlow) -> None:
        """A body whose length was not declared has grown past the cap."""
        self._refuse_large(flow, flow.metadata[_DESTINATION])

    async def request(self, flow: HTTPFlow) -> None:
        """Judge the whole body, and clear exactly what may leave."""
        destination: Destination | None = flow.metadata.get(_DESTINATION)
        if destination is None or flow.response or flow.error:
            return
        body = flow.request.raw_content or b""
        turn = flow.metadata[_TURN]
        upload = Upload(destination, flow.request.path, _headers(flow), body, turn=turn)
        if not self._engine.concerns(upload):
            guard.clear(flow)
            return
        await self._order.turn(flow, lambda: self._engine.pieces.is_next(upload))
        # Walking a large body takes a while, and so does a sync of the disk.
        async with asyncio.timeout(_LONGEST_LOOK):
            outcome = await asyncio.to_thread(self._engine.process, upload)
        self._order.end(flow)
        if outcome.refusal is not None:
            self._answer(flow, destination, outcome)
            return
        if outcome.body is not body:
            flow.request.raw_content = outcome.body
            if "content-length" in flow.request.headers:
                flow.request.headers["content-length"] = str(len(outcome.body))
        for name, value in outcome.headers.items():
            flow.request.headers[name] = value
        if outcome.path is not None:
            flow.request.path = outcome.path
        guard.clear(flow)
        if outcome.pictures:
            self._told(destination, outcome)

    def responseheaders(self, flow: HTTPFlow) -> None:
        """Answers pass as they come, save those that say where an upload is to go."""
        self._end(flow)
        if flow.response is None or flow.response.status_code == 101:
            return
        flow.response.stream = not _names_addresses(flow)
        if _DESTINATION in flow.metadata:
            # HTTP/3 would go past this proxy.
            flow.response.headers.pop("alt-svc", None)

    def response(self, flow: HTTPFlow) -> None:
        """Learn where the service wants the picture, and what it calls the upload."""
        self._end(flow)
        destination: Destination | None = flow.metadata.get(_DESTINATION)
        if destination is None or flow.response is None or not _names_addresses(flow):
            return
        answer = flow.response.get_content(strict=False) or b""
        self._learnt.learn(destination.service, answer.decode("utf-8", "replace"))
        asked = flow.request.get_content(strict=False) or b""
        self._engine.pieces.announced(destination, asked, answer)

    def error(self, flow: HTTPFlow) -> None:
        """A connection broke off."""
        self._end(flow, lost=True)

    async def websocket_message(self, flow: HTTPFlow) -> None:
        """Judge a message, or what several make up; what no verdict lets through stays here."""
        if flow.websocket is None:
            return
        message = flow.websocket.messages[-1]
        destination: Destination | None = flow.metadata.get(_DESTINATION)
        if destination is None or not message.from_client:
            message.dropped = False
            return
        await self._messages.take(flow, destination, message)

    async def websocket_quiet(self, flow: HTTPFlow) -> None:
        """A client whose messages are held back is silent."""
        await self._messages.look(flow, flow.metadata[_DESTINATION])

    def websocket_end(self, flow: HTTPFlow) -> None:
        """A connection is over."""
        self._messages.end(flow)

    def _destination(self, flow: HTTPFlow, names: list[str]) -> Destination | None:
        request = flow.request
        for name in names:
            found = self._catalogue.find(name, request.port, request.method, request.path)
            if found is not None:
                return found
            learnt = self._learnt.find(name, request.path)
            if learnt is not None:
                return Destination(*learnt)
        return None

    def _covers(self, name: str, port: int) -> bool:
        return self._catalogue.covers(name, port) or (port == 443 and self._learnt.covers(name))

    def _end(self, flow: HTTPFlow, *, lost: bool = False) -> None:
        """A piece is answered, or its connection is `lost`: others may have waited for that."""
        self._order.end(flow)
        turn: Turn | None = flow.metadata.get(_TURN)
        if turn is not None:
            self._engine.pieces.end(turn, lost=lost)

    def _refuse_large(self, flow: HTTPFlow, destination: Destination) -> None:
        megabytes = self._engine.largest_upload / 1_000_000
        reason = f"It is larger than {megabytes:g} MB, the largest upload your policy allows."
        self._refuse(flow, destination, Cause.TOO_LARGE, reason)

    def _refuse(self, flow: HTTPFlow, destination: Destination, cause: Cause, reason: str) -> None:
        self._answer(flow, destination, self._engine.refuse(destination, cause, reason))

    def _answer(self, flow: HTTPFlow, destination: Destination, outcome: Outcome) -> None:
        if outcome.refusal is not None:
            self._end(flow)
            flow.response = replies.refusal(flow.request, outcome.refusal)
            self._told(destination, outcome)


def _names_addresses(flow: HTTPFlow) -> bool:
    """Is this the answer to a step that asks where a picture should go?"""
    destination: Destination | None = flow.metadata.get(_DESTINATION)
    if destination is None or destination.road is None or flow.response is None:
        return False
    headers = flow.response.headers
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    length = headers.get("content-length", "")
    # Anything else may be a stream that somebody is waiting for.
    whole = length.isdigit() or (not length and media_type == "application/json")
    return (
        destination.road.role is Role.DECLARE
        and flow.response.status_code < 400
        and whole
        and int(length or 0) <= LONGEST_ANSWER
    )


def _headers(flow: HTTPFlow) -> dict[str, str]:
    return {name.lower(): flow.request.headers[name] for name in flow.request.headers}


def _declared_length(flow: HTTPFlow) -> int:
    declared = flow.request.headers.get("content-length", "0")
    return int(declared) if declared.isascii() and declared.isdigit() else 0

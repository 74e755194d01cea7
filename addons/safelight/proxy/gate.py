"""The hooks: which requests are uploads, and what becomes of them.

Everything here may fail. Then a request has no clearance, and the guard refuses it.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

from safelight.case import Outcome
from safelight.passage import StoppedError
from safelight.proxy import asked, clearance, flowing, framing, replies
from safelight.proxy.canary import Canary
from safelight.proxy.holding import Holding
from safelight.proxy.messages import Messages
from safelight.proxy.order import Order
from safelight.proxy.selection import Selection
from safelight.refusals import Cause
from safelight.services import Learnt

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mitmproxy.connection import Client
    from mitmproxy.http import HTTPFlow
    from mitmproxy.tls import ClientHelloData, TlsData

    from safelight.case import Upload
    from safelight.engine import Engine
    from safelight.proxy.holding import Ask
    from safelight.sequences import Turn
    from safelight.services import Catalogue, Destination

_LONGEST_LOOK = 120  # seconds
# While one is looked at, the record of another is synced. More would keep the loop waiting: each
# holds Python's lock for a while. New connections, whose hooks take a thread too, wait for none.
_LOOKING = 2
_LARGE = 8_000_000  # bytes; what is smaller is looked at as a whole


class Meter(Protocol):
    """Counts what passes through the gate."""

    def connected(self) -> None:
        """A client has come."""

    def disconnected(self) -> None:
        """A client has gone."""

    def looked(self, destination: Destination, size: int, delay: float | None) -> None:
        """A request of `size` bytes was looked at, for `delay` seconds; None if on its way."""


class Gate:
    """mitmproxy's side of the engine. `told` hears of every upload that held a picture; by `ask` a
    person is asked about one that waits, by `ask_for_later` about one that cannot."""

    def __init__(
        self,
        engine: Engine,
        catalogue: Catalogue,
        told: Callable[[Destination, Outcome], None],
        ask: Ask | None = None,
        ask_for_later: Ask | None = None,
        meter: Meter | None = None,
    ) -> None:
        self._engine = engine
        self._catalogue = catalogue
        self._told = told
        self._meter = meter
        self._holding = Holding(ask, ask_for_later)
        self._looking = ThreadPoolExecutor(_LOOKING, "safelight-looking")
        self._order = Order()
        self._messages = Messages(engine, told, self._holding, _LONGEST_LOOK)
        self._learnt = Learnt(catalogue.permitted_names())
        self._selection = Selection(engine, catalogue, self._learnt)
        self.canary = Canary()

    def covers(self, host: str) -> bool:
        """Is this an AI service's host?"""
        return self._selection.covers(host, 443)

    async def tls_clienthello(self, data: ClientHelloData) -> None:
        """A connection begins."""
        await self._selection.begin(data)

    async def tls_failed_client(self, data: TlsData) -> None:
        """A client does not accept our certificate."""
        await self._selection.rejected(data)

    def client_connected(self, _client: Client) -> None:
        """A client has come."""
        if self._meter is not None:
            self._meter.connected()

    def client_disconnected(self, client: Client) -> None:
        """A client has gone; nobody need answer for it."""
        if self._meter is not None:
            self._meter.disconnected()
        self._holding.leave(client.id)

    def requestheaders(self, flow: HTTPFlow) -> None:
        """Decide by the headers alone whether this is an upload to an AI service."""
        self.canary.break_on(flow)
        if flow.response or flow.error:
            return
        guarded = [
            name for name in framing.names(flow) if self._selection.covers(name, flow.request.port)
        ]
        if not guarded:
            clearance.clear_anything(flow)
            flow.request.stream = True
            return
        destination = asked.find(flow, guarded, self._catalogue, self._learnt)
        if destination is None:
            clearance.clear_anything(flow)
            flow.request.stream = True
            return
        flow.metadata[asked.DESTINATION] = destination
        flow.metadata[asked.WORKSPACE] = asked.workspace(flow, destination, guarded, self._learnt)
        flow.metadata[asked.TURN] = self._engine.pieces.begin(destination, flow.request.path)
        clearance.cap(flow, self._engine.largest_held)
        length = asked.declared_length(flow)
        ambiguous = framing.ambiguity(flow)
        if ambiguous is not None:
            self._refuse(flow, destination, Cause.AMBIGUOUS_REQUEST, ambiguous)
        elif length > self._engine.largest_upload:
            self._too_large(flow, destination)
        elif length:
            piece = self._engine.pieces.said(asked.headers(flow), flow.request.path, length)
            if piece is not None:
                self._order.begin(flow, f"{framing.client(flow)} {piece.upload}")
            elif length >= _LARGE and asked.carries_bytes(destination):
                flowing.may_flow(flow, length)

    def upload_too_large(self, flow: HTTPFlow) -> None:
        """A body whose length was not declared has grown past the cap."""
        self._too_large(flow, flow.metadata[asked.DESTINATION])

    async def upload_begins(self, flow: HTTPFlow) -> None:
        """Decide by the beginning of a large body whether it can be cleaned while it flows."""
        destination: Destination = flow.metadata[asked.DESTINATION]
        head, total = flowing.head(flow)
        passage = await asyncio.to_thread(self._engine.flow, asked.upload(flow, head), total)
        if passage is None:
            if total > self._engine.largest_held:
                self._too_large(flow, destination)
            return
        if passage.waits is not None:
            name = destination.service.name
            how = await self._holding.answer_before(flow, name, passage.waits)
            refusal = await asyncio.to_thread(passage.admit, how)
            if refusal is not None:
                self._answer(flow, destination, Outcome(refusal=refusal, pictures=1))
                return
        for name, value in passage.headers.items():
            flow.request.headers[name] = value
        if passage.path is not None:
            flow.request.path = passage.path
        flowing.let_flow(flow, passage)

    async def upload_ends(self, flow: HTTPFlow) -> None:
        """Record the end of a body that flowed, and let the last of it go."""
        passage = flowing.passage_of(flow)
        if passage is None:
            return
        try:
            last = await asyncio.to_thread(passage.finish)
        except StoppedError as error:
            flowing.stop(flow, error.refusal)
            return
        flowing.release(flow, last)
        if self._meter is not None:
            self._meter.looked(passage.destination, asked.declared_length(flow), None)
        warnings = tuple(sorted(passage.decision.because))
        self._told(passage.destination, Outcome(b"", None, 1, passage.found, warnings))

    def upload_stopped(self, flow: HTTPFlow) -> None:
        """Say why a body must not flow on."""
        destination: Destination = flow.metadata[asked.DESTINATION]
        self._answer(flow, destination, Outcome(refusal=flowing.refusal(flow)))

    def request(self, flow: HTTPFlow) -> Awaitable[None] | None:
        """Judge the whole body, and clear exactly what may leave. What takes no time is not waited
        for."""
        self.canary.break_on(flow)
        destination = asked.destination(flow)
        if destination is None or flow.response or flow.error:
            return None
        if flow.request.trailers:
            reason = "It has fields behind its body."
            self._refuse(flow, destination, Cause.AMBIGUOUS_REQUEST, reason)
            return None
        body = flow.request.raw_content or b""
        upload = asked.upload(flow, body)
        if asked.has_long_head(flow):
            return self._judge(flow, destination, upload)
        if not self._engine.concerns(upload):
            clearance.clear(flow)
            return None
        begun = time.perf_counter()
        # To have so little looked at by another thread takes longer than to look.
        if self._engine.is_plain(upload):
            self._looked(destination, body, begun)
            clearance.clear(flow)
            return None
        return self._judge(flow, destination, upload)

    async def _judge(self, flow: HTTPFlow, destination: Destination, upload: Upload) -> None:
        body = upload.body
        await self._order.turn(flow, lambda: self._engine.pieces.is_next(upload))
        begun = time.perf_counter()
        # Walking a large body takes a while, and so does a sync of the disk.
        async with asyncio.timeout(_LONGEST_LOOK):
            loop = asyncio.get_running_loop()
            outcome = await loop.run_in_executor(self._looking, self._engine.process, upload)
        self._looked(destination, body, begun)
        if outcome.waits is not None:
            self._order.ask(flow)
            how = await self._holding.answer(flow, destination.service.name, outcome.waits)
            outcome = await asyncio.to_thread(self._engine.released, upload, outcome, how)
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
        clearance.clear(flow)
        if outcome.pictures:
            self._told(destination, outcome)

    def responseheaders(self, flow: HTTPFlow) -> None:
        """Answers pass as they come, save those that say where an upload is to go."""
        self._end(flow)
        if flow.response is None or flow.response.status_code == 101:
            return
        flow.response.stream = not asked.names_addresses(flow)
        if asked.DESTINATION in flow.metadata and "alt-svc" in flow.response.headers:
            # HTTP/3 would go past this proxy.
            del flow.response.headers["alt-svc"]

    def response(self, flow: HTTPFlow) -> None:
        """Learn where the service wants the picture, and what it calls the upload."""
        self._end(flow)
        destination = asked.destination(flow)
        if destination is None or flow.response is None or not asked.names_addresses(flow):
            return
        answer = flow.response.get_content(strict=False) or b""
        workspace = flow.metadata[asked.WORKSPACE]
        self._learnt.learn(destination.service, answer.decode("utf-8", "replace"), workspace)
        question = flow.request.get_content(strict=False) or b""
        self._engine.pieces.announced(destination, question, answer)

    async def error(self, flow: HTTPFlow) -> None:
        """A connection broke off."""
        self._end(flow, lost=True)
        passage = flowing.passage_of(flow)
        if passage is not None:
            await asyncio.to_thread(passage.abandon)

    async def websocket_message(self, flow: HTTPFlow) -> None:
        """Judge a message, or what several make up; what no verdict lets through stays here."""
        if flow.websocket is None:
            return
        message = flow.websocket.messages[-1]
        destination = asked.destination(flow)
        if destination is None or not message.from_client:
            message.dropped = False
            return
        await self._messages.take(flow, asked.upload(flow, b""), message)

    async def websocket_quiet(self, flow: HTTPFlow) -> None:
        """A client whose messages are held back is silent."""
        await self._messages.look(flow, asked.upload(flow, b""))

    def websocket_end(self, flow: HTTPFlow) -> None:
        """A connection is over."""
        self._messages.end(flow)

    def _looked(self, destination: Destination, body: bytes, begun: float) -> None:
        if self._meter is not None:
            self._meter.looked(destination, len(body), time.perf_counter() - begun)

    def _end(self, flow: HTTPFlow, *, lost: bool = False) -> None:
        """A piece is answered, or its connection is `lost`: others may have waited for that."""
        self._order.end(flow)
        turn: Turn | None = flow.metadata.get(asked.TURN)
        if turn is not None:
            self._engine.pieces.end(turn, lost=lost)

    def _too_large(self, flow: HTTPFlow, destination: Destination) -> None:
        """Answer an upload that is not looked at for its size, or let it stream if the policy says
        so."""
        held, allowed = self._engine.largest_held, self._engine.largest_upload
        what = "the largest upload your policy allows"
        if asked.declared_length(flow) <= allowed and held < allowed:
            what = "more than can be looked at as a whole, and it cannot be cleaned on its way"
        reason = f"It is larger than {min(held, allowed) / 1_000_000:g} MB, {what}."
        outcome = self._engine.too_large(destination, reason, asked.declared_length(flow) or None)
        if outcome.refusal is None:
            clearance.clear_anything(flow)
            flow.request.stream = True
            self._told(destination, outcome)
        else:
            self._answer(flow, destination, outcome)

    def _refuse(self, flow: HTTPFlow, destination: Destination, cause: Cause, reason: str) -> None:
        self._answer(flow, destination, self._engine.refuse(destination, cause, reason))

    def _answer(self, flow: HTTPFlow, destination: Destination, outcome: Outcome) -> None:
        if outcome.refusal is not None:
            self._end(flow)
            flow.response = replies.refusal(flow.request, outcome.refusal)
            self._told(destination, outcome)

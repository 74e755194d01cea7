"""Phones' tunnels: a WireGuard server for each phone, and what comes through it.

Through a tunnel come look-ups of names and connections to AI services, which are handled as if the
phone had asked the proxy for them. Nothing else is passed on.
"""

from __future__ import annotations

import asyncio
import logging
import struct
from functools import partial
from typing import TYPE_CHECKING

import mitmproxy_rs
from mitmproxy import ctx
from mitmproxy.http import Response
from mitmproxy.proxy.layers import modes
from mitmproxy.proxy.mode_servers import ProxyConnectionHandler

from safelight import phones
from safelight.phones import HOME, PhonesError
from safelight.proxy.framing import IDENTITY
from safelight.proxy.names import NameService, StandIns

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mitmproxy.connection import Client
    from mitmproxy.http import HTTPFlow
    from mitmproxy.proxy.mode_servers import ServerInstance
    from mitmproxy.proxy.mode_specs import RegularMode
    from mitmproxy_rs import Stream
    from mitmproxy_rs.wireguard import WireGuardServer

    from safelight.phones import Phone

logger = logging.getLogger(__name__)

_INTERVAL = 1.0  # seconds
_QUIET = 10.0  # seconds
_QUIET_PORT = 1.0  # seconds; resolvers take a new one for each look-up, or nearly
_DNS, _HTTP = 53, 80
_PLAIN = {"content-type": "text/plain; charset=utf-8"}
_ANYWHERE = "0.0.0.0"  # noqa: S104 - only who has a key gets an answer


class Tunnels:
    """Keeps the tunnels of the phones in the file at `path`; `covers` tells AI services' hosts."""

    def __init__(self, path: Path, covers: Callable[[str], bool]) -> None:
        self._path = path
        self._covers = covers
        self._identities: dict[str, str] = {}
        self._open: dict[tuple[str, Phone], WireGuardServer] = {}
        self._said: set[str] = set()
        self._watching: asyncio.Task[None] | None = None

    def requestheaders(self, flow: HTTPFlow) -> None:
        """Say whose request it is."""
        known = self._identities.get(flow.client_conn.id)
        if known is not None:
            flow.metadata[IDENTITY] = known
        self._lead_nowhere(flow)

    def http_connect(self, flow: HTTPFlow) -> None:
        """Who asks for a tunnel in the tunnel gets none."""
        self._lead_nowhere(flow)

    def client_disconnected(self, client: Client) -> None:
        """Forget whose connection it was."""
        self._identities.pop(client.id, None)

    def start(self, instance: ServerInstance[RegularMode]) -> None:
        """Let phones in; what they send is handled as by mitmproxy's `instance`."""
        self._watching = asyncio.create_task(self._watch(instance))

    def close(self) -> None:
        """Let no phone in any more."""
        if self._watching is not None:
            self._watching.cancel()
        for server in self._open.values():
            server.close()
        self._open.clear()

    def _lead_nowhere(self, flow: HTTPFlow) -> None:
        """Where the proxy's own pages are, phones find those and no proxy."""
        client = flow.client_conn
        if client.id in self._identities and client.sockname == (HOME, _HTTP) and not flow.response:
            flow.response = Response.make(404, b"There is nothing here.\n", _PLAIN)

    async def _watch(self, instance: ServerInstance[RegularMode]) -> None:
        while True:
            await self._look(instance)
            await asyncio.sleep(_INTERVAL)

    async def _look(self, instance: ServerInstance[RegularMode]) -> None:
        """Open tunnels of phones that were added, close those of phones that were removed."""
        try:
            household = phones.read(self._path)
        except PhonesError as error:
            self._say("phones-rejected", f"The phones stay as they were: {error}")
            return
        wanted = {(household.private_key, one) for one in household.phones} if household else set()
        for gone in self._open.keys() - wanted:
            self._open.pop(gone).close()
        for private, phone in wanted - self._open.keys():
            # A phone that asks for more names than there are addresses is alone with that.
            names = NameService(self._covers, StandIns())
            try:
                self._open[private, phone] = await mitmproxy_rs.wireguard.start_wireguard_server(
                    _ANYWHERE,
                    phone.port,
                    private,
                    [phone.public_key],
                    partial(self._connected, instance, phone, names),
                    partial(_datagrams, names),
                )
            except (OSError, ValueError) as error:
                what = f"The phone {phone.name} cannot connect to port {phone.port}: {error}."
                self._say("phone-port-taken", what)

    def _say(self, event: str, what: str) -> None:
        if what not in self._said:
            self._said.add(what)
            logger.error(what, extra={"event": event})

    async def _connected(
        self,
        instance: ServerInstance[RegularMode],
        phone: Phone,
        names: NameService,
        stream: Stream,
    ) -> None:
        host, port = stream.get_extra_info("sockname")
        service = names.stand_ins.host(host)
        if (host, port) == (HOME, _DNS):
            await _names_over_tcp(names, stream)
            return
        if service is None and (host, port) != (HOME, _HTTP):
            _close(stream)
            return
        handler = ProxyConnectionHandler(ctx.master, stream, stream, ctx.options, instance.mode)
        context = handler.layer.context
        context.client.peername = (phone.address, stream.get_extra_info("peername")[1])
        if service is None:
            handler.layer = modes.HttpProxy(context)
        else:
            context.server.address = (service, port)
            handler.layer = modes.TransparentProxy(context)
        self._identities[context.client.id] = phone.identity
        with instance.manager.register_connection(context.client.id, handler):
            await handler.handle_client()


async def _datagrams(names: NameService, stream: Stream) -> None:
    try:
        if stream.get_extra_info("sockname") != (HOME, _DNS):
            return
        while query := await asyncio.wait_for(stream.read(65_535), _QUIET_PORT):
            answer = await names.answer(query)
            if answer is not None:
                stream.write(answer)
                await stream.drain()
    except (OSError, TimeoutError):
        pass
    finally:
        _close(stream)


async def _names_over_tcp(names: NameService, stream: Stream) -> None:
    """RFC 7766: each message behind its length."""
    received = b""
    try:
        while data := await asyncio.wait_for(stream.read(65_535), _QUIET):
            received += data
            while len(received) >= 2:
                [length] = struct.unpack("!H", received[:2])
                if len(received) < 2 + length:
                    break
                answer = await names.answer(received[2 : 2 + length], tcp=True)
                received = received[2 + length :]
                if answer is None:
                    return
                stream.write(struct.pack("!H", len(answer)) + answer)
                await stream.drain()
    except (OSError, TimeoutError):
        pass
    finally:
        _close(stream)


def _close(stream: Stream) -> None:
    stream.close()  # type: ignore[no-untyped-call]

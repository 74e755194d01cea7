"""Names for phones: AI services get stand-in addresses, by which a phone sends them through its
tunnel. All other names are looked up where this machine looks up its own.

Where an AI service is told of in another way than by an A record, a phone would go past the tunnel:
so there are no IPv6 addresses of them, and no HTTPS records (RFC 9460), which could also hold a key
to hide the name (ECH) or an offer of HTTP/3.
"""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
import struct
from typing import TYPE_CHECKING

import mitmproxy_rs

from safelight.phones import STAND_INS
from safelight.proxy import queries
from safelight.proxy.queries import QueryError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from safelight.proxy.resolve import Address

# Firefox and Apple's devices ask for these whether they may look names up elsewhere.
_ELSEWHERE = {"use-application-dns.net", "mask.icloud.com", "mask-h2.icloud.com"}
_KEPT = 60  # seconds
_PATIENCE = 3.0  # seconds
# Each takes a socket. Devices ask again for what gets no answer.
_MOST_AT_ONCE = 100


class StandIns:
    """Which stand-in address is which host's, for as long as the proxy runs."""

    def __init__(self) -> None:
        self._hosts: dict[int, str] = {}
        self._addresses: dict[str, int] = {}
        # An address that a phone remembers from an earlier run should not be another's by now.
        self._next = secrets.randbelow(STAND_INS.num_addresses)

    def address(self, host: str) -> ipaddress.IPv4Address:
        """The host's address."""
        number = self._addresses.get(host)
        if number is None:
            number = self._next
            self._next = (number + 1) % STAND_INS.num_addresses
            self._addresses.pop(self._hosts.get(number, ""), None)
            self._hosts[number], self._addresses[host] = host, number
        return STAND_INS[number]

    def host(self, address: str) -> str | None:
        """Whose address this is; None where it is nobody's."""
        found = ipaddress.ip_address(address)
        if not isinstance(found, ipaddress.IPv4Address) or found not in STAND_INS:
            return None
        return self._hosts.get(int(found) - int(STAND_INS[0]))


def _own_servers() -> list[Address]:
    """Where this machine looks names up."""
    return [(server, 53) for server in mitmproxy_rs.dns.get_system_dns_servers()]


class NameService:
    """Answers with stand-ins for hosts that `covers` says are AI services'; for others `servers`
    are asked, one after the other, of too many at once about none."""

    def __init__(
        self,
        covers: Callable[[str], bool],
        stand_ins: StandIns,
        servers: Callable[[], Sequence[Address]] = _own_servers,
    ) -> None:
        self.stand_ins = stand_ins
        self._covers = covers
        self._servers = servers
        self._on_their_way = 0

    async def answer(self, query: bytes, *, tcp: bool = False) -> bytes | None:
        """The answer to a query (RFC 1035 section 4.1); None where it is none, or there are too
        many."""
        try:
            asked = queries.parse(query)
        except QueryError:
            return None
        if not asked.question:
            return asked.answer(code=queries.NOTIMP)
        if asked.name in _ELSEWHERE:
            return asked.answer(code=queries.NXDOMAIN)
        if self._covers(asked.name):
            if asked.kind != queries.A:
                return asked.answer()
            return asked.answer(self.stand_ins.address(asked.name), ttl=_KEPT)
        if self._on_their_way >= _MOST_AT_ONCE:
            return None
        self._on_their_way += 1
        try:
            answer = await self._ask_elsewhere(query, tcp=tcp)
        finally:
            self._on_their_way -= 1
        return answer or asked.answer(code=queries.SERVFAIL)

    async def _ask_elsewhere(self, query: bytes, *, tcp: bool) -> bytes | None:
        for server in self._servers():
            try:
                async with asyncio.timeout(_PATIENCE):
                    answer = await (_over_tcp if tcp else _over_udp)(server, query)
            except (OSError, TimeoutError, asyncio.IncompleteReadError):
                continue
            if answer[:2] == query[:2]:
                return answer
        return None


async def _over_tcp(server: Address, query: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(*server)
    try:
        writer.write(struct.pack("!H", len(query)) + query)
        [length] = struct.unpack("!H", await reader.readexactly(2))
        return await reader.readexactly(length)
    finally:
        writer.close()


async def _over_udp(server: Address, query: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[bytes] = loop.create_future()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: _Answer(answered), remote_addr=server
    )
    try:
        transport.sendto(query)
        return await answered
    finally:
        transport.close()


class _Answer(asyncio.DatagramProtocol):
    """Takes the first datagram that comes from the server; each query has a socket of its own."""

    def __init__(self, answered: asyncio.Future[bytes]) -> None:
        self._answered = answered

    def datagram_received(self, data: bytes, _: object) -> None:
        if not self._answered.done():
            self._answered.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self._answered.done():
            self._answered.set_exception(exc)

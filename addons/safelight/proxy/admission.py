"""Who may connect, and whose connection it is: an open proxy is everybody's tool."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from safelight.proxy import proxy_protocol
from safelight.proxy.proxy_protocol import HeaderError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from safelight.proxy.incoming import Incoming, Pieces
    from safelight.proxy.proxy_protocol import Address

type Network = ipaddress.IPv4Network | ipaddress.IPv6Network
type IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

logger = logging.getLogger(__name__)

# This machine, and the networks of homes and companies: RFC 1918, 4193, 3927 and 4291.
PRIVATE = tuple(
    map(
        ipaddress.ip_network,
        (
            *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"),
            *("::1/128", "fc00::/7", "fe80::/10"),
        ),
    )
)
_LONGEST_HEADER = 5  # seconds
_QUIET = 1.0  # seconds without anybody
_LONGEST_NOTICE = 4.0  # seconds
_MOST_TOLD = 100  # strangers


@dataclass(frozen=True, slots=True)
class Networks:
    """Clients from `clients` are let in. Connections from `balancers` say first for whom they are;
    these must be clients, too."""

    clients: tuple[Network, ...] = PRIVATE
    balancers: tuple[Network, ...] = ()


class Admission:
    """Stands before `serve`, which takes a connection's reader and writer."""

    def __init__(
        self,
        networks: Networks,
        serve: Callable[[asyncio.StreamReader | Pieces, asyncio.StreamWriter], Awaitable[None]],
    ) -> None:
        self._networks = networks
        self._serve = serve
        self._strangers: set[str] = set()
        self._last_came = 0.0

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Let a connection in, or close it without an answer."""
        self._last_came = time.monotonic()
        peer = writer.get_extra_info("peername")
        client: Address | None = (str(peer[0]), int(peer[1])) if peer else None
        pieces = cast("Incoming", writer.transport.get_protocol()).pieces
        if client is not None and self.is_balancer(client[0]):
            try:
                told = await asyncio.wait_for(_header(reader), _LONGEST_HEADER)
            except (HeaderError, OSError, TimeoutError, asyncio.IncompleteReadError):
                writer.close()
                return
            if told is not None:
                client = told
                writer = _From(reader, writer, told)
        if client is None or not self._is_client(client[0]):
            writer.close()
            return
        await self._serve(pieces or reader, writer)

    def is_balancer(self, address: str) -> bool:
        """Will a connection from there say first for whom it is?"""
        return is_in(address, self._networks.balancers)

    async def left(self) -> None:
        """Return when balancers seem to know that they are to send nobody any more. A connection
        that they have made, and nobody has accepted, would be lost."""
        begun = time.monotonic()
        while self._networks.balancers and time.monotonic() - begun < _LONGEST_NOTICE:
            if time.monotonic() - max(begun, self._last_came) >= _QUIET:
                return
            await asyncio.sleep(_QUIET / 10)

    def _is_client(self, address: str) -> bool:
        if is_in(address, self._networks.clients):
            return True
        if address not in self._strangers and len(self._strangers) < _MOST_TOLD:
            self._strangers.add(address)
            logger.warning(
                "Somebody at %s may not use this proxy. If that is one of your devices, start it "
                "with --clients %s.",
                address,
                address,
                extra={"event": "stranger-refused"},
            )
        return False


async def _header(reader: asyncio.StreamReader) -> Address | None:
    begin = await reader.readexactly(len(proxy_protocol.SIGNATURE))
    if begin == proxy_protocol.SIGNATURE:
        fixed = begin + await reader.readexactly(proxy_protocol.FIXED_V2 - len(begin))
        rest = await reader.readexactly(proxy_protocol.length_v2(fixed))
        return proxy_protocol.parse_v2(fixed, rest)
    if not begin.startswith(proxy_protocol.BEGINS_V1):
        raise HeaderError("there is none")
    line = bytearray(begin)
    while not line.endswith(b"\r\n"):
        if len(line) >= proxy_protocol.LONGEST_V1:
            raise HeaderError("the line does not end")
        # Nothing behind the line may be read here.
        line += await reader.readexactly(1)
    return proxy_protocol.parse_v1(bytes(line))


class _From(asyncio.StreamWriter):
    """The writer of a connection that a balancer made for somebody else."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, client: Address
    ) -> None:
        transport = writer.transport
        loop = asyncio.get_running_loop()
        super().__init__(transport, transport.get_protocol(), reader, loop)
        self._client = client
        # The first writer closes the connection when it is forgotten.
        self._first = writer

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - as asyncio's
        """As usual, but for who is at the other end."""
        return self._client if name == "peername" else super().get_extra_info(name, default)


def is_in(address: str, networks: tuple[Network, ...]) -> bool:
    """Is this address, as a socket tells it, in one of them?"""
    try:
        found: IpAddress = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return any(map(partial(_holds, mapped or found), networks))


def _holds(address: IpAddress, network: Network) -> bool:
    return address.version == network.version and address in network

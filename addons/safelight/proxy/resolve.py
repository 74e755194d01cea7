"""Send connections for one host and port to another address, as curl's --resolve does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mitmproxy.proxy.server_hooks import ServerConnectionHookData

type Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Resolution:
    """Connections to `wanted` go to `actual`; TLS still checks for the wanted name."""

    wanted: Address
    actual: Address


class ResolveError(ValueError):
    """The text is not HOST:PORT=ADDR:PORT."""


def parse(text: str) -> Resolution:
    """Read HOST:PORT=ADDR:PORT; an IPv6 address stands in brackets. Raises ResolveError."""
    wanted, equals, actual = text.partition("=")
    if not equals:
        raise ResolveError(f"{text!r} is not of the form HOST:PORT=ADDR:PORT")
    return Resolution(parse_address(wanted.lower()), parse_address(actual))


def parse_address(text: str) -> Address:
    """Read ADDR:PORT; an IPv6 address stands in brackets. Raises ResolveError."""
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if host.startswith("[") else host
    bare_ipv6 = ":" in host and not text.startswith("[")
    valid_port = port.isascii() and port.isdigit() and int(port) < 65536
    if not colon or not host or not valid_port or bare_ipv6:
        raise ResolveError(f"{text!r} is not of the form ADDR:PORT")
    try:
        host.encode("idna")
    except UnicodeError as error:
        raise ResolveError(f"{host!r} is no address and no name") from error
    return host, int(port)


class Resolver:
    """The hooks that redirect connections, for trials where a local program plays a service."""

    def __init__(self, resolutions: Iterable[Resolution]) -> None:
        self._actual = {one.wanted: one.actual for one in resolutions}
        self._wanted: dict[str, Address] = {}

    def server_connect(self, data: ServerConnectionHookData) -> None:
        """Put the actual address in before the connection is opened."""
        wanted = data.server.address
        if wanted is None or (wanted[0].lower(), wanted[1]) not in self._actual:
            return
        self._wanted[data.server.id] = (wanted[0], wanted[1])
        data.server.address = self._actual[wanted[0].lower(), wanted[1]]

    def server_connected(self, data: ServerConnectionHookData) -> None:
        """Put the wanted address back: mitmproxy finds connections to reuse by it."""
        self._restore(data)

    def server_connect_error(self, data: ServerConnectionHookData) -> None:
        """Put the wanted address back, also for the message about the failure."""
        self._restore(data)

    def _restore(self, data: ServerConnectionHookData) -> None:
        wanted = self._wanted.pop(data.server.id, None)
        if wanted is not None:
            # mitmproxy forbids assigning it on an open connection, for want of a reason to.
            data.server.__dict__["address"] = wanted

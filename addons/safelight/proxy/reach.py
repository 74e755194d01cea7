"""Where connections may lead: for others than this machine's own programs, not back to it.

What listens on 127.0.0.1 trusts that only this machine's programs can ask it, and what has an
address of the link alone (RFC 3927, RFC 4291), such as a cloud's machine that hands out
credentials, trusts in the same way. A proxy for a network would be a way around that.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from typing import TYPE_CHECKING

from mitmproxy import ctx

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mitmproxy.proxy.server_hooks import ServerConnectionHookData

    from safelight.proxy.resolve import Address, Resolution

_WHY = "this proxy does not lead to the machine that it runs on"


class Reach:
    """The hooks that keep connections out. Where `resolutions` lead, everybody may go."""

    def __init__(self, resolutions: Iterable[Resolution]) -> None:
        self._meant = {end for one in resolutions for end in (one.wanted, one.actual)}

    def server_connect(self, data: ServerConnectionHookData) -> None:
        """Open none to an address that is this machine's."""
        if self._is_barred(data, data.server.address):
            data.server.error = _WHY

    def server_connected(self, data: ServerConnectionHookData) -> None:
        """A name led there: send nothing."""
        if self._is_barred(data, data.server.peername):
            handler = ctx.master.addons.get("proxyserver").connections[data.client.id]
            handler.transports[data.server].writer.transport.abort()

    def _is_barred(self, data: ServerConnectionHookData, target: Address | None) -> bool:
        client, wanted = data.client.peername, data.server.address
        if client is None or target is None or is_near(client[0]) or not is_near(target[0]):
            return False
        return self._meant.isdisjoint((host, port) for host, port, *_ in (target, wanted or target))


def is_near(host: str) -> bool:
    """Is this an address, in any spelling, of this machine or of a link?"""
    name = host.lower().rstrip(".").partition("%")[0]
    if name == "localhost" or name.endswith(".localhost"):  # RFC 6761 section 6.3
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        with contextlib.suppress(OSError, ValueError):
            # 127.1, 2130706433 and 0x7f.1 are the same for whoever connects.
            return is_near(socket.inet_ntoa(socket.inet_aton(name)))
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_link_local or address.is_unspecified

"""A mitmproxy of our own: only the addons needed, options that nobody's file can change."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mitmproxy import options
from mitmproxy.addons import block, core, disable_h2c, next_layer, proxyserver
from mitmproxy.master import Master

from safelight.proxy import bulk, dispatch, guard
from safelight.proxy.resolve import Resolver
from safelight.proxy.tls import SniOnlyTlsConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from safelight.proxy.canary import Canary
    from safelight.proxy.gate import Gate
    from safelight.proxy.resolve import Address, Resolution

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StartError(Exception):
    """The proxy cannot start; the text says why."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where to listen, where the authority lives, which roots origins are checked against."""

    listen: Address
    state: Path
    roots: Path
    resolutions: Sequence[Resolution] = ()


async def serve(settings: Settings, gate: Gate, ready: Callable[[Address], None]) -> None:
    """Run until SIGINT or SIGTERM; `ready` hears the address. Raises StartError."""
    guard.install()
    bulk.install()
    dispatch.install()
    host, port = settings.listen
    master = Master(options.Options(listen_host=host, listen_port=port))
    server = proxyserver.Proxyserver()
    starting = _Starting(master, server, gate.canary, ready)
    master.addons.add(
        core.Core(),
        block.Block(),
        disable_h2c.DisableH2C(),
        server,
        next_layer.NextLayer(),
        SniOnlyTlsConfig(),
        Resolver(settings.resolutions),
        gate,
        starting,
    )
    master.options.update(
        confdir=str(settings.state),
        ssl_verify_upstream_trusted_ca=str(settings.roots),
        upstream_cert=False,
        connection_strategy="lazy",
        rawtcp=False,
        validate_inbound_headers=True,
    )
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, master.shutdown)
    try:
        await master.run()
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
    _raise_if_never_started(server, settings.listen)
    if starting.failed:
        raise StartError(
            "An upload passed although its check broke. Safelight does not start like this: "
            "please reinstall it, and report this if it happens again."
        )


class _Starting:
    """Says when connections are accepted; ends the run when they cannot be, or when an upload
    whose check breaks is let through."""

    def __init__(
        self,
        master: Master,
        server: proxyserver.Proxyserver,
        canary: Canary,
        ready: Callable[[Address], None],
    ) -> None:
        self._master = master
        self._server = server
        self._canary = canary
        self._ready = ready
        self.failed = False

    async def running(self) -> None:
        """Called once the listener was set up, or was not."""
        addresses = self._server.listen_addrs()
        if not addresses:
            self._master.shutdown()
            return
        host, port, *_ = addresses[0]
        if await self._canary.is_refused((host, port)):
            self._ready((host, port))
        else:
            self.failed = True
            self._master.shutdown()


def _raise_if_never_started(server: proxyserver.Proxyserver, listen: Address) -> None:
    for instance in server.servers:
        if instance.last_exception is not None:
            host, port = listen
            reason = getattr(instance.last_exception, "strerror", None)
            raise StartError(
                f"Cannot listen on {host}:{port}: {reason or instance.last_exception}."
            )

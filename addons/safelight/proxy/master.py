"""A mitmproxy of our own: only the addons needed, options that nobody's file can change."""

from __future__ import annotations

import asyncio
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from mitmproxy import options
from mitmproxy.addons import block, core, disable_h2c, next_layer, proxyserver
from mitmproxy.master import Master

from safelight.proxy import backpressure, bulk, guard, lean, listening, shortcut
from safelight.proxy.admission import Admission
from safelight.proxy.chaining import Chaining
from safelight.proxy.draining import Draining
from safelight.proxy.hooks import HookCalls
from safelight.proxy.incoming import Incoming
from safelight.proxy.memory import Memory
from safelight.proxy.own_pages import OwnPages
from safelight.proxy.reach import Reach
from safelight.proxy.resolve import Resolver
from safelight.proxy.tls import SniOnlyTlsConfig, can_call_back
from safelight.proxy.tunnels import Tunnels
from safelight.proxy.users import Users

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from mitmproxy.proxy.mode_servers import AsyncioServerInstance
    from mitmproxy.proxy.mode_specs import RegularMode

    from safelight.proxy.admission import Networks
    from safelight.proxy.canary import Canary
    from safelight.proxy.chaining import UpstreamProxy
    from safelight.proxy.gate import Gate
    from safelight.proxy.resolve import Resolution
    from safelight.users import UserList


# How long a thread that looks at an upload may keep the event loop waiting once it has something
# to do; Python's 5 ms add up, since the loop gives its turn away with each read and each write.
_LONGEST_TURN = 0.0005  # seconds


class StartError(Exception):
    """The proxy cannot start; the text says why."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where connections come from, where the authority lives and which of its files people trust,
    the hosts it is for, which roots origins are checked against, who may connect
    who has to log in, the file of the phones that come through WireGuard, and the proxy through
    which all connections go on."""

    listener: socket.socket
    state: Path
    certificate: Path
    patterns: Sequence[str]
    roots: Path
    networks: Networks
    resolutions: Sequence[Resolution] = ()
    users: UserList | None = None
    phones: Path | None = None
    upstream: UpstreamProxy | None = None


async def serve(
    settings: Settings, gate: Gate, ready: Callable[[], None], leaving: Callable[[], None]
) -> None:
    """Run until SIGINT, or SIGTERM, which lets what is on its way be answered first; `ready` is
    called when all can connect, `leaving` when nobody can any more. Raises StartError."""
    if not can_call_back():
        raise StartError(
            "This system forbids memory that is written first and executed then, without which no "
            "connection to an AI service can be opened. With systemd: MemoryDenyWriteExecute=no."
        )
    backpressure.install()
    bulk.install()
    shortcut.install()
    sys.setswitchinterval(_LONGEST_TURN)
    # Until the canary was refused, only it can connect.
    master = _Master(options.Options(listen_host="127.0.0.1", listen_port=0))
    guard.install(master.calls.began)
    lean.install(master)
    server = proxyserver.Proxyserver()
    tunnels = Tunnels(settings.phones, gate.covers) if settings.phones else None
    starting = _Starting(master, server, gate.canary, settings, tunnels, ready)
    draining = Draining()
    port: int = settings.listener.getsockname()[1]
    master.addons.add(
        core.Core(),
        block.Block(),
        disable_h2c.DisableH2C(),
        server,
        next_layer.NextLayer(),
        SniOnlyTlsConfig(),
        *([Chaining(settings.upstream)] if settings.upstream else []),
        Resolver(settings.resolutions),
        # What is found behind the company's own proxy is that one's to decide.
        *([] if settings.upstream else [Reach(settings.resolutions)]),
        OwnPages(settings.certificate, settings.patterns),
        *([Users(settings.users, port)] if settings.users else []),
        *([tunnels] if tunnels else []),
        gate,
        starting,
        draining,
        Memory(),
    )
    master.options.update(
        mode=[settings.upstream.mode if settings.upstream else "regular"],
        confdir=str(settings.state),
        ssl_verify_upstream_trusted_ca=str(settings.roots),
        upstream_cert=False,
        connection_strategy="lazy",
        rawtcp=False,
        validate_inbound_headers=True,
    )
    ending: set[asyncio.Task[None]] = set()

    async def drain() -> None:
        leaving()
        await starting.left()
        starting.close()
        await draining.drained()
        master.should_exit.set()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, master.shutdown)
    loop.add_signal_handler(signal.SIGTERM, lambda: ending.add(loop.create_task(drain())))
    try:
        await master.run()
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
        for task in ending:
            task.cancel()
    if starting.failed:
        raise StartError(
            "An upload passed although its check broke. Safelight does not start like this: "
            "please reinstall it, and report this if it happens again."
        )


class _Master(Master):
    def __init__(self, opts: options.Options) -> None:
        super().__init__(opts)
        self.addons = self.calls = HookCalls(self)


class _Starting:
    """Opens the proxy to everybody once an upload whose check breaks was refused; else ends the
    run."""

    def __init__(
        self,
        master: Master,
        server: proxyserver.Proxyserver,
        canary: Canary,
        settings: Settings,
        tunnels: Tunnels | None,
        ready: Callable[[], None],
    ) -> None:
        self._master = master
        self._server = server
        self._canary = canary
        self._networks = settings.networks
        self._admission: Admission | None = None
        self._listener = settings.listener
        self._tunnels = tunnels
        self._ready = ready
        self._public: asyncio.Server | None = None
        self.failed = False

    async def running(self) -> None:
        """Called once mitmproxy's own listener was set up, or was not."""
        addresses = self._server.listen_addrs()
        try:
            refused = bool(addresses) and await self._canary.is_refused(addresses[0][:2])
        except Exception:  # noqa: BLE001 - whatever it is, nobody is let in
            refused = False
        if refused:
            await self._open()
        else:
            self.failed = True
            self._master.shutdown()

    async def left(self) -> None:
        """Return when nobody is sent here any more."""
        if self._admission is not None:
            await self._admission.left()

    def close(self) -> None:
        """Let nobody connect any more."""
        if self._public is not None:
            self._public.close()
        if self._tunnels is not None:
            self._tunnels.close()

    async def _open(self) -> None:
        [instance] = self._server.servers
        serve = cast("Callable[..., Awaitable[None]]", instance.handle_stream)
        self._admission = admission = Admission(self._networks, serve)
        self._public = await asyncio.get_running_loop().create_server(
            lambda: Incoming(admission.connected, admission.is_balancer),
            sock=self._listener,
            backlog=listening.BACKLOG,
        )
        # mitmproxy can only open sockets itself.
        servers = cast("AsyncioServerInstance[RegularMode]", instance)._servers  # noqa: SLF001
        servers.pop().close()
        servers.append(self._public)
        if self._tunnels is not None:
            self._tunnels.start(instance)
        self._ready()

"""Past the layers that led to a tunnel.

A client asks for a tunnel by CONNECT, over HTTP/1. From then on, mitmproxy hands each piece that
comes through it, and each that is sent, through ten generators which leave it as it is: a third of
the time that a small request takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from mitmproxy.proxy import commands, events, server
from mitmproxy.proxy.layers.http import HttpLayer, HttpStream, _http1
from mitmproxy.proxy.layers.tls import TLSLayer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mitmproxy.proxy.context import Context
    from mitmproxy.proxy.layer import CommandGenerator, Layer


class Shortcut:
    """Takes the place of `whole`, the outermost of a connection's layers. Anything but the bytes in
    the tunnel still goes all the way, so that each layer knows what it has to."""

    def __init__(self, whole: Layer) -> None:
        self._whole = whole
        self._tunnel: tuple[HttpLayer, HttpStream] | None = None
        self._over = False

    @property
    def context(self) -> Context:
        """That of the outermost layer."""
        return self._whole.context

    def handle_event(self, event: events.Event) -> CommandGenerator[None]:
        """As the outermost layer does."""
        if self._tunnel is not None and isinstance(event, events.DataReceived):
            yield from self._through(*self._tunnel, event)
            return
        yield from self._whole.handle_event(event)
        if isinstance(event, events.ConnectionClosed) and event.connection is self.context.client:
            self._tunnel, self._over = None, True
        elif self._tunnel is None and not self._over:
            self._tunnel = next(_tunnels(self._whole), None)

    def _through(
        self, outer: HttpLayer, stream: HttpStream, event: events.Event
    ) -> CommandGenerator[None]:
        inner = cast("Layer", stream.child_layer)
        for command in inner.handle_event(event):
            if isinstance(command, commands.SendData | commands.Log):
                yield command
                continue
            # As if the layer inside had only said this.
            stream.child_layer = _Saying(command)  # type: ignore[assignment]
            try:
                yield from outer.event_to_child(stream, event)
            finally:
                stream.child_layer = inner


class _Saying:
    def __init__(self, command: commands.Command) -> None:
        self._command = command

    def handle_event(self, _: events.Event) -> CommandGenerator[None]:
        yield self._command


def _tunnels(whole: Layer) -> Iterator[tuple[HttpLayer, HttpStream]]:
    """The tunnel that was opened, and the layer that it was asked of. Where the way to the proxy is
    encrypted itself, what comes through the tunnel cannot be taken from it."""
    for outer in whole.context.layers:
        if isinstance(outer, TLSLayer):
            return
        if isinstance(outer, HttpLayer) and isinstance(
            outer.connections.get(whole.context.client), _http1.Http1Server
        ):
            for stream in outer.streams.values():
                asked = stream.child_layer is not None and stream.flow.request.method == "CONNECT"
                if asked and stream.flow.response and stream.flow.response.status_code == 200:
                    yield outer, stream
            return


def install() -> None:
    """Put this in mitmproxy's place."""
    handle = server.ConnectionHandler.handle_client

    async def handle_client(handler: server.ConnectionHandler) -> None:
        handler.layer = Shortcut(handler.layer)  # type: ignore[assignment]
        await handle(handler)

    server.ConnectionHandler.handle_client = handle_client  # type: ignore[method-assign, assignment]

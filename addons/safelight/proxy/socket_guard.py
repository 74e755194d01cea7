"""Default deny for WebSocket messages: what no hook allowed stays here.

mitmproxy relays a message whenever its hook raises, and `kill` does not stop it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import wsproto.events
from mitmproxy.proxy import commands
from mitmproxy.proxy.events import Wakeup
from mitmproxy.proxy.layers import websocket as websocket_layers

if TYPE_CHECKING:
    from collections.abc import Generator

    from mitmproxy import http
    from mitmproxy.proxy import events, layer
    from mitmproxy.websocket import WebSocketData

_PASSAGE = "safelight.messages"
_POLICY_VIOLATION = 1008  # RFC 6455 section 7.4.1


@dataclass
class WebsocketQuietHook(commands.StartHook):
    """A client whose messages are held back was silent for a while. The addon answers with
    `pass_on`."""

    flow: http.HTTPFlow


@dataclass(frozen=True, slots=True)
class Passage:
    """Messages that may leave, each with whether it is text, in place of the one that came. Then
    the connection ends, or the addon is asked again after `wait` seconds of silence."""

    messages: tuple[tuple[bytes, bool], ...]
    ends: bool
    wait: float | None


def pass_on(flow: http.HTTPFlow, passage: Passage) -> None:
    """Say what leaves in place of the client's message that a hook was called for."""
    flow.metadata[_PASSAGE] = passage


class GuardedWebsocketLayer(websocket_layers.WebsocketLayer):
    """A WebSocket relay that passes on no message of the client's without clearance."""

    _awaited: commands.RequestWakeup | None = None

    def relay_messages(self, event: events.Event) -> layer.CommandGenerator[None]:
        """As in mitmproxy, but a message is dropped unless the hook allowed it."""
        if isinstance(event, Wakeup):
            if event.command is self._awaited:
                self.flow.metadata.pop(_PASSAGE, None)
                yield WebsocketQuietHook(self.flow)
                yield from self._pass_on()
            return
        steps = super().relay_messages(event)
        reply = None
        while True:
            try:
                command = steps.send(reply)
            except StopIteration:
                return
            if not isinstance(command, websocket_layers.WebsocketMessageHook):
                reply = yield command
                continue
            messages = cast("WebSocketData", self.flow.websocket).messages
            message = messages[-1]
            message.dropped = message.from_client
            self.flow.metadata.pop(_PASSAGE, None)
            reply = yield command
            # mitmproxy would keep every message for as long as the connection lives.
            messages.clear()
            if message.from_client and message.dropped and not (yield from self._pass_on()):
                steps.close()
                return

    def done(self, event: events.Event) -> layer.CommandGenerator[None]:
        """As in mitmproxy, but somebody may still have asked to be woken."""
        if not isinstance(event, Wakeup):
            yield from super().done(event)

    def _pass_on(self) -> Generator[commands.Command, None, bool]:
        """Let leave what the hook said; False when the connection ends."""
        self._awaited = None
        passage = self.flow.metadata.pop(_PASSAGE, None)
        if not isinstance(passage, Passage):
            yield from self._end()
            return False
        for content, is_text in passage.messages:
            yield self.server_ws.send2(
                wsproto.events.TextMessage(content.decode())
                if is_text
                else wsproto.events.BytesMessage(content)
            )
        if passage.ends:
            yield from self._end()
        elif passage.wait is not None:
            self._awaited = commands.RequestWakeup(passage.wait)
            yield self._awaited
        return not passage.ends

    def _end(self) -> layer.CommandGenerator[None]:
        """Close both sides: a chat that waits for an answer to a dropped message would hang."""
        close = wsproto.events.CloseConnection(_POLICY_VIOLATION, "Stopped by Safelight.")
        for side in (self.client_ws, self.server_ws):
            yield side.send2(close)
            yield commands.CloseConnection(side.conn)
        yield websocket_layers.WebsocketEndHook(self.flow)
        self.flow.live = False
        self._handle_event = self.done

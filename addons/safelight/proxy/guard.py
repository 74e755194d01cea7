"""Default deny, below mitmproxy's addon layer.

mitmproxy forwards the original whenever a hook raises, is skipped or never called. The streams
here refuse to open a connection to the origin, and to relay a WebSocket message, unless the
engine cleared exactly these bytes before.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from mitmproxy.proxy import commands
from mitmproxy.proxy.layers import http as http_layers
from mitmproxy.proxy.layers import websocket as websocket_layers
from mitmproxy.proxy.layers.http import _events as http_events
from mitmproxy.proxy.layers.http import _hooks as http_hooks
from mitmproxy.proxy.layers.http import _http2

from safelight.passage import HEAD, StoppedError
from safelight.proxy import clearance, flowing, replies
from safelight.proxy.http1 import GuardedHttp1Server, JoiningHttp1Client
from safelight.proxy.socket_guard import GuardedWebsocketLayer

if TYPE_CHECKING:
    from collections.abc import Callable

    from mitmproxy import http
    from mitmproxy.proxy import events, layer


@dataclass
class UploadTooLargeHook(commands.StartHook):
    """A body grew past its cap. The addon sets `flow.response`, or clears it and lets it stream."""

    flow: http.HTTPFlow


class GuardedHttpStream(http_layers.HttpStream):
    """An HTTP stream that reaches no origin without clearance. `began` calls those who listen to a
    hook, and says whether nobody has to be waited for."""

    began: Callable[[commands.StartHook], bool]

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        """As in mitmproxy, but a hook that is done at once does not go through all layers, there
        and back, and an answer set by the headers hook is given at once."""
        steps = super()._handle_event(event)
        reply = None
        while True:
            try:
                command = steps.send(reply)
            except StopIteration:
                return
            # What a layer inside this one waits for is answered to that one.
            own_hook = isinstance(command, commands.StartHook) and command.blocking is True
            reply = None if own_hook and self.began(command) else (yield command)
            headed = own_hook and isinstance(command, http_hooks.HttpRequestHeadersHook)
            if headed and self.flow.response and not self.flow.error:
                steps.close()
                head = cast("http_events.RequestHeaders", event)
                yield from self._answer(body_ended=head.end_stream)
                return

    def state_consume_request_body(self, event: events.Event) -> layer.CommandGenerator[None]:
        """As in mitmproxy, but of a body that grows past its cap no more is kept."""
        largest = clearance.cap_of(self.flow)
        added = event.data if isinstance(event, http_events.RequestData) else b""
        if largest is not None and len(self.request_body_buf) + len(added) > largest:
            yield UploadTooLargeHook(self.flow)
            yield from self._go_on(bytes(self.request_body_buf) + added)
            return
        asked = flowing.is_asked_for(self.flow)
        yield from super().state_consume_request_body(event)
        if asked and len(self.request_body_buf) >= HEAD:
            yield from self._begin_to_flow()

    def _begin_to_flow(self) -> layer.CommandGenerator[None]:
        begun = bytes(self.request_body_buf)
        flowing.show_head(self.flow, begun)
        yield flowing.UploadBeginsHook(self.flow)
        flowing.show_head(self.flow, b"")
        if self.flow.response or self.flow.request.stream:
            yield from self._go_on(begun)

    def _go_on(self, begun: bytes) -> layer.CommandGenerator[None]:
        """Let a body of which `begun` has come flow if that was allowed, or answer at once."""
        self.request_body_buf.clear()
        if self.flow.response or not self.flow.request.stream:
            yield from self._answer(body_ended=False)
            return
        yield from self.start_request_stream()
        if self.client_state == self.state_stream_request_body:
            event = http_events.RequestData(self.stream_id, begun)
            yield from self.state_stream_request_body(event)

    def state_stream_request_body(self, event: events.Event) -> layer.CommandGenerator[None]:
        """As in mitmproxy, but a guarded body flows through its passage or not at all."""
        passage = flowing.passage_of(self.flow)
        if passage is None:
            yield from super().state_stream_request_body(event)
        elif isinstance(event, http_events.RequestData):
            try:
                clean = passage.feed(event.data)
            except Exception as error:  # noqa: BLE001 - whatever it is, nothing more may leave
                if isinstance(error, StoppedError):
                    flowing.stop(self.flow, error.refusal)
                yield from self._stop_flowing(body_ended=False)
                return
            if clean:
                data = http_events.RequestData(self.stream_id, clean)
                yield http_layers.SendHttp(data, self.context.server)
        else:
            yield flowing.UploadEndsHook(self.flow)
            last = flowing.last_of(self.flow)
            if last is None or isinstance(event, http_events.RequestTrailers):
                yield from self._stop_flowing(body_ended=True)
                return
            data = http_events.RequestData(self.stream_id, last)
            yield http_layers.SendHttp(data, self.context.server)
            self.flow.request.timestamp_end = time.time()
            self.client_state = self.state_done
            end = http_events.RequestEndOfMessage(self.stream_id)
            yield http_layers.SendHttp(end, self.context.server)
            if self.server_state == self.state_done:
                yield from self.flow_done()

    def _stop_flowing(self, *, body_ended: bool) -> layer.CommandGenerator[None]:
        """Break the upload off at the service; tell the client why, if nobody answered it yet."""
        unanswered = self.server_state == self.state_wait_for_response_headers
        yield flowing.UploadStoppedHook(self.flow)
        broken = http_events.RequestProtocolError(
            self.stream_id, "stopped by Safelight", http_events.ErrorCode.CANCEL
        )
        yield http_layers.SendHttp(broken, self.context.server)
        if unanswered:
            yield from self._answer(body_ended=body_ended)
            return
        cut = http_events.ResponseProtocolError(
            self.stream_id, "stopped by Safelight", http_events.ErrorCode.CANCEL
        )
        yield http_layers.SendHttp(cut, self.context.client)
        self.flow.live = False
        self.client_state = self.server_state = self.state_errored
        yield http_layers.DropStream(self.stream_id)

    def make_server_connection(self) -> layer.CommandGenerator[bool]:
        """The one door to the origin; every request passes it before its first byte leaves."""
        if not clearance.is_cleared(self.flow):
            yield from self._answer(body_ended=True)
            return False
        return (yield from super().make_server_connection())

    def _answer(self, *, body_ended: bool) -> layer.CommandGenerator[None]:
        """Send `flow.response`, or that there was no verdict, and end the stream."""
        response = self.flow.response or replies.refusal(self.flow.request, flowing.NO_VERDICT)
        self.flow.response = response
        self.flow.live = False
        self.client_state = self.server_state = self.state_errored
        client = self.context.client
        content = response.raw_content or b""
        headers = http_events.ResponseHeaders(self.stream_id, response, end_stream=False)
        yield http_layers.SendHttp(headers, client)
        yield http_layers.SendHttp(http_events.ResponseData(self.stream_id, content), client)
        yield http_layers.SendHttp(http_events.ResponseEndOfMessage(self.stream_id), client)
        if not body_ended:
            yield from self._stop_http2_upload()
        yield http_layers.DropStream(self.stream_id)

    def _stop_http2_upload(self) -> layer.CommandGenerator[None]:
        """RFC 9113 section 8.1: after an early answer, NO_ERROR asks the client to stop sending.

        Without it the connection's other streams suffer. On HTTP/1 the rest is read and dropped.
        """
        position = self.context.layers.index(self)
        parent = cast("http_layers.HttpLayer", self.context.layers[position - 1])
        connection = parent.connections[self.context.client]
        if isinstance(connection, _http2.Http2Server) and not connection.is_closed(self.stream_id):
            connection.h2_conn.reset_stream(self.stream_id, 0)
            yield commands.SendData(self.context.client, connection.h2_conn.data_to_send())


def install(began: Callable[[commands.StartHook], bool] = lambda _: False) -> None:
    """Put the guarded layers in mitmproxy's place; it looks them up when it makes a stream."""
    GuardedHttpStream.began = staticmethod(began)
    http_layers.HttpStream = GuardedHttpStream  # type: ignore[misc]
    http_layers.Http1Server = GuardedHttp1Server  # type: ignore[attr-defined]
    http_layers.Http1Client = JoiningHttp1Client  # type: ignore[attr-defined]
    websocket_layers.WebsocketLayer = GuardedWebsocketLayer  # type: ignore[misc]

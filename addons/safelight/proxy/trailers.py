"""Requests with fields behind the body are answered, where mitmproxy would hang."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mitmproxy.proxy import commands
from mitmproxy.proxy.layers.http import _base, _http1
from mitmproxy.proxy.layers.http import _events as http_events

if TYPE_CHECKING:
    from mitmproxy.proxy import events, layer


class GuardedHttp1Server(_http1.Http1Server):
    """An HTTP/1 connection that answers requests with trailers, where mitmproxy would hang."""

    def read_body(self, event: events.Event) -> layer.CommandGenerator[None]:
        """As in mitmproxy, which raises NotImplementedError for trailers (RFC 9112 7.1.2)."""
        try:
            yield from super().read_body(event)
        except NotImplementedError:
            self.state = self.done
            yield commands.SendData(self.conn, _NO_TRAILERS)
            yield commands.CloseConnection(self.conn)
            error = http_events.RequestProtocolError(
                self.stream_id,
                "trailers are not passed on",
                http_events.ErrorCode.GENERIC_CLIENT_ERROR,
            )
            yield _base.ReceiveHttp(error)


_NO_TRAILERS = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 63\r\n"
    b"Connection: close\r\n\r\n"
    b"Safelight does not pass on requests with fields behind the body"
)

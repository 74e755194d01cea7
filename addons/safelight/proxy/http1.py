"""HTTP/1 connections whose clients get an answer where mitmproxy would wait, hang or hang up."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from h11._readers import ChunkedReader, ContentLengthReader
from mitmproxy.proxy import commands
from mitmproxy.proxy.events import ConnectionClosed, DataReceived, Wakeup
from mitmproxy.proxy.layers.http import _base, _http1
from mitmproxy.proxy.layers.http import _events as http_events

if TYPE_CHECKING:
    from mitmproxy.proxy import events, layer

LARGEST_HEAD = 1 << 18  # bytes; browsers send a few kB, services take 8 to 64
MOST_FIELDS = 1000
_LONGEST_CHUNK_LINE = 1 << 14  # bytes
_SHORT_BODY = 1 << 13  # bytes
_INTERIM, _SWITCHING = range(100, 200), 101
_BLANK_LINE = re.compile(rb"\n\r?\n")
_EMPTY_LINES = re.compile(rb"(?:\r?\n)+")


class GuardedHttp1Server(_http1.Http1Server):
    """As in mitmproxy, but what cannot become a request that may be passed on is answered, and no
    more of it is read."""

    def send(self, event: _base.HttpEvent) -> layer.CommandGenerator[None]:
        """As in mitmproxy, which takes `100 Continue` for the answer and then has none left for an
        error (RFC 9110 15.2)."""
        yield from super().send(event)
        if isinstance(event, http_events.ResponseHeaders) and event.response.status_code == 100:
            self.response = None

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        """As in mitmproxy, where what is sure to be of the body is copied four times first."""
        if (
            isinstance(event, DataReceived)
            and self.state == self.read_body
            and isinstance(self.body_reader, ContentLengthReader)
            and not self.buf
            and len(event.data) < self.body_reader._remaining  # noqa: SLF001
        ):
            self.body_reader._remaining -= len(event.data)  # noqa: SLF001
            yield _base.ReceiveHttp(http_events.RequestData(self.stream_id, event.data))
        elif not isinstance(event, Wakeup):
            yield from super()._handle_event(event)
        elif self.state == self.read_headers:
            yield from self._read_head(DataReceived(self.conn, b""))

    def read_headers(self, event: events.ConnectionEvent) -> layer.CommandGenerator[None]:
        """As in mitmproxy, but what came behind a request is looked at once all layers are done
        with the answer to that one: the connection to the service is not ready for another yet."""
        if isinstance(event, DataReceived) and not event.data:
            yield commands.RequestWakeup(0)
            return
        yield from self._read_head(event)

    def _read_head(self, event: events.ConnectionEvent) -> layer.CommandGenerator[None]:
        """As in mitmproxy, which waits for the end of any head, however long (RFC 6585 5), and
        for more behind an empty line, although a request may follow it (RFC 9112 2.2)."""
        if isinstance(event, DataReceived):
            begun = bytes(self.buf)
            if (empty := _EMPTY_LINES.match(begun)) is not None:
                self.buf.maybe_extract_at_most(empty.end())
                begun = begun[empty.end() :]
            ends = _BLANK_LINE.search(begun)
            size = ends.end() if ends else len(begun)
            if begun[:1] not in b"\r\n" and self.buf.is_next_line_obviously_invalid_request_line():
                yield from self._refuse(400, "This is not HTTP")
                return
            if size > LARGEST_HEAD or begun.count(b"\n", 0, size) > MOST_FIELDS:
                yield from self._refuse(431, "The header fields of this request are too large")
                return
        yield from super().read_headers(event)

    def read_body(self, event: events.Event) -> layer.CommandGenerator[None]:
        """As in mitmproxy, which raises NotImplementedError for trailers (RFC 9112 7.1.2) and hangs
        up on chunks that are none."""
        steps = super().read_body(event)
        try:
            for command in steps:
                hangs_up = isinstance(command, commands.CloseConnection) and not self.request_done
                if hangs_up and isinstance(event, DataReceived):
                    steps.close()
                    yield from self._break_off("The body of this request cannot be read")
                    return
                yield command
        except NotImplementedError:
            yield from self._break_off(
                "Safelight does not pass on requests with fields behind the body"
            )
            return
        reading = self.state == self.read_body and isinstance(self.body_reader, ChunkedReader)
        # All but the lines between chunks was taken out of the buffer.
        if reading and len(self.buf) > _LONGEST_CHUNK_LINE:
            yield from self._break_off("A chunk of this request begins with too long a line")

    def _break_off(self, why: str) -> layer.CommandGenerator[None]:
        yield from self._refuse(400, why)
        code = http_events.ErrorCode.GENERIC_CLIENT_ERROR
        error = http_events.RequestProtocolError(self.stream_id, why, code)
        yield _base.ReceiveHttp(error)

    def _refuse(self, status: int, why: str) -> layer.CommandGenerator[None]:
        """Answer, or hang up if an answer is already on its way."""
        self.state = self._drop
        if self.response is None:
            yield commands.SendData(self.conn, _answer(status, why))
        else:
            yield commands.CloseConnection(self.conn)

    def _drop(self, event: events.Event) -> layer.CommandGenerator[None]:
        """Who still sends when the connection closes may never see the answer (RFC 9112 9.6)."""
        self.buf.maybe_extract_at_most(len(self.buf))
        if isinstance(event, ConnectionClosed):
            yield commands.CloseConnection(self.conn)


class JoiningHttp1Client(_http1.Http1Client):
    """As in mitmproxy, but a short body leaves with its head: whatever is sent goes through a dozen
    layers and is encrypted by itself. And what a service says before its answer is none."""

    _head = b""

    def send(self, event: _base.HttpEvent) -> layer.CommandGenerator[None]:
        """Send the head of a request with what comes behind it at once, unless that takes time."""
        holds = (
            isinstance(event, http_events.RequestHeaders)
            and not event.end_stream
            and not event.request.stream
        )
        for command in super().send(event):
            if holds and isinstance(command, commands.SendData):
                self._head += command.data
                continue
            if self._head:
                head, self._head = self._head, b""
                if isinstance(command, commands.SendData) and len(command.data) <= _SHORT_BODY:
                    yield commands.SendData(self.conn, head + command.data)
                    continue
                yield commands.SendData(self.conn, head)
            yield command

    def read_headers(self, event: events.ConnectionEvent) -> layer.CommandGenerator[None]:
        """As in mitmproxy, which takes `103 Early Hints` and a `100 Continue` that nobody asked for
        for the answer (RFC 9110 15.2). By HTTP/2 it passes them over as well."""
        while True:
            steps = super().read_headers(event)
            for command in steps:
                if _is_interim(command):
                    steps.close()
                    self.response = None
                    break
                yield command
            else:
                return


def _is_interim(command: commands.Command) -> bool:
    """Does it hand on a head behind which the answer is still to come?"""
    if not isinstance(command, _base.ReceiveHttp):
        return False
    event = command.event
    return isinstance(event, http_events.ResponseHeaders) and (
        event.response.status_code in _INTERIM and event.response.status_code != _SWITCHING
    )


def _answer(status: int, why: str) -> bytes:
    reason = {400: "Bad Request", 431: "Request Header Fields Too Large"}[status]
    return (
        f"HTTP/1.1 {status} {reason}\r\nContent-Type: text/plain\r\nContent-Length: {len(why)}\r\n"
        f"Connection: close\r\n\r\n{why}"
    ).encode()

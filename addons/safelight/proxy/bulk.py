"""Bodies in few, large steps: each piece of a body costs a walk through a dozen of mitmproxy's
layers, whatever its size.

mitmproxy reads at most 64 kB at once, and encrypts a body as one whole into a buffer that OpenSSL
grows by copying it. Here pieces are up to 256 kB, which is what the loop takes from a socket.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, cast

from mitmproxy.connection import ConnectionState
from mitmproxy.proxy import commands, events, server
from mitmproxy.proxy.layers import tls
from OpenSSL import SSL
from OpenSSL.SSL import _ffi, _lib  # type: ignore[attr-defined]

from safelight.proxy.turnstile import Turnstile

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mitmproxy.connection import Connection
    from mitmproxy.proxy.layer import CommandGenerator

    type _Handle = Callable[[server.ConnectionHandler, Connection], Awaitable[None]]

PIECE = 1 << 18  # bytes
_SMALL = 1 << 14  # bytes
_RECORD = 1 << 14  # bytes; RFC 8446 section 5.1
# Encrypted, a piece is longer by 22 bytes or a few more for each record of 16 kB.
_SIZE = PIECE + (PIECE >> 8) + _RECORD
# What OpenSSL writes to, before it becomes bytes: for one connection after the other.
_BUFFER = _ffi.new("char[]", _SIZE)


class _LargeReads:
    """A stream of which one read gives up to `PIECE` bytes, much at once only in its turn."""

    def __init__(self, stream: asyncio.StreamReader, turnstile: Turnstile) -> None:
        self._stream = stream
        self._turnstile = turnstile

    async def read(self, _: int) -> bytes:
        data = await self._stream.read(PIECE)
        if len(data) > _SMALL:
            await self._turnstile.turn()
        return data


def _with_large_reads(turnstile: Turnstile) -> _Handle:
    """mitmproxy's `handle_connection`, but more is read at once, and in turns; and where it is told
    to end while it waits to say that the other side has left, the connection is closed as well."""
    handle = server.ConnectionHandler.handle_connection

    async def handle_connection(handler: server.ConnectionHandler, connection: Connection) -> None:
        transport = handler.transports[connection]
        stream = cast("asyncio.StreamReader", transport.reader)
        transport.reader = cast("asyncio.StreamReader", _LargeReads(stream, turnstile))
        writer = transport.writer
        if isinstance(writer, asyncio.StreamWriter):
            # Whatever is written leaves at once: by itself uvloop sends it when all else is done
            # that the loop has to do at the moment, while the other side waits.
            writer.transport.set_write_buffer_limits(high=0)
        try:
            await handle(handler, connection)
        except asyncio.CancelledError:
            if writer is not None and not writer.is_closing():
                writer.close()
            raise

    return handle_connection


def _receive(layer: tls.TLSLayer, data: bytes) -> CommandGenerator[None]:
    """As mitmproxy's `receive_data`, but what was decrypted is copied once, not twice."""
    if data:
        layer.tls.bio_write(data)
    pieces: list[bytes] = []
    filled = 0
    closed = False
    while True:
        count: int = _lib.SSL_read(layer.tls._ssl, _BUFFER + filled, _SIZE - filled)  # noqa: SLF001
        if count > 0:
            filled += count
            if _SIZE - filled < _RECORD:
                pieces.append(_ffi.buffer(_BUFFER, filled)[:])
                filled = 0
            continue
        try:
            layer.tls._raise_ssl_error(layer.tls._ssl, count)  # noqa: SLF001
        except SSL.WantReadError:
            pass
        except SSL.ZeroReturnError:
            closed = True
        except SSL.Error as error:
            yield commands.Log(f"TLS Error: {error}", logging.WARNING)
        break
    pieces.append(_ffi.buffer(_BUFFER, filled)[:])
    yield from layer.tls_interact()
    content = b"".join(pieces)
    if content:
        yield from layer.event_to_child(events.DataReceived(layer.conn, content))
    if closed:
        layer.conn.state &= ~ConnectionState.CAN_READ
        yield from layer.event_to_child(events.ConnectionClosed(layer.conn))


def _send_in_pieces(layer: tls.TLSLayer, data: bytes) -> CommandGenerator[None]:
    """As mitmproxy's `send_data`, but no more than a piece is encrypted at once, and a piece with
    one call of OpenSSL's, not with one for each record."""
    _lib.SSL_clear_mode(layer.tls._ssl, _lib.SSL_MODE_ENABLE_PARTIAL_WRITE)  # noqa: SLF001
    view = memoryview(data)
    for start in range(0, len(view), PIECE):
        try:
            layer.tls.sendall(view[start : start + PIECE])
        except (SSL.ZeroReturnError, SSL.SysCallError):
            # The other side has left; mitmproxy drops what was for it too.
            return
        yield from layer.tls_interact()


def _interact(layer: tls.TLSLayer) -> CommandGenerator[None]:
    """As mitmproxy's `tls_interact`, but more is taken at once."""
    while True:
        count: int = _lib.BIO_read(layer.tls._from_ssl, _BUFFER, _SIZE)  # noqa: SLF001
        if count <= 0:
            return
        yield commands.SendData(layer.conn, _ffi.buffer(_BUFFER, count)[:])


def install() -> None:
    """Put these in mitmproxy's place."""
    handle = _with_large_reads(Turnstile())
    server.ConnectionHandler.handle_connection = handle  # type: ignore[method-assign, assignment]
    tls.TLSLayer.receive_data = _receive  # type: ignore[method-assign, assignment]
    tls.TLSLayer.send_data = _send_in_pieces  # type: ignore[method-assign, assignment]
    tls.TLSLayer.tls_interact = _interact  # type: ignore[method-assign, assignment]

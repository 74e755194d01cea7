"""What clients send, handed on in the pieces in which it came: asyncio makes a stream of them, for
which each byte is copied twice.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    type Connected = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

_MOST_WAITING = 1 << 19  # bytes; one piece has up to 256 kB


class Pieces:
    """Those of one connection that nobody has taken yet. While too many wait, none is received."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._paused = False
        self._ended = False
        self._error: Exception | None = None
        self._wake: asyncio.Future[None] | None = None

    def add(self, piece: bytes) -> None:
        """This has come."""
        self._waiting.append(piece)
        self._size += len(piece)
        if self._size > _MOST_WAITING and not self._paused:
            self._paused = True
            self._transport.pause_reading()
        self._wake_up()

    def end(self, error: Exception | None = None) -> None:
        """Nothing will come any more."""
        self._ended = True
        self._error = self._error or error
        self._wake_up()

    async def read(self, _: int = -1) -> bytes:
        """The next piece, of whatever size; b"" at the end. Raises what ended the connection."""
        while not self._waiting:
            if self._error is not None:
                raise self._error
            if self._ended:
                return b""
            self._wake = asyncio.get_running_loop().create_future()
            await self._wake
        piece = self._waiting.popleft()
        self._size -= len(piece)
        if self._paused and self._size <= _MOST_WAITING:
            self._paused = False
            self._transport.resume_reading()
        return piece

    def _wake_up(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)


class Incoming(asyncio.StreamReaderProtocol):
    """A connection that somebody made. `pieces` are what comes, unless it comes as a stream, of
    which the beginning has to be read byte by byte."""

    def __init__(self, connected: Connected, is_stream: Callable[[str], bool]) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(asyncio.StreamReader(loop=loop), connected, loop)
        self._is_stream = is_stream
        self.pieces: Pieces | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """As asyncio calls it."""
        peer = transport.get_extra_info("peername")
        if not (peer and self._is_stream(str(peer[0]))):
            self.pieces = Pieces(cast("asyncio.Transport", transport))
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """As asyncio calls it."""
        if self.pieces is None:
            super().data_received(data)
        else:
            self.pieces.add(data)

    def eof_received(self) -> bool | None:
        """As asyncio calls it."""
        if self.pieces is not None:
            self.pieces.end()
        return super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """As asyncio calls it."""
        if self.pieces is not None:
            self.pieces.end(exc)
        super().connection_lost(exc)

"""TLS for who sends and takes a lot: encrypted in memory, and given to the system in large pieces.

A socket of `ssl` sends each record of 16 kB by itself, and asks twice for each that it takes.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import socket

_PIECE = 1 << 18  # bytes


class Secure:
    """A connection over `plain`, as its server unless it is for a `host`."""

    def __init__(
        self, plain: socket.socket, context: ssl.SSLContext, host: str | None = None
    ) -> None:
        self._plain = plain
        self._coming, self._going = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._coming, self._going, server_side=host is None, server_hostname=host
        )
        self._ended = False
        self._room = memoryview(bytearray(_PIECE))
        while not self._is_agreed():
            self._take()
        self._give()

    def sendall(self, data: bytes) -> None:
        """Send all of it."""
        view = memoryview(data)
        for start in range(0, len(view), _PIECE):
            self._tls.write(view[start : start + _PIECE])
            self._give()

    def recv_into(self, buffer: memoryview) -> int:
        """Take what has come, up to as much as there is room for; 0 at the end."""
        while not (filled := self._read(buffer)) and not self._ended:
            self._take()
        return filled

    def recv(self, size: int) -> bytes:
        """The same, as bytes of its own."""
        room = self._room[:size]
        return bytes(room[: self.recv_into(room)])

    def close(self) -> None:
        """End the connection."""
        self._plain.close()

    def _read(self, buffer: memoryview) -> int:
        filled = 0
        try:
            while filled < len(buffer):
                filled += cast("int", self._tls.read(len(buffer) - filled, buffer[filled:]))
        except ssl.SSLWantReadError:
            pass
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            self._ended = True
        return filled

    def _is_agreed(self) -> bool:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._give()
            return False
        return True

    def _give(self) -> None:
        if self._going.pending:
            self._plain.sendall(self._going.read())

    def _take(self) -> None:
        data = self._plain.recv(_PIECE)
        if data:
            self._coming.write(data)
        else:
            self._coming.write_eof()

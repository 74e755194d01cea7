"""A client that costs little: blocking sockets, so that threads wait inside OpenSSL."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_PATIENCE = 120  # seconds
_HTTPS = 443


@dataclass(frozen=True, slots=True)
class Route:
    """A way to `host`: connect to `address`, there CONNECT to `tunnel` unless that is empty, and
    trust `root` alone."""

    host: str
    address: tuple[str, int]
    tunnel: str
    root: Path

    @property
    def authority(self) -> str:
        """What a request names as its host: Squid bumps no connection to another port than that
        (RFC 9110 section 7.2)."""
        port = int(self.tunnel.rpartition(":")[2]) if self.tunnel else self.address[1]
        return self.host if port == _HTTPS else f"{self.host}:{port}"


class Line:
    """One connection along a route, from an address of this machine: of several workers, each has
    clients of its own."""

    def __init__(self, route: Route, source: str = "127.0.0.1") -> None:
        plain = socket.create_connection(route.address, _PATIENCE, (source, 0))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if route.tunnel:
            plain.sendall(
                f"CONNECT {route.tunnel} HTTP/1.1\r\nHost: {route.tunnel}\r\n\r\n".encode()
            )
            answer = b""
            while b"\r\n\r\n" not in answer:
                answer += _some(plain)
            if b" 200" not in answer.partition(b"\r\n")[0]:
                raise ConnectionError(answer.decode(errors="replace"))
        self._secure = _context(route.root).wrap_socket(plain, server_hostname=route.host)
        self._authority = route.authority

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._secure.close()

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: str = ""
    ) -> tuple[int, bytes]:
        """Send one request, of which `headers` are whole lines; its status and what came back."""
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        head = self._head(method, path, length + headers)
        if len(body) < 1 << 16:
            self._secure.sendall(head + body)
        else:
            self._secure.sendall(head)
            self._secure.sendall(body)
        return self._answer()

    def put(self, path: str, length: int, pieces: Iterable[bytes]) -> tuple[int, bytes]:
        """Upload a body of `length` bytes that is never here as a whole."""
        self._secure.sendall(self._head("PUT", path, f"Content-Length: {length}\r\n"))
        for piece in pieces:
            self._secure.sendall(piece)
        return self._answer()

    def _head(self, method: str, path: str, headers: str) -> bytes:
        return f"{method} {path} HTTP/1.1\r\nHost: {self._authority}\r\n{headers}\r\n".encode()

    def _answer(self) -> tuple[int, bytes]:
        came = b""
        while b"\r\n\r\n" not in came:
            came += _some(self._secure)
        head, _, content = came.partition(b"\r\n\r\n")
        _, found, length = head.lower().partition(b"content-length:")
        size = int(length.split(b"\r\n", 1)[0]) if found else 0
        while len(content) < size:
            content += _some(self._secure)
        return int(head.split(b" ", 2)[1]), content


def _some(source: socket.socket) -> bytes:
    data = source.recv(1 << 16)
    if not data:
        raise ConnectionError("the connection ended before the answer did")
    return data


@cache
def _context(root: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(root))

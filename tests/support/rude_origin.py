"""A TLS server that misbehaves: it resets, hangs, stops half way or answers early."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import struct
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import trustme

type Manner = Callable[[ssl.SSLSocket], None]


def head_of(connection: ssl.SSLSocket) -> bytes:
    """Read one request's head, and what came with it."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(65536)
        if not piece:
            return received
        received += piece
    return received


def resets(connection: ssl.SSLSocket) -> None:
    """Break off while a body comes."""
    head_of(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def says_nothing(connection: ssl.SSLSocket) -> None:
    """Read until the other side leaves."""
    while connection.recv(65536):
        pass


def answers_half(connection: ssl.SSLSocket) -> None:
    """Promise more than comes."""
    head_of(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")


def answers_early(connection: ssl.SSLSocket) -> None:
    """Refuse at the head of a request and close."""
    head_of(connection)
    answer = b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    connection.sendall(answer)


def answers_at_last(connection: ssl.SSLSocket) -> None:
    """Say other things before the answer, some of them at once with it."""
    head_of(connection)
    connection.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n")
    time.sleep(0.1)
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 5000 + answer)
    while connection.recv(65536):
        pass


def sends_back(connection: ssl.SSLSocket) -> None:
    """Answer with the body as it comes, and read no more of it than was sent back."""
    head, _, body = head_of(connection).partition(b"\r\n\r\n")
    [length] = re.findall(rb"(?i)content-length: *([0-9]+)", head)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: " + length + b"\r\n\r\n" + body)
    while piece := connection.recv(65536):
        connection.sendall(piece)


def answers_nonsense_at_once(connection: ssl.SSLSocket) -> None:
    """Neither read all of a request nor answer it, and leave in the next packet."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.recv(10)
    connection.sendall(b"\x00\x01\x02 not HTTP at all\r\n\r\n")


def speaks_no_http(connection: ssl.SSLSocket) -> None:
    """Answer with something else."""
    head_of(connection)
    connection.sendall(b"\x00\x01\x02 not HTTP at all\r\n\r\n")


@contextlib.contextmanager
def listening(
    authority: trustme.CA, host: str, folder: Path, manner: Manner
) -> Iterator[tuple[str, int]]:
    """The address of a server for `host` that treats each connection in this manner."""
    certificate = authority.issue_cert(host)
    pem = folder / "rude.pem"
    certificate.private_key_and_cert_chain_pem.write_to_path(str(pem))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(str(pem))
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(plain: socket.socket) -> None:
        with contextlib.suppress(OSError), context.wrap_socket(plain, server_side=True) as secure:
            manner(secure)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                plain, _ = listener.accept()
                threading.Thread(target=serve, args=(plain,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[:2]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)

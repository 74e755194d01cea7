"""A fast TLS service as a process of its own: it says how much came and, if asked, its digest.

`python -m tests.load.origin CERTIFICATE KEY` prints `ready PORT`. A request with `x-digest` is
answered with the SHA-256 of its body in hex, every other with the body's length in bytes.
HTTP/1.1 with declared lengths only.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import socket
import ssl
import sys
import threading

_BACKLOG = 1024
_READ = 1 << 18  # bytes
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_DIGEST = re.compile(rb"\r\nx-digest:", re.IGNORECASE)


def serve(certificate: str, key: str) -> None:
    """Answer for ever; a thread for each connection, which spends its time in OpenSSL."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listener = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
    print(f"ready {listener.getsockname()[1]}", flush=True)
    while True:
        plain, _ = listener.accept()
        threading.Thread(target=_converse, args=(context, plain), daemon=True).start()


def _converse(context: ssl.SSLContext, plain: socket.socket) -> None:
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with contextlib.suppress(OSError), context.wrap_socket(plain, server_side=True) as secure:
        buffer = memoryview(bytearray(_READ))
        while _answer(secure, buffer):
            pass


def _answer(secure: ssl.SSLSocket, buffer: memoryview) -> bool:
    """Take one request and answer it; False when the client has left."""
    begun = b""
    while b"\r\n\r\n" not in begun:
        count = secure.recv_into(buffer)
        if not count:
            return False
        begun += buffer[:count]
    head, _, body = begun.partition(b"\r\n\r\n")
    declared = _LENGTH.search(head)
    left = (int(declared[1]) if declared else 0) - len(body)
    digest = hashlib.sha256(body) if _DIGEST.search(head) else None
    length = len(body) + left
    while left > 0:
        count = secure.recv_into(buffer)
        if not count:
            return False
        left -= count
        if digest is not None:
            digest.update(buffer[:count])
    content = digest.hexdigest() if digest is not None else str(length)
    secure.sendall(
        f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(content)}\r\n"
        f"\r\n{content}".encode()
    )
    return True


if __name__ == "__main__":
    try:
        serve(*sys.argv[1:3])
    except KeyboardInterrupt:
        os._exit(0)

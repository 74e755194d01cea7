"""Ports for programs that have to be told at which one to listen."""

from __future__ import annotations

import random
import socket

# Below those that a system gives to connections (Linux begins at 32768, others at 49152), of which
# one might take it before the program does.
_NOT_EPHEMERAL = range(10_000, 32_000)


def free() -> int:
    """A TCP port of 127.0.0.1 at which nobody listens."""
    while True:
        port = random.choice(_NOT_EPHEMERAL)
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port

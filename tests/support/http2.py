"""HTTP/2 clients that may send what others would not, over a tunnel through the proxy."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

import h2.config
import h2.connection
import h2.events

from tests.support.origin import client_context

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Sequence

    from tests.support.lab import Lab

    type Fields = Sequence[tuple[bytes, bytes]]

_PATIENCE = 20  # seconds
_PIECE = 16_000  # bytes, less than a frame may hold


class Http2Client:
    """One connection to a service."""

    def __init__(self, secure: ssl.SSLSocket) -> None:
        self._secure = secure
        configuration = h2.config.H2Configuration(
            header_encoding=None,
            validate_outbound_headers=False,
            normalize_outbound_headers=False,
        )
        self._connection = h2.connection.H2Connection(configuration)
        self._connection.initiate_connection()

    def ask(self, fields: Fields, body: bytes, trailers: Fields = ()) -> int | None:
        """Send one request; the status of its answer, None when there is none."""
        connection = self._connection
        stream = connection.get_next_available_stream_id()
        connection.send_headers(stream, fields)
        for start in range(0, len(body), _PIECE):
            connection.send_data(stream, body[start : start + _PIECE])
        if trailers:
            connection.send_headers(stream, trailers, end_stream=True)
        else:
            connection.end_stream(stream)
        status = None
        while True:
            self._secure.sendall(connection.data_to_send())
            for event in connection.receive_data(self._secure.recv(1 << 16)):
                if isinstance(event, h2.events.ResponseReceived):
                    status = int(dict(event.headers)[b":status"])
                if isinstance(
                    event,
                    h2.events.StreamEnded | h2.events.StreamReset | h2.events.ConnectionTerminated,
                ):
                    return status


@contextmanager
def client(lab: Lab, host: str) -> Iterator[Http2Client]:
    """Connect to `host`."""
    with socket.create_connection(lab.proxy.address, _PATIENCE) as plain:
        plain.sendall(f"CONNECT {host}:443 HTTP/1.1\r\n\r\n".encode())
        assert b" 200 " in plain.recv(4096)
        context = client_context(lab.proxy.root)
        context.set_alpn_protocols(["h2"])
        with context.wrap_socket(plain, server_hostname=host) as secure:
            yield Http2Client(secure)

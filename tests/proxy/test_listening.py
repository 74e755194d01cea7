"""The sockets that the proxy accepts from."""

from __future__ import annotations

import socket

from safelight.proxy.listening import listen


def test_answers_do_not_wait_for_their_first_part_to_be_confirmed() -> None:
    [listener] = listen(("127.0.0.1", 0))
    with listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

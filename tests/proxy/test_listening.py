"""The sockets that the proxy accepts from."""

from __future__ import annotations

import errno
import socket

import pytest

from safelight.proxy.listening import ListenError, listen


def test_answers_do_not_wait_for_their_first_part_to_be_confirmed() -> None:
    [listener] = listen(("127.0.0.1", 0))
    with listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_ports_that_follow_each_other_are_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    create, taken = socket.create_server, iter((True, True, True))

    def creates(address: tuple[str, int], **options: bool) -> socket.socket:
        if address[1] and next(taken, False):
            raise OSError(errno.EADDRINUSE, "Address already in use")
        return create(address, reuse_port=options["reuse_port"])

    monkeypatch.setattr(socket, "create_server", creates)
    listeners = listen(("127.0.0.1", 0), 2, apart=True)
    first, second = (one.getsockname()[1] for one in listeners)
    assert second == first + 1
    assert next(taken, None) is None
    for one in listeners:
        one.close()


def test_it_says_which_address_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ListenError, match=f"^Cannot listen on 127.0.0.1:{port}: Address"):
            listen(("127.0.0.1", port), 2, apart=True)

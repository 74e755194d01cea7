"""Sockets that several processes accept from, each client always at the same one.

What a process knows of an upload in pieces, the others do not: all connections of a client's
address have to come to the same process.
"""

from __future__ import annotations

import contextlib
import ctypes
import socket
import struct
import sys
from typing import TYPE_CHECKING

if sys.platform != "win32":
    import resource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safelight.proxy.resolve import Address

BACKLOG = 1024
_ATTEMPTS = 20
_ATTACH = 51  # SO_ATTACH_REUSEPORT_CBPF, asm-generic/socket.h
# Classic BPF (linux/filter.h): loads are of the accumulator A, X is the other register.
_LOAD_WORD, _LOAD_BYTE, _TO_X, _XOR_X = 0x20, 0x30, 0x07, 0xAC
_SHIFT_RIGHT, _MODULO, _IF_EQUAL, _RETURN_A = 0x74, 0x94, 0x15, 0x16
_NETWORK_HEADER = 0xFFF00000  # SKF_NET_OFF
_IPV4_SOURCE, _IPV6_SOURCE = 12, 8


class ListenError(Exception):
    """The address cannot be listened on; the text says why."""


def listen(address: Address, count: int = 1, *, apart: bool = False) -> list[socket.socket]:
    """`count` sockets for a process each, that listen at one address or, if they stand `apart`, at
    ports that follow each other. Raises ListenError."""
    if count > 1 and sys.platform != "linux":
        raise ListenError("Several workers need Linux.")
    # Which ports follow the one that the system chose is not known before.
    attempts = _ATTEMPTS if apart and address[1] == 0 else 1
    while True:
        try:
            return _sockets(address, count, apart=apart)
        except (OSError, OverflowError) as error:
            attempts -= 1
            if not attempts:
                reason = getattr(error, "strerror", None) or str(error)
                raise ListenError(
                    f"Cannot listen on {address[0]}:{address[1]}: {reason}."
                ) from error


def allow_many_connections() -> None:
    """Use as many descriptors as the system grants: each connection takes two, and the usual
    limit of 1024 was made for select(2)."""
    if sys.platform != "win32":
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _sockets(address: Address, count: int, *, apart: bool) -> list[socket.socket]:
    host, port = address
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with contextlib.ExitStack() as closed_on_error:
        sockets: list[socket.socket] = []
        for _ in range(count):
            one = socket.create_server(
                (host, port), family=family, backlog=BACKLOG, reuse_port=count > 1 and not apart
            )
            sockets.append(closed_on_error.enter_context(one))
            # Connections inherit it. asyncio sets it only where the socket says that it is for TCP,
            # and an answer in two parts would wait 40 ms for the client to confirm the first.
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            port = one.getsockname()[1] + apart
        if count > 1 and not apart:
            _keep_clients_together(sockets)
        closed_on_error.pop_all()
    return sockets


def _keep_clients_together(sockets: Sequence[socket.socket]) -> None:
    """Choose among the sockets by the client's address alone (socket(7), SO_ATTACH_REUSEPORT)."""
    ipv6: list[tuple[int, int, int, int]] = [(_LOAD_WORD, 0, 0, _NETWORK_HEADER + _IPV6_SOURCE)]
    for word in (4, 8, 12):
        ipv6 += [
            (_TO_X, 0, 0, 0),
            (_LOAD_WORD, 0, 0, _NETWORK_HEADER + _IPV6_SOURCE + word),
            (_XOR_X, 0, 0, 0),
        ]
    choose = [(_MODULO, 0, 0, len(sockets)), (_RETURN_A, 0, 0, 0)]
    program = [
        (_LOAD_BYTE, 0, 0, _NETWORK_HEADER),
        (_SHIFT_RIGHT, 0, 0, 4),
        (_IF_EQUAL, 0, len(choose) + 1, 4),
        (_LOAD_WORD, 0, 0, _NETWORK_HEADER + _IPV4_SOURCE),
        *choose,
        *ipv6,
        *choose,
    ]
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in program)
    buffer = ctypes.create_string_buffer(code)
    described = struct.pack("HP", len(program), ctypes.addressof(buffer))
    sockets[0].setsockopt(socket.SOL_SOCKET, _ATTACH, described)

"""What comes over a connection comes whole, in order, and no faster than it is taken."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from typing import TYPE_CHECKING

import pytest
import uvloop

from safelight.proxy.incoming import Incoming, Pieces

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

DATA = random.Random(3).randbytes(3_000_000)
LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]

type Taken = Callable[[asyncio.StreamReader | Pieces, socket.socket], Awaitable[None]]


async def connected(take: Taken, *, as_stream: bool = False) -> None:
    """Let `take` have one connection, and the client's end of it."""
    loop = asyncio.get_running_loop()
    came: asyncio.Future[asyncio.StreamReader | Pieces] = loop.create_future()
    writers = []

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        protocol = writer.transport.get_protocol()
        assert isinstance(protocol, Incoming)
        writers.append(writer)
        came.set_result(protocol.pieces or reader)

    server = await loop.create_server(
        lambda: Incoming(connect, lambda _: as_stream), "127.0.0.1", 0
    )
    with socket.create_connection(server.sockets[0].getsockname()) as client:
        client.setblocking(False)  # noqa: FBT003 - socket's own signature
        await take(await came, client)
    for writer in writers:
        writer.close()
    server.close()


async def every(source: asyncio.StreamReader | Pieces) -> AsyncIterator[bytes]:
    while piece := await source.read(1 << 18):
        yield piece


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("as_stream", [False, True])
def test_all_of_it_comes(loop: Callable[[], asyncio.AbstractEventLoop], *, as_stream: bool) -> None:
    async def take(source: asyncio.StreamReader | Pieces, client: socket.socket) -> None:
        assert isinstance(source, Pieces) is not as_stream

        async def send() -> None:
            await asyncio.get_running_loop().sock_sendall(client, DATA)
            client.shutdown(socket.SHUT_WR)

        sending = asyncio.create_task(send())
        assert b"".join([piece async for piece in every(source)]) == DATA
        assert await source.read(1) == b""
        await sending

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(connected(take, as_stream=as_stream))


@pytest.mark.parametrize("loop", LOOPS)
def test_who_does_not_take_is_not_given_more(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def take(source: asyncio.StreamReader | Pieces, client: socket.socket) -> None:
        sending = asyncio.create_task(asyncio.get_running_loop().sock_sendall(client, DATA * 10))
        await asyncio.sleep(0.5)
        assert not sending.done()
        assert isinstance(source, Pieces)
        waiting = [await source.read() for _ in range(3)]
        assert DATA.startswith(b"".join(waiting))
        assert sum(map(len, waiting)) < 1_000_000
        sending.cancel()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(connected(take))


@pytest.mark.parametrize("loop", LOOPS)
def test_a_connection_that_breaks_says_so_behind_what_came(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def take(source: asyncio.StreamReader | Pieces, client: socket.socket) -> None:
        client.send(b"the beginning")
        assert await source.read(1) == b"the beginning"
        waiting = asyncio.create_task(source.read(1))
        await asyncio.sleep(0.1)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        with pytest.raises(ConnectionError):
            await waiting

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(connected(take))

"""What is sent leaves before the loop goes on, in order, and none of it is lost."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import sys
from typing import TYPE_CHECKING

import pytest
import uvloop

from safelight.proxy.outgoing import Prompt

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    type Loop = Callable[[], asyncio.AbstractEventLoop]
    type Use = Callable[[Prompt, asyncio.StreamWriter, socket.socket], Awaitable[None]]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="its sockets are no files")

DATA = random.Random(4).randbytes(5_000_000)
LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]


def run(loop: Loop, use: Use) -> None:
    """Let `use` have the writer of one connection, and the other end of it."""

    async def connect() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            _, writer = await asyncio.open_connection(*listener.getsockname())
            other, _ = listener.accept()
        with other:
            other.settimeout(10)
            await use(Prompt(writer), writer, other)
        writer.close()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(connect())


def received(other: socket.socket, size: int) -> bytes:
    pieces = []
    while size and (piece := other.recv(size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


@pytest.mark.parametrize("loop", LOOPS)
def test_it_is_there_before_the_loop_goes_on(loop: Loop) -> None:
    async def use(prompt: Prompt, _: asyncio.StreamWriter, other: socket.socket) -> None:
        prompt.write(b"first ")
        prompt.write(b"second")
        assert received(other, 12) == b"first second"

    run(loop, use)


@pytest.mark.parametrize("loop", LOOPS)
def test_what_the_system_does_not_take_follows_in_order(loop: Loop) -> None:
    async def use(prompt: Prompt, writer: asyncio.StreamWriter, other: socket.socket) -> None:
        whole = b"begin" + DATA + b"end"
        receiving = asyncio.create_task(asyncio.to_thread(received, other, len(whole)))
        for start in range(0, len(whole), 70_000):
            prompt.write(whole[start : start + 70_000])
            if start % 3 == 0:
                await writer.drain()
        assert await receiving == whole

    run(loop, use)


@pytest.mark.parametrize("loop", LOOPS)
def test_nothing_overtakes_what_waits(loop: Loop) -> None:
    async def use(prompt: Prompt, writer: asyncio.StreamWriter, other: socket.socket) -> None:
        writer.write(b"waits ")
        prompt.write(b"behind it")
        assert await asyncio.to_thread(received, other, 15) == b"waits behind it"

    run(loop, use)


@pytest.mark.parametrize("loop", LOOPS)
def test_who_has_left_is_noticed(loop: Loop) -> None:
    async def use(prompt: Prompt, writer: asyncio.StreamWriter, other: socket.socket) -> None:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        other.close()
        async with asyncio.timeout(10):
            while not writer.is_closing():
                prompt.write(b"is anybody there?")
                await asyncio.sleep(0.01)
        prompt.write(b"nobody is")

    run(loop, use)

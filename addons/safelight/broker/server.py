"""The broker: one for all workers, on a Unix socket that only its owner can open.

Each line is a JSON object. A worker says `hold` and waits for the answer, `ask` for what was or
will be answered, or `tell` what happened; a person's command says `list`, `answer` or `watch`.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import os
import socket
import threading
from typing import TYPE_CHECKING, Any

from safelight.broker.waiting import Held, Waiting

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LONGEST_LINE = 1_048_576  # bytes: an upload of thousands of pictures has a digest of each
_MOST_UNREAD = 1_000  # events


class Broker:
    """Answers everybody who connects."""

    def __init__(self) -> None:
        self.waiting = Waiting()
        self._watching: set[asyncio.Queue[dict[str, Any]]] = set()

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        try:
            while line := await reader.readline():
                await self._serve(json.loads(line), reader, writer)
        except (ValueError, KeyError, TypeError, ConnectionError):
            # Whoever does not speak this language is told nothing.
            pass
        finally:
            writer.close()

    async def _serve(
        self, said: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if said["do"] == "hold":
            await self._hold(said, reader, writer)
        elif said["do"] == "ask":
            held = Held.model_validate(said["held"])
            answer = self.waiting.ask(held, said["longest"])
            await self._tell_of(held)
            await _say(writer, {"answer": str(answer)})
        elif said["do"] == "list":
            every = [(_shown(held), since) for held, since in self.waiting.every()]
            await _say(writer, {"holds": every})
        elif said["do"] == "answer":
            found = self.waiting.answer(said["id"], approve=said["approve"] is True)
            await _say(writer, {"found": found})
        elif said["do"] == "tell":
            self._tell(said["event"])
        elif said["do"] == "watch":
            await self._watch(writer)

    async def _hold(
        self, said: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        held = Held.model_validate(said["held"])
        asked = asyncio.ensure_future(self.waiting.wait(held, said["longest"]))
        await self._tell_of(held)
        gone = asyncio.ensure_future(reader.read(1))
        await asyncio.wait({asked, gone}, return_when=asyncio.FIRST_COMPLETED)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        if not asked.done():
            # The client, or its worker, has left: there is nothing any more to answer.
            asked.cancel()
            return
        await _say(writer, {"answer": str(asked.result())})

    async def _tell_of(self, held: Held) -> None:
        """Tell that it waits, if it does: what was answered before is not asked again."""
        await asyncio.sleep(0)
        if self.waiting.waits(held.id):
            self._tell({"held": _shown(held)})

    def _tell(self, event: dict[str, Any]) -> None:
        for unread in self._watching:
            if unread.qsize() < _MOST_UNREAD:
                unread.put_nowait(event)

    async def _watch(self, writer: asyncio.StreamWriter) -> None:
        unread: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        for held, _ in self.waiting.every():
            unread.put_nowait({"held": _shown(held)})
        self._watching.add(unread)
        try:
            while True:
                await _say(writer, {"event": await unread.get()})
        finally:
            self._watching.discard(unread)


@contextlib.contextmanager
def running(path: Path) -> Iterator[None]:
    """Answer at `path`, in a thread of its own. Raises OSError."""
    if _is_answered(path):
        raise OSError(errno.EADDRINUSE, "another proxy that runs keeps its state there")
    loop = asyncio.new_event_loop()
    path.unlink(missing_ok=True)
    # The folder is its owner's alone; so is the socket.
    before = os.umask(0o177)
    try:
        server = loop.run_until_complete(
            asyncio.start_unix_server(Broker().meet, path, limit=LONGEST_LINE)
        )
    finally:
        os.umask(before)
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        loop.run_until_complete(_end(asyncio.all_tasks(loop)))
        loop.close()
        path.unlink(missing_ok=True)


def _is_answered(path: Path) -> bool:
    """Does anybody answer there? What a crash left behind does not."""
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(path))
        except OSError:
            return False
    return True


async def _end(tasks: set[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    # Connections close in the loop's next turn.
    await asyncio.sleep(0)


async def _say(writer: asyncio.StreamWriter, said: dict[str, Any]) -> None:
    writer.write(json.dumps(said).encode() + b"\n")
    await writer.drain()


def _shown(held: Held) -> dict[str, Any]:
    return held.model_dump(exclude={"content", "workspace"})

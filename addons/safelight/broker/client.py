"""What workers and commands say to the broker."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from typing import TYPE_CHECKING, Any

from safelight.broker.server import LONGEST_LINE
from safelight.broker.waiting import LONGEST_WAIT, Answer, Held

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

_LONGEST = 10  # seconds for what is answered at once


class NoBrokerError(Exception):
    """No proxy runs that keeps its state there, or not for this user."""


async def ask(path: Path, held: Held, longest: float = LONGEST_WAIT) -> Answer:
    """Wait for a person's answer; who is cancelled meanwhile waits no more. Raises OSError."""
    return await _answered(path, "hold", held, longest)


async def ask_for_later(path: Path, held: Held, longest: float = LONGEST_WAIT) -> Answer:
    """What was answered before; otherwise a person is asked, and may answer until it is sent again.
    Raises OSError."""
    return await _answered(path, "ask", held, longest)


async def _answered(path: Path, do: str, held: Held, longest: float) -> Answer:
    reader, writer = await asyncio.open_unix_connection(path, limit=LONGEST_LINE)
    try:
        said = {"do": do, "held": held.model_dump(), "longest": longest}
        writer.write(json.dumps(said).encode() + b"\n")
        line = await reader.readline()
        if not line:
            raise ConnectionError("the broker has gone")
        return Answer(json.loads(line)["answer"])
    finally:
        writer.close()


class Teller:
    """Tells the broker what happened; what it cannot tell is forgotten."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: socket.socket | None = None

    def tell(self, event: dict[str, Any]) -> None:
        """Say one thing, without waiting for anybody."""
        line = json.dumps({"do": "tell", "event": event}).encode() + b"\n"
        try:
            if self._connection is None:
                self._connection = _connected(self._path)
                self._connection.setblocking(False)  # noqa: FBT003 - socket's own signature
            self._connection.sendall(line)
        except OSError:
            self.close()

    def close(self) -> None:
        """Say nothing more, until something is told again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def waiting(path: Path) -> list[tuple[Held, float]]:
    """Who waits, and since when (seconds since 1970), oldest first. Raises NoBrokerError."""
    every = _told(path, {"do": "list"})["holds"]
    return [(Held.model_validate(held), since) for held, since in every]


def answer(path: Path, id_: str, *, approve: bool) -> bool:
    """Answer one; False if it does not wait any more. Raises NoBrokerError."""
    return bool(_told(path, {"do": "answer", "id": id_, "approve": approve})["found"])


def watch(path: Path) -> Generator[dict[str, Any]]:
    """What happens from now on, until the proxy ends. Raises NoBrokerError."""
    with _speaking(path, {"do": "watch"}) as lines:
        for line in lines:
            yield json.loads(line)["event"]


def _told(path: Path, said: dict[str, Any]) -> dict[str, Any]:
    with _speaking(path, said, _LONGEST) as lines:
        found: dict[str, Any] = json.loads(next(lines, b"{}"))
        return found


@contextlib.contextmanager
def _speaking(
    path: Path, said: dict[str, Any], longest: float | None = None
) -> Iterator[Iterator[bytes]]:
    try:
        connection = _connected(path)
    except PermissionError as error:
        raise NoBrokerError(
            f"Only who runs the proxy that keeps its state in {path.parent} may ask it."
        ) from error
    except OSError as error:
        raise NoBrokerError(
            f"No proxy is running that keeps its state in {path.parent}."
        ) from error
    with connection, connection.makefile("rb") as lines:
        connection.settimeout(longest)
        connection.sendall(json.dumps(said).encode() + b"\n")
        yield lines


def _connected(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(str(path))
    except OSError:
        connection.close()
        raise
    return connection

"""Several workers on one port: started, watched, started again when one ends, stopped together."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence

logger = logging.getLogger(__name__)

READY = "ready\n"
_PAUSE = 1  # seconds before a worker that ended is started again
_LONGEST_STOP = 30  # seconds


class WorkersError(Exception):
    """The workers did not start."""


def run(
    listeners: Sequence[socket.socket],
    announce: Callable[[], None],
    leaving: Callable[[], None],
    ended: Callable[[int], None],
) -> None:
    """Keep one worker running on each listener until SIGINT or SIGTERM, which they get too;
    `announce` is called when all accept connections, `leaving` when they no longer do, and
    `ended` with the process id of a worker that is no more. Phones, which have a port each, come to
    the first. Raises WorkersError."""
    workers = [_Worker(one, phones=one is listeners[0]) for one in listeners]
    stopping = threading.Event()
    how = signal.SIGTERM

    def stop(number: int, _: object) -> None:
        nonlocal how
        how = signal.Signals(number)
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    try:
        if not all(worker.is_ready() for worker in workers):
            raise WorkersError("A worker did not start.")
        announce()
        while not stopping.wait(_PAUSE):
            for worker in workers:
                gone = worker.start_again_if_ended()
                if gone is not None:
                    ended(gone)
    finally:
        leaving()
        for worker in workers:
            worker.end(how)
        for worker in workers:
            worker.wait()


def say_ready() -> None:
    """In a worker: it accepts connections."""
    click.echo(READY, nl=False)


def end_with_parent() -> None:
    """In a worker: stop when the process that started it is gone."""

    def wait() -> None:
        sys.stdin.read()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()


class _Worker:
    def __init__(self, listener: socket.socket, *, phones: bool) -> None:
        self._listener = listener
        self._phones = phones
        self._process = self._started()

    def start_again_if_ended(self) -> int | None:
        """The process id of the one that has ended, if it has."""
        gone = self._process
        if gone.poll() is None:
            return None
        logger.error("A worker ended. Another takes its place.", extra={"event": "worker-ended"})
        self._process = self._started()
        return gone.pid

    def is_ready(self) -> bool:
        """Wait until it accepts connections, or has ended."""
        return self._process.stdout is not None and self._process.stdout.readline() == READY

    def end(self, how: signal.Signals) -> None:
        self._process.send_signal(how)

    def wait(self) -> None:
        try:
            self._process.wait(_LONGEST_STOP)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _started(self) -> subprocess.Popen[str]:
        descriptor = self._listener.fileno()
        own = ["--as-worker", str(descriptor), *([] if self._phones else ["--without-phones"])]
        return subprocess.Popen(  # noqa: S603 - this very program
            [sys.executable, "-m", "safelight", *sys.argv[1:], *own],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=[descriptor],
            # Ctrl-C is for the process that watches.
            process_group=0,
        )

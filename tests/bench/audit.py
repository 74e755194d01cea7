"""Part of `make bench`: how many decisions a second are on the disk, beside how often the disk can
sync at all."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from safelight.audit import AuditLog, Decision

if TYPE_CHECKING:
    from collections.abc import Callable

_SECONDS = 2
_DECISION = Decision(
    id="d_0",
    service="chatgpt_web",
    host="chatgpt.com",
    policy="home",
    revision="a",
    verdict="allow",
)


def main() -> None:
    """Print one row for each number of uploads at a time."""
    print("\n| uploads at a time | syncs of the disk alone | decisions on the disk |")
    print("|---|---|---|")
    for threads in (1, 8, 64):
        with tempfile.TemporaryDirectory() as folder:
            log = AuditLog(Path(folder, "audit"), Path(folder, "keys"))
            log.append(_DECISION)
            syncs = _a_second(1, _syncing(Path(folder)))
            decisions = _a_second(threads, partial(log.append, _DECISION))
            print(f"| {threads} | {syncs:.0f} / s | {decisions:.0f} / s |", flush=True)


def _syncing(folder: Path) -> Callable[[], None]:
    descriptor = os.open(folder / "file", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def sync() -> None:
        os.write(descriptor, b"x" * 400)
        os.fsync(descriptor)

    return sync


def _a_second(threads: int, call: Callable[[], None]) -> float:
    counts = [0] * threads
    until = time.monotonic() + _SECONDS

    def run(number: int) -> None:
        while time.monotonic() < until:
            call()
            counts[number] += 1

    running = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    for one in running:
        one.start()
    for one in running:
        one.join()
    return sum(counts) / _SECONDS


if __name__ == "__main__":
    main()

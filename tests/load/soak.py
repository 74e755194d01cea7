"""`make soak`: mixed traffic for MINUTES; what the proxy takes must not grow.

Memory and descriptors of the last third of the time are compared with those of the middle third:
the first one fills caches.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import mean
from typing import TYPE_CHECKING

from tests.load import vitals
from tests.load.traffic import Traffic
from tests.support import lab as labs
from tests.support import pictures

if TYPE_CHECKING:
    from tests.load.vitals import Vitals
    from tests.support.lab import Lab

_CLIENTS = 6
_EVERY = 10.0  # seconds
_ALLOWED = (1.05, 10.0)  # times, and MB more
_SPARE = 4  # descriptors; connections come and go


@dataclass
class _Course:
    """What was done how often, and what went wrong."""

    done: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def main() -> int:
    """Send, measure and print; 1 when something grew, failed or arrived unclean."""
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 30.0
    course = _Course()
    with tempfile.TemporaryDirectory() as folder, labs.running(Path(folder)) as lab:
        ends = time.monotonic() + minutes * 60
        threads = [
            threading.Thread(target=_go_on, args=(Traffic(lab, Random(seed)), ends, course))
            for seed in range(_CLIENTS)
        ]
        for thread in threads:
            thread.start()
        taken = _watched(lab, ends, course)
        for thread in threads:
            thread.join()
    print(f"done: {dict(course.done)}")
    for text in course.wrong[:20]:
        print(text)
    return 1 if _grew(taken) or course.wrong else 0


def _go_on(traffic: Traffic, ends: float, course: _Course) -> None:
    while time.monotonic() < ends:
        try:
            course.done[traffic.once()] += 1
        except Exception as error:  # noqa: BLE001 - it is printed in the end
            course.wrong.append(repr(error))


def _watched(lab: Lab, ends: float, course: _Course) -> list[Vitals]:
    """Look every now and then at the proxy, and at what has arrived."""
    assert lab.proxy.process is not None
    taken: list[Vitals] = []
    began = time.monotonic()
    while time.monotonic() + _EVERY <= ends + 1:
        time.sleep(_EVERY)
        now = vitals.of(lab.proxy.process.pid)
        taken.append(now)
        seconds = time.monotonic() - began
        print(
            f"{seconds:5.0f} s  {now.resident:6.0f} MB (peak {now.peak:.0f} MB)  "
            f"{now.descriptors:3d} descriptors  {sum(course.done.values())} done",
            flush=True,
        )
        for received in (lab.origin.received, lab.origin.messages):
            arrived = [received.pop() for _ in range(len(received))]
            course.wrong += ["a secret arrived" for one in arrived if _says_secrets(one)]
    return taken


def _says_secrets(arrived: object) -> bool:
    body = getattr(arrived, "body", arrived)
    content = body.encode() if isinstance(body, str) else body
    assert isinstance(content, bytes)
    return pictures.CANARY in content


def _grew(taken: list[Vitals]) -> bool:
    third = len(taken) // 3
    if not third:
        return False
    middle, last = taken[third : 2 * third], taken[2 * third :]
    before, after = (mean(one.resident for one in part) for part in (middle, last))
    times, more = _ALLOWED
    fewest_before, fewest = (min(one.descriptors for one in part) for part in (middle, last))
    print(
        f"resident memory: {before:.0f} MB in the middle third, {after:.0f} MB in the last; "
        f"fewest descriptors: {fewest_before}, {fewest}"
    )
    return after > before * times + more or fewest > fewest_before + _SPARE


if __name__ == "__main__":
    sys.exit(main())

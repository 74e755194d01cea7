"""Times, taken in turns so that a busy moment hits everything alike."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SECONDS = 1.0
# What takes longer is measured once; what takes less has several goes each turn, since the first of
# them pays for the caches that the others filled.
LONG = 5.0
_SHORT, _GOES = 0.05, 5


def medians(tasks: Mapping[str, Callable[[], object]], rounds: int = 200) -> dict[str, float]:
    """Seconds each task takes, the median of up to `rounds` rounds in which all take turns."""
    first = {name: seconds(task) for name, task in tasks.items()}
    taken: dict[str, list[float]] = {name: [] for name in tasks if first[name] < LONG}
    began = time.perf_counter()
    for number in range(rounds):
        for name, times in taken.items():
            goes = _GOES if first[name] < _SHORT else 1
            times += [seconds(tasks[name]) for _ in range(goes)]
        if number >= 4 and time.perf_counter() - began > _SECONDS * len(tasks):
            break
    return first | {name: statistics.median(times) for name, times in taken.items()}


def seconds(task: Callable[[], object]) -> float:
    """How long the task takes this time."""
    start = time.perf_counter()
    task()
    return time.perf_counter() - start


def shown(seconds: float) -> str:
    """A time as people read it."""
    if seconds < 0.001:
        return f"{seconds * 1e6:.0f} µs"
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"

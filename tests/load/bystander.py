"""Somebody who makes small requests while others upload, as a process of its own.

`python -m tests.load.bystander SECONDS ROUTE...` measures each route side by side and prints, for
each, its latencies in milliseconds as a JSON list. A route is a JSON list of its four fields.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.load.wire import Line, Route

_PAUSE = 0.01  # seconds between one answer and the next request


def watching(routes: list[Route], seconds: float) -> subprocess.Popen[str]:
    """Start the process; `heard` reads what it found."""
    written = [json.dumps([one.host, one.address, one.tunnel, str(one.root)]) for one in routes]
    command = [sys.executable, "-m", "tests.load.bystander", str(seconds), *written]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def heard(process: subprocess.Popen[str]) -> list[list[float]]:
    """Each route's latencies in milliseconds, sorted."""
    output, _ = process.communicate()
    assert process.returncode == 0, "the bystander's requests failed"
    return [sorted(json.loads(line)) for line in output.splitlines()]


def percentile(latencies: list[float], part: float) -> float:
    """The latency that `part` of the sorted ones do not exceed."""
    return latencies[min(int(len(latencies) * part), len(latencies) - 1)]


def _latencies(route: Route, seconds: float) -> list[float]:
    taken = []
    with Line(route) as line:
        line.ask("GET", "/v1/models")
        ends = time.perf_counter() + seconds
        while time.perf_counter() < ends:
            began = time.perf_counter()
            status, _ = line.ask("GET", "/v1/models")
            taken.append((time.perf_counter() - began) * 1000)
            assert status == 200, status
            time.sleep(_PAUSE)
    return taken


def _main(seconds: float, routes: list[Route]) -> None:
    with ThreadPoolExecutor(len(routes)) as pool:
        for taken in pool.map(_latencies, routes, [seconds] * len(routes)):
            print(json.dumps(taken))


def _read(text: str) -> Route:
    host, (address, port), tunnel, root = json.loads(text)
    return Route(host, (address, port), tunnel, Path(root))


if __name__ == "__main__":
    _main(float(sys.argv[1]), [_read(text) for text in sys.argv[2:]])

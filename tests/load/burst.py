"""`make load`: 200 uploads of 3 MB at once, and what somebody beside them notices.

Each upload must be answered, and have arrived whole and clean. The same bytes relayed to a host
that is no AI service show what the machine itself can do.
"""

from __future__ import annotations

import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.load import bystander, stage, uploads, vitals
from tests.load.wire import Line

if TYPE_CHECKING:
    from tests.load.uploads import Prepared
    from tests.load.wire import Route

_AT_ONCE = 200
_SECONDS = 12.0  # of each phase
_HEADERS = f"Content-Type: {uploads.CONTENT_TYPE}\r\nX-Digest: 1\r\n"
_LARGEST_RATIO = 2.0


@dataclass
class Phase:
    """What happened in one phase: uploads that were answered, how many each second, what went
    wrong, and the bystander's sorted latencies in milliseconds beside them, for each route."""

    name: str
    finished: int
    rate: float
    wrong: list[str]
    latencies: list[list[float]]


def main() -> int:
    """Run the three phases and print them; 1 if an upload failed or arrived unclean."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else _SECONDS
    made = uploads.prepared(_AT_ONCE)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with stage.origin(folder) as origin, stage.safelight(folder, origin) as proxy:
            relayed, cleaned = stage.relayed(proxy, origin), stage.cleaned(proxy)
            watched = [relayed, cleaned]
            assert proxy.process is not None
            print(f"resident memory before: {vitals.of(proxy.process.pid).resident:.0f} MB")
            phases = [
                _phase("idle", None, [], watched, seconds),
                _phase("relayed uploads", relayed, made, watched, seconds, clean=False),
                _phase("cleaned uploads", cleaned, made, watched, seconds),
            ]
            after = vitals.of(proxy.process.pid)
            print(f"resident memory: peak {after.peak:.0f} MB, after {after.resident:.0f} MB\n")
    _print(phases)
    wrong = [text for phase in phases for text in phase.wrong]
    for text in wrong[:20]:
        print(text)
    return 1 if wrong else 0


def _phase(
    name: str,
    route: Route | None,
    made: list[Prepared],
    watched: list[Route],
    seconds: float,
    *,
    clean: bool = True,
) -> Phase:
    """Upload along `route` with one thread for each of `made`, again and again."""
    watcher = bystander.watching(watched, seconds)
    wrong: list[str] = []
    began = time.perf_counter()

    def upload(one: Prepared) -> int:
        count = 0
        assert route is not None
        try:
            with Line(route) as line:
                while not count or time.perf_counter() - began < seconds:
                    status, digest = line.ask("POST", uploads.PATH, one.body, _HEADERS)
                    if status != 200:
                        wrong.append(f"{name}: {status} {digest[:200]!r}")
                    elif clean and digest.decode() != one.digest:
                        wrong.append(f"{name}: an upload arrived otherwise than it should")
                    count += 1
        except OSError as error:
            wrong.append(f"{name}: {error!r}")
        return count

    with ThreadPoolExecutor(max(len(made), 1)) as pool:
        finished = sum(pool.map(upload, made))
    taken = time.perf_counter() - began
    return Phase(name, finished, finished / taken, wrong, bystander.heard(watcher))


def _print(phases: list[Phase]) -> None:
    print("| | uploads | /s | wrong | relayed p50 | p99 | AI service p50 | p99 |")
    print("|---|---|---|---|---|---|---|---|")
    for phase in phases:
        cells = (
            f"{bystander.percentile(latencies, part):.1f} ms"
            for latencies in phase.latencies
            for part in (0.5, 0.99)
        )
        numbers = f"{phase.finished} | {phase.rate:.0f} | {len(phase.wrong)}"
        print(f"| {phase.name} | {numbers} | {' | '.join(cells)} |")
    _, beside_relayed, beside_cleaned = (phase.latencies for phase in phases)
    for what, relaying, cleaning in zip(
        ("relayed", "AI service"), beside_relayed, beside_cleaned, strict=True
    ):
        ratio = bystander.percentile(cleaning, 0.99) / bystander.percentile(relaying, 0.99)
        met = "met" if ratio < _LARGEST_RATIO else "missed"
        print(f"\n{what}: p99 is {ratio:.2f} times that beside relayed uploads; goal < 2: {met}")


if __name__ == "__main__":
    sys.exit(main())

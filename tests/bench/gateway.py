"""`make bench-proxy`: what a request costs through Safelight, and through other gateways.

All take turns, so that a busy moment hits everything alike; ratios are what counts.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from tests.bench import gateways
from tests.load import uploads
from tests.load.wire import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.load.wire import Route

_ROUNDS = 1
_SECONDS = 1.5  # for each measure of each gateway in each round
_BULK = bytes(100_000_000)

type Step = Callable[[Line], None]


@dataclass(frozen=True, slots=True)
class Measure:
    """`at_once` threads repeat `step`; each counts as `worth` units. With `anew` each on a new
    connection. A `large` one is more than Safelight takes for an AI service."""

    unit: str
    at_once: int
    step: Step
    worth: float = 1
    anew: bool = False
    large: bool = False


def main() -> None:
    """Print the table, the ratios and whether the goals are met."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else _SECONDS
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        routes, missing = gateways.all_of_them(stack, Path(folder))
        taken: dict[tuple[str, str], list[float]] = {}
        measures = _measures()
        for _ in range(_ROUNDS):
            for what, measure in measures.items():
                for name, route in routes.items():
                    if measure.large and name == gateways.CLEANS:
                        continue
                    rate = _rate(route, measure, seconds)
                    taken.setdefault((what, name), []).append(rate)
        rates = {key: median(values) for key, values in taken.items()}
    _print_table(measures, list(routes), rates)
    for name, reason in missing.items():
        print(f"\n{name} did not take part: {reason}.")
    _print_goals(rates)


def _measures() -> dict[str, Measure]:
    photo = uploads.form(uploads.photograph(), 0)
    form = f"Content-Type: {uploads.CONTENT_TYPE}\r\n"
    chat = b'{"model": "m", "messages": [{"role": "user", "content": "How are you?"}]}'
    json = "Content-Type: application/json\r\n"
    size = len(photo) / 1e6

    def get(line: Line) -> None:
        _expect(line.ask("GET", "/v1/models"), None)

    def post(line: Line) -> None:
        _expect(line.ask("POST", "/v1/chat/completions", chat, json), len(chat))

    def upload(line: Line) -> None:
        # What Safelight takes out is missing at the other end.
        _expect(line.ask("POST", uploads.PATH, photo, form), None)

    def bulk(line: Line) -> None:
        _expect(line.ask("PUT", "/bulk", _BULK), len(_BULK))

    return {
        "3 MB photo, 1 at once": Measure("MB/s", 1, upload, size),
        "3 MB photo, 16 at once": Measure("MB/s", 16, upload, size),
        "GET, 1 at once": Measure("/s", 1, get),
        "GET, 16 at once": Measure("/s", 16, get),
        "chat POST, 1 at once": Measure("/s", 1, post),
        "chat POST, 16 at once": Measure("/s", 16, post),
        "new connection, 8 at once": Measure("/s", 8, get, anew=True),
        "100 MB, 1 at once": Measure("MB/s", 1, bulk, len(_BULK) / 1e6, large=True),
    }


def _expect(answer: tuple[int, bytes], length: int | None) -> None:
    status, content = answer
    if status != 200 or (length is not None and int(content) != length):
        raise ConnectionError(f"{status} {content[:200]!r}")


def _rate(route: Route, measure: Measure, seconds: float) -> float:
    """Units per second, counted over what was finished."""
    start = threading.Barrier(measure.at_once)

    def repeat(_: int) -> tuple[int, float]:
        with Line(route) as line:
            measure.step(line)
            start.wait()
            began, count = time.perf_counter(), 0
            while time.perf_counter() - began < seconds:
                if measure.anew:
                    with Line(route) as fresh:
                        measure.step(fresh)
                else:
                    measure.step(line)
                count += 1
            return count, time.perf_counter() - began

    with ThreadPoolExecutor(measure.at_once) as pool:
        done = list(pool.map(repeat, range(measure.at_once)))
    return measure.worth * sum(count / taken for count, taken in done)


def _print_table(
    measures: Mapping[str, Measure], names: list[str], rates: Mapping[tuple[str, str], float]
) -> None:
    print(f"| | {' | '.join(measures)} |\n|---|{'---|' * len(measures)}")
    for name in names:
        cells = (_cell(rates, what, one.unit, name) for what, one in measures.items())
        print(f"| {name} | {' | '.join(cells)} |")
    print("\nIn brackets: as a part of what goes directly.\n")


def _cell(rates: Mapping[tuple[str, str], float], what: str, unit: str, name: str) -> str:
    rate = rates.get((what, name))
    if rate is None:
        return "-"
    return f"{rate:,.0f} {unit} ({rate / rates[what, gateways.DIRECT]:.2f})"


def _print_goals(rates: Mapping[tuple[str, str], float]) -> None:
    goals = [
        (
            gateways.CLEANS,
            gateways.MITMDUMP,
            1.3,
            ["3 MB photo, 1 at once", "3 MB photo, 16 at once"],
        ),
        (
            gateways.CLEANS,
            gateways.MITMDUMP,
            2.0,
            [f"{what}, {count} at once" for what in ("GET", "chat POST") for count in (1, 16)],
        ),
        (gateways.RELAYS, gateways.HAPROXY, 0.75, ["100 MB, 1 at once"]),
    ]
    print("| | compared with | ratio | goal | |\n|---|---|---|---|---|")
    for name, other, goal, whats in goals:
        for what in whats:
            if (what, other) not in rates:
                continue
            ratio = rates[what, name] / rates[what, other]
            met = "met" if ratio >= goal else "missed"
            print(f"| {what}: {name} | {other} | {ratio:.2f} | {goal} | {met} |")


if __name__ == "__main__":
    main()

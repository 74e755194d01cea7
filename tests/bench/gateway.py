"""`make bench-proxy`: what a request costs through Safelight, and through other gateways.

All take turns, so that a busy moment hits everything alike; ratios are what counts. Beside what
gets through, the time that the gateway itself computes is counted: that others use the machine as
well changes it little.
"""

from __future__ import annotations

import datetime as dt
import os
import platform
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
from tests.load import uploads, vitals
from tests.load.wire import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tests.bench.gateways import Gateway

PAGE = Path(__file__).parents[2] / "docs" / "gateways.md"
_ROUNDS = 4
_SECONDS = 1.0  # for each measure of each gateway in each round
_BULK = bytes(100_000_000)
_TEXT = """\
# Safelight and other gateways

Measured by `make bench-proxy` on {day}, with Python {python} on {cores} cores ({machine}).
All take turns, and what is shown is the median of {rounds} of them. All but the relays open the
encryption. Only Safelight looks into what passes: it takes metadata out of each photo, reads again
what is left, and writes it on record before the first byte leaves.

The number in brackets is a part of what goes without a gateway. Costs are milliseconds that the
gateway computes, for each thing that passes. Goals say how often as much as the other gateway gets
through, and how often the other's cost is Safelight's.

{sections}"""
_SECTION = """\
## {title}

{about}

### What gets through

{rates}

### What it costs

{costs}

### Goals

{goals}
"""

type Step = Callable[[Line], None]
type Key = tuple[str, str]  # measure and gateway


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


@dataclass(frozen=True, slots=True)
class Goal:
    """What gets through `name` is at least `least` times what gets through `other`."""

    name: str
    other: str
    least: float
    measures: tuple[str, ...]


_SMALL = tuple(f"{what}, {count} at once" for what in ("GET", "chat POST") for count in (1, 16))
_GOALS = (
    Goal(
        gateways.CLEANS,
        gateways.MITMDUMP,
        1.3,
        ("3 MB photo, 1 at once", "3 MB photo, 16 at once"),
    ),
    Goal(gateways.CLEANS, gateways.MITMDUMP, 2.0, _SMALL),
    Goal(gateways.RELAYS, gateways.HAPROXY, 0.75, ("100 MB, 1 at once",)),
)


@dataclass(frozen=True, slots=True)
class Setting:
    """Where the gateways run, and what is measured there."""

    title: str
    about: str
    on_one_core: bool
    measures: tuple[str, ...]


_SETTINGS = (
    Setting(
        "On one core",
        "Each gateway runs on one core, the client and the service on the others.",
        on_one_core=True,
        measures=(
            *("3 MB photo, 1 at once", "3 MB photo, 16 at once", *_SMALL),
            *("new connection, 8 at once", "100 MB, 1 at once"),
        ),
    ),
    Setting(
        "On all cores",
        "Everybody runs where there is room, Safelight by `--workers` with one for each core. "
        "mitmdump cannot use more than one.",
        on_one_core=False,
        measures=(
            *("3 MB photo, 16 at once", "GET, 16 at once", "chat POST, 16 at once"),
            "new connection, 8 at once",
        ),
    ),
)


def main() -> int:
    """Measure, print, write the page; 1 if something did not pass Safelight."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else _SECONDS
    sections, remarks, broken = [], list[str](), False
    for setting in _SETTINGS:
        section, said, failed = _section(setting, seconds)
        print(section, flush=True)
        sections.append(section)
        remarks += said
        broken |= failed
    PAGE.write_text(
        _TEXT.format(
            day=dt.datetime.now(tz=dt.UTC).date(),
            python=platform.python_version(),
            cores=os.cpu_count(),
            machine=platform.machine(),
            rounds=_ROUNDS,
            sections="\n".join(sections),
        )
    )
    for remark in dict.fromkeys(remarks):
        print(remark, file=sys.stderr)
    return int(broken)


def _section(setting: Setting, seconds: float) -> tuple[str, list[str], bool]:
    """Its part of the page, remarks, and whether something did not pass Safelight."""
    measures = {what: one for what, one in _measures().items() if what in setting.measures}
    rates, costs = dict[Key, list[float]](), dict[Key, list[float]]()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        found, remarks = gateways.all_of_them(stack, Path(folder), on_one_core=setting.on_one_core)
        failed: dict[Key, str] = {}
        for _ in range(_ROUNDS):
            for what, measure in measures.items():
                for name, gateway in found.items():
                    key = (what, name)
                    if key in failed or (measure.large and name == gateways.CLEANS):
                        continue
                    try:
                        rate, cost = _measured(gateway, measure, seconds)
                    except OSError as error:
                        failed[key] = str(error)
                        continue
                    rates.setdefault(key, []).append(rate)
                    costs.setdefault(key, []).append(cost)
    remarks += [f"{name} did not pass {what}: {error}." for (what, name), error in failed.items()]
    medians = ({k: median(v) for k, v in t.items()} for t in (rates, costs))
    section = _tables(setting, measures, list(found), *medians)
    return section, remarks, any(n in {gateways.CLEANS, gateways.RELAYS} for _, n in failed)


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


def _measured(gateway: Gateway, measure: Measure, seconds: float) -> tuple[float, float]:
    """Units per second, counted over what was finished; milliseconds that each step cost."""
    start = threading.Barrier(measure.at_once)
    sources = [f"127.0.0.{number + 1}" for number in range(measure.at_once)]

    def repeat(line: Line, source: str) -> tuple[int, float]:
        start.wait()
        began, count = time.perf_counter(), 0
        while time.perf_counter() - began < seconds:
            if measure.anew:
                with Line(gateway.route, source) as fresh:
                    measure.step(fresh)
            else:
                measure.step(line)
            count += 1
        return count, time.perf_counter() - began

    with ExitStack() as stack, ThreadPoolExecutor(measure.at_once) as pool:
        lines = [stack.enter_context(Line(gateway.route, source)) for source in sources]
        for line in lines:
            measure.step(line)
        before = vitals.computed(gateway.process)
        done = list(pool.map(repeat, lines, sources))
        cost = vitals.computed(gateway.process) - before
    rate = measure.worth * sum(count / taken for count, taken in done)
    return rate, 1000 * cost / sum(count for count, _ in done)


def _tables(
    setting: Setting,
    measures: Mapping[str, Measure],
    names: list[str],
    rates: Mapping[Key, float],
    costs: Mapping[Key, float],
) -> str:
    through = [
        [name, *(_rate(rates, what, one.unit, name) for what, one in measures.items())]
        for name in names
    ]
    spent = [
        [name, *(_shown(costs.get((what, name)), ".2f") for what in measures)]
        for name in names
        if name != gateways.DIRECT
    ]
    return _SECTION.format(
        title=setting.title,
        about=setting.about,
        rates=_table(["", *measures], through),
        costs=_table(["", *measures], spent),
        goals=_table(
            ["", "compared with", "gets through", "goal", "costs"], _reached(rates, costs)
        ),
    )


def _reached(rates: Mapping[Key, float], costs: Mapping[Key, float]) -> Iterable[list[str]]:
    for goal in _GOALS:
        for what in goal.measures:
            own, other = (what, goal.name), (what, goal.other)
            if own not in rates or other not in rates:
                continue
            ratio = rates[own] / rates[other]
            met = "met" if ratio >= goal.least else "missed"
            yield [
                f"{what}: {goal.name}",
                goal.other,
                f"{ratio:.2f}",
                f"{goal.least}, {met}",
                f"{costs[other] / costs[own]:.2f}",
            ]


def _rate(rates: Mapping[Key, float], what: str, unit: str, name: str) -> str:
    rate = rates.get((what, name))
    if rate is None:
        return "-"
    return f"{rate:,.0f} {unit} ({rate / rates[what, gateways.DIRECT]:.2f})"


def _shown(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


if __name__ == "__main__":
    sys.exit(main())

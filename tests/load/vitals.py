"""What a running process takes, as Linux counts it (proc(5))."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Vitals:
    """Resident memory now and at its highest, both in MB; how many descriptors are open."""

    resident: float
    peak: float
    descriptors: int


def of(pid: int) -> Vitals:
    """The vitals of the process `pid`."""
    folder = Path(f"/proc/{pid}")
    status = dict(
        line.split(":", 1) for line in (folder / "status").read_text().splitlines() if ":" in line
    )
    resident, peak = (int(status[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
    return Vitals(resident, peak, sum(1 for _ in (folder / "fd").iterdir()))


def computed(pid: int) -> float:
    """Seconds of processor time that the process `pid` and those it started have taken so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    user, system = map(int, fields[11:13])
    own = (user + system) / os.sysconf("SC_CLK_TCK")
    started = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return own + sum(computed(int(child)) for child in started)

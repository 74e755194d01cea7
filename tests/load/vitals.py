"""What a running process takes, as Linux counts it."""

from __future__ import annotations

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

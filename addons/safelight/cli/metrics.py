"""What a running proxy counts, for Prometheus.

Numbers alone: no addresses, no names, nothing of what was sent. The labels are ids of the catalogue
and words of closed lists.
"""

from __future__ import annotations

import atexit
import datetime as dt
import os
import shutil
import tempfile
from typing import TYPE_CHECKING

import prometheus_client
from prometheus_client import multiprocess
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from safelight import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from safelight.case import Outcome
    from safelight.services import Destination

    type Tell = Callable[[Destination, Outcome], None]

_SHARED = "PROMETHEUS_MULTIPROC_DIR"
_DELAYS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds


def share_among_processes() -> None:
    """Let several workers count together, in files that prometheus_client looks for by this name.
    The process that starts them makes the folder, and removes it."""
    if _SHARED not in os.environ:
        folder = tempfile.mkdtemp(prefix="safelight-")
        os.environ[_SHARED] = folder
        atexit.register(shutil.rmtree, folder, ignore_errors=True)


def forget(worker: int) -> None:
    """The worker with this process id has ended, and its connections with it."""
    if _SHARED in os.environ:
        multiprocess.mark_process_dead(worker)  # type: ignore[no-untyped-call]


class Meter:
    """Counts what passes."""

    def __init__(self) -> None:
        self._uploads = prometheus_client.Counter(
            "safelight_uploads",
            "Uploads with a picture or a doubt.",
            ["service", "outcome", "cause"],
        )
        self._pictures = prometheus_client.Counter(
            "safelight_pictures", "Pictures and documents that were sent.", ["service"]
        )
        self._removed = prometheus_client.Counter(
            "safelight_removed", "Uploads of which something of this kind was taken out.", ["kind"]
        )
        self._bytes = prometheus_client.Counter(
            "safelight_upload_bytes", "Bytes of requests that were looked at.", ["service"]
        )
        self._delays = prometheus_client.Histogram(
            "safelight_upload_delay_seconds",
            "Time for which requests were kept back to be looked at, without waits for people.",
            buckets=_DELAYS,
        )
        self._connections = prometheus_client.Gauge(
            "safelight_connections",
            "Connections of clients that are open.",
            multiprocess_mode="livesum",
        )

    def connected(self) -> None:
        """A client has come."""
        self._connections.inc()

    def disconnected(self) -> None:
        """A client has gone."""
        self._connections.dec()

    def looked(self, destination: Destination, size: int, delay: float | None) -> None:
        """A request of `size` bytes was looked at, for `delay` seconds; None if on its way."""
        self._bytes.labels(destination.service.id).inc(size)
        if delay is not None:
            self._delays.observe(delay)

    def counted(self, tell: Tell) -> Tell:
        """`tell`, and count what it is told."""

        def count(destination: Destination, outcome: Outcome) -> None:
            service = destination.service.id
            if outcome.refusal is not None:
                self._uploads.labels(service, "stopped", str(outcome.refusal.cause)).inc()
            else:
                self._uploads.labels(service, "warned" if outcome.warnings else "sent", "").inc()
                self._pictures.labels(service).inc(outcome.pictures)
                for kind in outcome.removed:
                    self._removed.labels(kind).inc()
            tell(destination, outcome)

        return count


class State(Collector):
    """What is so at the moment, asked when somebody wants to know. What cannot be told is left
    out."""

    def __init__(
        self,
        holds: Callable[[], int | None],
        expiry: Callable[[], dt.date | None],
        checks: Mapping[str, Callable[[], bool]],
    ) -> None:
        self._holds = holds
        self._expiry = expiry
        self._checks = checks

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """As prometheus_client asks."""
        build = GaugeMetricFamily(
            "safelight_build_info", "The version, as a label.", labels=["version"]
        )
        build.add_metric([__version__], 1)
        yield build
        for what, check in self._checks.items():
            yield GaugeMetricFamily(f"safelight_{what}", _ABOUT[what], value=check())
        holds, expiry = self._holds(), self._expiry()
        if holds is not None:
            about = "Uploads that wait for a yes."
            yield GaugeMetricFamily("safelight_holds_waiting", about, value=holds)
        if expiry is not None:
            midnight = dt.datetime.combine(expiry, dt.time(), dt.UTC).timestamp()
            name = "safelight_certificate_expiry_timestamp_seconds"
            yield GaugeMetricFamily(name, "When its certificate ends.", value=midnight)


_ABOUT = {
    "policy_usable": "1 while there is a policy to decide by.",
    "audit_writable": "1 while the audit log can be written; nothing leaves without.",
    "ready": "1 while pictures can leave.",
}


def shown(state: State) -> str:
    """All numbers, of all workers, in Prometheus' text format."""
    counts: prometheus_client.CollectorRegistry = prometheus_client.REGISTRY
    if _SHARED in os.environ:
        counts = prometheus_client.CollectorRegistry()
        multiprocess.MultiProcessCollector(counts)  # type: ignore[no-untyped-call]
    now = prometheus_client.CollectorRegistry()
    now.register(state)
    return "".join(prometheus_client.generate_latest(one).decode() for one in (counts, now))

"""What other programs ask of a running proxy: does it live, is it ready, what did it do so far?

Numbers alone: no addresses, no names, nothing of what was sent. The labels are ids of the catalogue
and words of closed lists.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import socket
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import prometheus_client
from prometheus_client import multiprocess

from safelight.audit import AuditError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from safelight.audit import AuditLog
    from safelight.case import Outcome
    from safelight.proxy.resolve import Address
    from safelight.services import Destination

    type Tell = Callable[[Destination, Outcome], None]

_SHARED = "PROMETHEUS_MULTIPROC_DIR"


class MonitorError(Exception):
    """The monitor cannot be shown; the text says why."""


def share_among_processes() -> None:
    """Let several workers count together, in files that prometheus_client looks for by this name.
    The process that starts them makes the folder, and removes it."""
    if _SHARED not in os.environ:
        folder = tempfile.mkdtemp(prefix="safelight-")
        os.environ[_SHARED] = folder
        atexit.register(shutil.rmtree, folder, ignore_errors=True)


def counted(tell: Tell) -> Tell:
    """`tell`, and count what it is told."""
    uploads = prometheus_client.Counter(
        "safelight_uploads", "Uploads with a picture or a doubt.", ["service", "outcome", "cause"]
    )
    pictures = prometheus_client.Counter(
        "safelight_pictures", "Pictures and documents that were sent.", ["service"]
    )
    removed = prometheus_client.Counter(
        "safelight_removed", "Uploads of which something of this kind was taken out.", ["kind"]
    )

    def count(destination: Destination, outcome: Outcome) -> None:
        service = destination.service.id
        if outcome.refusal is not None:
            uploads.labels(service, "stopped", str(outcome.refusal.cause)).inc()
        else:
            uploads.labels(service, "warned" if outcome.warnings else "sent", "").inc()
            pictures.labels(service).inc(outcome.pictures)
            for kind in outcome.removed:
                removed.labels(kind).inc()
        tell(destination, outcome)

    return count


class Monitored:
    """A proxy as others see it. `decides` tells whether there is a policy."""

    def __init__(self, log: AuditLog, decides: Callable[[], bool]) -> None:
        self._log = log
        self._decides = decides
        self._state = "It is starting."

    def ready(self, announce: Callable[[], None]) -> Callable[[], None]:
        """`announce`, and it takes connections from then on."""

        def announced() -> None:
            self._state = ""
            announce()

        return announced

    def leaving(self) -> None:
        """It takes no connections any more."""
        self._state = "It is about to stop: what is on its way is answered first."

    def problems(self) -> list[str]:
        """Why no picture can leave, in sentences."""
        found = [self._state] if self._state else []
        if not self._decides():
            found.append("The policy file has a mistake.")
        try:
            self._log.check()
        except AuditError:
            found.append("The audit file cannot be written.")
        return found


@contextlib.contextmanager
def shown(address: Address, monitored: Monitored) -> Iterator[None]:
    """Show it at `address` meanwhile. Raises MonitorError."""
    host, port = address

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        daemon_threads = True

    class Handler(_Handler):
        watched = monitored

    try:
        server = Server(address, Handler)
    except OSError as error:
        reason = error.strerror or str(error)
        raise MonitorError(f"Cannot show the monitor at {host}:{port}: {reason}.") from error
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    watched: Monitored
    timeout = 10  # seconds

    def do_GET(self) -> None:
        """Answer one question."""
        if self.path == "/healthz":
            self._answer(200, "ok\n")
        elif self.path == "/readyz":
            problems = self.watched.problems()
            self._answer(503 if problems else 200, "\n".join([*problems, ""]) or "ok\n")
        elif self.path == "/metrics":
            self._answer(200, _numbers(), prometheus_client.CONTENT_TYPE_LATEST)
        else:
            self._answer(404, "There are /healthz, /readyz and /metrics.\n")

    def _answer(self, status: int, text: str, kind: str = "text/plain; charset=utf-8") -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.send_header("x-content-type-options", "nosniff")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as it is called
        """Say nothing: who asks is nobody's business."""


def _numbers() -> str:
    if _SHARED not in os.environ:
        return prometheus_client.generate_latest().decode()
    registry = prometheus_client.CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return prometheus_client.generate_latest(registry).decode()

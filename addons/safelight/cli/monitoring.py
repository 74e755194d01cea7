"""What other programs ask of a running proxy: does it live, is it ready, what did it do so far?

Numbers alone, and sentences that say nothing of anybody.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import prometheus_client

from safelight import broker, trust
from safelight.audit import AuditError
from safelight.cli import metrics
from safelight.proxy.admission import is_in

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from safelight.audit import AuditLog
    from safelight.proxy.admission import Network
    from safelight.proxy.resolve import Address

logger = logging.getLogger(__name__)


class MonitorError(Exception):
    """The monitor cannot be shown; the text says why."""


class Monitored:
    """A proxy as others see it: its log, whether there is a policy, and its folder and socket."""

    def __init__(
        self, log: AuditLog, decides: Callable[[], bool], state: Path, broker_socket: Path
    ) -> None:
        self._log = log
        self._decides = decides
        self._folder = state
        self._broker = broker_socket
        self._state = "It is starting."
        self.numbers = metrics.State(
            self._holds,
            self._expiry,
            {
                "policy_usable": decides,
                "audit_writable": self._can_write,
                "ready": lambda: not self.problems(),
            },
        )

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
        if not self._can_write():
            found.append("The audit file cannot be written.")
        return found

    def _can_write(self) -> bool:
        try:
            self._log.check()
        except AuditError:
            return False
        return True

    def _holds(self) -> int | None:
        try:
            return len(broker.waiting(self._broker))
        except (broker.NoBrokerError, OSError):
            return None

    def _expiry(self) -> dt.date | None:
        try:
            authority = trust.open_existing(self._folder)
            return trust.describe(authority).until if authority else None
        except trust.AuthorityError:
            return None


@contextlib.contextmanager
def shown(address: Address, monitored: Monitored, networks: tuple[Network, ...]) -> Iterator[None]:
    """Show it at `address` meanwhile, to who asks from `networks`. Raises MonitorError."""
    host, port = address

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        daemon_threads = True

        def verify_request(self, request: object, client_address: tuple[str, int]) -> bool:
            """Others are closed out without an answer."""
            del request
            return is_in(client_address[0], networks)

        def handle_error(self, request: object, client_address: object) -> None:
            """Somebody who has gone needs none. Who it was is not written down."""
            del request, client_address
            error = sys.exception()
            if not isinstance(error, OSError):
                kind = type(error).__name__
                facts = {"type": kind}
                logger.error(
                    "The monitor broke (%s).",
                    kind,
                    extra={"event": "internal-error", "facts": facts},
                )

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
            numbers = metrics.shown(self.watched.numbers)
            self._answer(200, numbers, prometheus_client.CONTENT_TYPE_LATEST)
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

"""What may be printed: our own sentences. mitmproxy's messages can quote what people upload.

For programs each is an object in a line of its own, with no sentence in it: the time, the level,
the event's name, and ids and numbers that belong to it. No addresses, no hosts, no names of people.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from safelight.proxy.canary import CanaryError


class _OwnWords(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        if _is_ours(record):
            return record.getMessage()
        return f"The proxy had an internal error ({record.module}:{record.lineno})."


class _Objects(logging.Formatter):
    """`event` and `facts` stand in the `extra` of a message."""

    def format(self, record: logging.LogRecord) -> str:
        event, facts = getattr(record, "event", None), getattr(record, "facts", {})
        if event is None or not _is_ours(record):
            event, facts = "internal-error", {"module": record.module, "line": record.lineno}
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        time = moment.replace("+00:00", "Z")
        return json.dumps(
            {"time": time, "level": record.levelname.lower(), "event": event, **facts}
        )


def install(form: str = "text") -> None:
    """Log to standard error, as `text` or `json`: our messages in full, of everybody else's only
    that there was one."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Objects() if form == "json" else _OwnWords())
    handler.addFilter(_worth_saying)
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


def _is_ours(record: logging.LogRecord) -> bool:
    return record.name.startswith("safelight")


def _worth_saying(record: logging.LogRecord) -> bool:
    if record.exc_info and record.exc_info[0] is CanaryError:
        return False
    # Whoever finds a phone's port can send it what is no WireGuard, or of nobody.
    if record.name == "mitmproxy.packet_sources.wireguard":
        return False
    return record.levelno >= (logging.INFO if _is_ours(record) else logging.ERROR)

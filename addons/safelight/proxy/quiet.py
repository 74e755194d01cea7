"""What may be printed: our own sentences. mitmproxy's messages can quote what people upload."""

from __future__ import annotations

import logging
import sys

from safelight.proxy.canary import CanaryError


class _OwnWords(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        if record.name.startswith("safelight"):
            return record.getMessage()
        return f"The proxy had an internal error ({record.module}:{record.lineno})."


def install() -> None:
    """Log to standard error: our messages in full, of everybody else's only that there was one."""
    ours = logging.StreamHandler(sys.stderr)
    ours.setFormatter(_OwnWords())
    ours.addFilter(_worth_saying)
    logging.basicConfig(level=logging.INFO, handlers=[ours], force=True)


def _worth_saying(record: logging.LogRecord) -> bool:
    if record.exc_info and record.exc_info[0] is CanaryError:
        return False
    return record.levelno >= (
        logging.INFO if record.name.startswith("safelight") else logging.ERROR
    )

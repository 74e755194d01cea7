"""Looks after a log while the proxy runs: says when it starts and stops, signs what is new each
minute, and each hour that all is well, so that no stretch of time can be cut out unnoticed.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from safelight.audit.log import AuditError
from safelight.audit.record import Start, Stop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safelight.audit.log import AuditLog

_MINUTE = 60  # seconds
_MINUTES_OF_SILENCE = 60


@contextlib.contextmanager
def looked_after(log: AuditLog, version: str) -> Iterator[None]:
    """Look after `log`. What cannot be written is told by the uploads that fail for it."""
    ended = threading.Event()
    thread = threading.Thread(target=_keep, args=(log, ended), daemon=True)
    with contextlib.suppress(AuditError):
        log.append(Start(version=version))
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        with contextlib.suppress(AuditError):
            log.append(Stop())
            log.sign()
        log.close()


def _keep(log: AuditLog, ended: threading.Event) -> None:
    minutes = 0
    while not ended.wait(_MINUTE):
        minutes += 1
        with contextlib.suppress(AuditError):
            if log.sign(anyway=minutes >= _MINUTES_OF_SILENCE):
                minutes = 0

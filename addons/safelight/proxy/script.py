"""The addon that `mitmdump -s addons/upload_guard.py` loads."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from safelight import assembly, paths
from safelight.proxy import guard
from safelight.proxy.gate import Gate
from safelight.reloading import Reloading

if TYPE_CHECKING:
    from safelight.case import Outcome
    from safelight.services import Destination

logger = logging.getLogger(__name__)


def _say_nothing(_destination: Destination, _outcome: Outcome) -> None:
    """mitmproxy's own console already shows each request."""


def _gate() -> Gate:
    guard.install()
    files = [Path(os.environ.get("SAFELIGHT_POLICY") or paths.default_policy())]
    reloading = Reloading(files, paths.default_state())
    audit = Path(os.environ.get("SAFELIGHT_AUDIT") or paths.default_audit())
    assembled = assembly.assemble(files, audit, paths.audit_keys(paths.default_state()))
    for problem in assembled.problems:
        logger.error("%s", problem)
    reloading.start(assembled)
    return Gate(assembled.engine, assembled.catalogue, _say_nothing)


addons = [_gate()]

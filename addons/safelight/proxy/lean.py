"""Without what mitmproxy does for people who watch it work: of the time that a small request takes,
a fifth went there.

It makes an event of each line of its log, for which the loop is woken through a pipe, and checks
the type of each field of each message that it has read itself.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from mitmproxy import http

if TYPE_CHECKING:
    from mitmproxy.master import Master


def install(master: Master) -> None:
    """Leave it out in this process, of which `master` is the one that runs."""
    master._legacy_log_events.uninstall()  # noqa: SLF001 - there is no option for it
    # Errors are what is shown of it, and not even they in full.
    logging.getLogger("mitmproxy").setLevel(logging.ERROR)
    http.MessageData.__post_init__ = _unchecked  # type: ignore[method-assign]


def _unchecked(_: http.MessageData) -> None:
    pass

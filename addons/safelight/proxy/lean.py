"""Without what mitmproxy does for people who watch it work: of the time that a small request takes,
a third went there.

It makes an event of each line of its log, for which the loop is woken through a pipe, checks the
type of each field of each message that it has read itself, copies each option deeply when it is
asked for, goes through five functions for each header field that it compares, and makes a server
for each request, only to put another in its place.
"""

from __future__ import annotations

import copy
import logging
from functools import lru_cache
from typing import TYPE_CHECKING

from mitmproxy import http, optmanager
from mitmproxy.proxy import context

if TYPE_CHECKING:
    from mitmproxy.master import Master

_IMMUTABLE = (bool, int, float, str, type(None))


def install(master: Master) -> None:
    """Leave it out in this process, of which `master` is the one that runs."""
    master._legacy_log_events.uninstall()  # noqa: SLF001 - there is no option for it
    # Errors are what is shown of it, and not even they in full.
    logging.getLogger("mitmproxy").setLevel(logging.ERROR)
    http.MessageData.__post_init__ = _unchecked  # type: ignore[method-assign]
    optmanager._Option.current = _current  # type: ignore[method-assign, assignment]  # noqa: SLF001
    http.Headers.get_all = _get_all  # type: ignore[method-assign, assignment]
    http.Headers.get = _get  # type: ignore[method-assign, assignment]
    http.Headers.__contains__ = _contains  # type: ignore[method-assign, assignment]
    context.Context.fork = _fork  # type: ignore[method-assign, assignment]


def _unchecked(_: http.MessageData) -> None:
    pass


def _current(option: optmanager._Option) -> object:
    value = option._default if option.value is optmanager.unset else option.value  # noqa: SLF001
    return value if isinstance(value, _IMMUTABLE) else copy.deepcopy(value)


def _get_all(headers: http.Headers, name: str | bytes) -> list[str]:
    wanted = _raw(name)
    return [
        value.decode("utf-8", "surrogateescape")
        for field, value in headers.fields
        if field.lower() == wanted
    ]


def _get(headers: http.Headers, name: str | bytes, default: object = None) -> object:
    values = _get_all(headers, name)
    return ", ".join(values) if values else default


def _contains(headers: http.Headers, name: object) -> bool:
    wanted = _raw(name) if isinstance(name, str | bytes) else None
    return any(field.lower() == wanted for field, _ in headers.fields)


def _fork(forked: context.Context) -> context.Context:
    fork = copy.copy(forked)
    fork.layers = forked.layers.copy()
    return fork


@lru_cache(1024)
def _raw(name: str | bytes) -> bytes:
    return (name if isinstance(name, bytes) else name.encode("utf-8", "surrogateescape")).lower()

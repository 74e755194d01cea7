"""Storage addresses that only a service's answer names: remembered, so that the upload which
follows is known to be one, and for which workspace.

Only hosts that the certificate authority may speak for are learnt. Of a storage host that
everybody shares, exactly the addresses named in an answer are meant, and only for a while.
"""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from safelight.services.hosts import normal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from safelight.services.model import Service

MOST_ADDRESSES = 2_000
LONGEST_ANSWER = 2_000_000
REMEMBERED = 3_600  # seconds: signed addresses are seldom valid for longer
_ADDRESS = re.compile(r"https://([A-Za-z0-9.-]{4,253})(?::443)?(/[^\s\"'\\<>?#]{0,2000})?")
_ESCAPES = {"\\/": "/", "\\u002F": "/", "\\u002f": "/", "\\u0026": "&"}


@dataclass(frozen=True, slots=True)
class _Address:
    service: Service
    family: str
    workspace: str | None
    until: float


class Learnt:
    """Addresses learnt from answers; `permitted` are the domains that may be learnt."""

    def __init__(
        self, permitted: tuple[str, ...], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._permitted = permitted
        self._clock = clock
        self._addresses: OrderedDict[tuple[str, str], _Address] = OrderedDict()
        self._hosts: dict[str, int] = {}

    def learn(self, service: Service, answer: str, workspace: str | None = None) -> None:
        """Remember every address of a permitted domain in an answer of `service` to a request that
        was for this workspace."""
        for host, path in _addresses(answer[:LONGEST_ANSWER]):
            family = self._family(host)
            if family is not None:
                address = _Address(service, f"*.{family}", workspace, self._until())
                self._remember((host, path), address)

    def covers(self, host: str) -> bool:
        """Was an address of this host learnt?"""
        self._forget()
        return normal(host) in self._hosts

    def find(self, host: str, path: str) -> tuple[Service, str] | None:
        """The service whose answer named this address, and the pattern of its host."""
        address = self._at(host, path)
        return (address.service, address.family) if address else None

    def workspace(self, service: Service, host: str, path: str) -> str | None:
        """The workspace of `service` for which its answer named this address, if that was said."""
        address = self._at(host, path)
        return address.workspace if address and address.service is service else None

    def _at(self, host: str, path: str) -> _Address | None:
        self._forget()
        return self._addresses.get((normal(host), _plain(path)))

    def _until(self) -> float:
        return self._clock() + REMEMBERED

    def _family(self, host: str) -> str | None:
        return next(
            (name for name in self._permitted if host == name or host.endswith(f".{name}")), None
        )

    def _remember(self, key: tuple[str, str], address: _Address) -> None:
        self._drop(key)
        self._addresses[key] = address
        self._hosts[key[0]] = self._hosts.get(key[0], 0) + 1
        while len(self._addresses) > MOST_ADDRESSES:
            self._drop(next(iter(self._addresses)))

    def _forget(self) -> None:
        """Addresses are in the order in which they are forgotten."""
        now = self._clock()
        while self._addresses:
            key, address = next(iter(self._addresses.items()))
            if address.until > now:
                return
            self._drop(key)

    def _drop(self, key: tuple[str, str]) -> None:
        if self._addresses.pop(key, None) is not None:
            self._hosts[key[0]] -= 1
            if not self._hosts[key[0]]:
                del self._hosts[key[0]]


def _addresses(answer: str) -> Iterator[tuple[str, str]]:
    for escaped, plain in _ESCAPES.items():
        answer = answer.replace(escaped, plain)
    for match in _ADDRESS.finditer(answer):
        yield normal(match[1]), _plain(match[2] or "/")


def _plain(path: str) -> str:
    """The path without its query, as its characters read."""
    return unquote(path.partition("?")[0])

"""All services: whose host is this, and which upload step is this request?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from safelight import documents
from safelight.services.hosts import HostIndex, fixed_suffix, is_address, normal
from safelight.services.hosts import matches as host_matches
from safelight.services.model import Service
from safelight.services.workspaces import workspace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from safelight.services.model import Host, Road

# Nobody's upload address is this long; a longer one is matched by its beginning.
_LONGEST_PATH = 4096
# More than a name may have (RFC 1035 section 2.3.4), with a dot behind it: that is nobody's.
_LONGEST_HOST = 255
_REMEMBERED = 1024

# What a ClientHello names in the open when its real name is encrypted (RFC 9849 section 6.1). A
# client that meets a certificate for it without ECH tries again with the real name.
ECH_PUBLIC_NAMES = frozenset({"cloudflare-ech.com"})
_WHOLE = frozenset(
    {"raw_body_api", "raw_put_presigned", "raw_put_ranges", "google_resumable", "rupload_raw"}
)


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a request goes: the service, the host pattern that says so, the step if known."""

    service: Service
    host_pattern: str
    road: Road | None = None

    def workspace(self, host: str, path: str, headers: Mapping[str, str]) -> str | None:
        """Which of the service's workspaces a request says it is for, in lower case; `headers`
        have lower-case names."""
        return workspace(self.service.workspace, host, path, headers)


class Catalogue:
    """Every known service. Make it with `Catalogue.load`."""

    def __init__(self, services: Mapping[str, Service]) -> None:
        self.services = services
        self._index: HostIndex[tuple[Service, Host]] = HostIndex()
        for service in services.values():
            for host in service.hosts:
                self._index.add(host.host, (service, host))
        # What a connection asks for, it asks for again.
        self._covers = lru_cache(_REMEMBERED)(self._is_covered)
        self._find = lru_cache(_REMEMBERED)(self._destination)

    @classmethod
    def load(cls, *folders: Path) -> Catalogue:
        """Read every `*.yaml` in `folders`. Raises documents.DocumentError with all problems."""
        services: dict[str, Service] = {}
        problems: list[documents.Problem] = []
        for path in sorted(path for folder in folders for path in folder.glob("*.yaml")):
            try:
                document = documents.read_file(path, Service)
            except documents.DocumentError as error:
                problems += error.problems
                continue
            service = document.value
            if service.id != path.stem:
                message = f"the file of `{service.id}` must be called {service.id}.yaml"
                problems.append(document.problem(("id",), message))
            if service.id in services:
                problems.append(document.problem(("id",), f"`{service.id}` is there twice"))
            services[service.id] = service
        if problems:
            raise documents.DocumentError(problems)
        if not services:
            where = ", ".join(map(str, folders))
            problem = documents.Problem(where, 1, 1, "no service files are here")
            raise documents.DocumentError([problem])
        return cls(dict(sorted(services.items())))

    def covers(self, host: str, port: int) -> bool:
        """Must a connection to this host be decrypted?"""
        return self._covers(host[:_LONGEST_HOST], port)

    def _is_covered(self, host: str, port: int) -> bool:
        return normal(host) in ECH_PUBLIC_NAMES or any(True for _ in self._entries(host, port))

    def behind(self, host: str, port: int) -> list[Destination]:
        """Every service that this host is of."""
        return [Destination(service, pattern) for pattern, service, _ in self._entries(host, port)]

    def takes_whole_pictures(self, host: str, port: int) -> bool:
        """May the body of a request to this host be a picture, of any size?"""
        return any(
            road.encoding in _WHOLE
            and (not road.hosts or any(host_matches(one, normal(host)) for one in road.hosts))
            for _, service, _ in self._entries(host, port)
            for road in service.roads
        )

    def find(self, host: str, port: int, method: str, path: str) -> Destination | None:
        """The service that a request goes to, or None when it is not on its way to any.

        `path` is path and query. Where several services share a host, the one whose upload step
        matches is meant: steps that carry pictures first, then hosts limited to matching paths,
        then the more specific host pattern.
        """
        return self._find(host[:_LONGEST_HOST], port, method, path[:_LONGEST_PATH])

    def _destination(self, host: str, port: int, method: str, path: str) -> Destination | None:
        best: Destination | None = None
        best_rank = (False, False, False)
        for pattern, service, entry in self._entries(host, port):
            if entry.paths and not any(_compiled(one).search(path) for one in entry.paths):
                continue
            road = _road(service, normal(host), method, path)
            carries_bytes = road is not None and road.role.carries_bytes
            rank = (carries_bytes, road is not None, bool(entry.paths))
            if best is None or rank > best_rank:
                best, best_rank = Destination(service, pattern, road), rank
        return best

    def host_patterns(self) -> tuple[str, ...]:
        """Every host elsewhere whose connections are opened, as names and patterns."""
        named = {
            host.host
            for service in self.services.values()
            for host in service.hosts
            if not _is_local(host.host)
        }
        return tuple(sorted(named | ECH_PUBLIC_NAMES))

    def permitted_names(self) -> tuple[str, ...]:
        """The DNS names that cover every host, for a certificate's name constraints."""
        names = {
            fixed_suffix(host.host)
            for service in self.services.values()
            for host in service.hosts
            if not _is_local(host.host)
        }
        names |= ECH_PUBLIC_NAMES
        return tuple(sorted(name for name in names if not _covered_by_another(name, names)))

    def _entries(self, host: str, port: int) -> Iterator[tuple[str, Service, Host]]:
        for pattern, (service, entry) in self._index.find(host):
            if entry.port is None or entry.port == port:
                yield pattern, service, entry


def _road(service: Service, host: str, method: str, path: str) -> Road | None:
    found = [
        road
        for road in service.roads
        if (not road.methods or method in road.methods)
        and (not road.hosts or any(host_matches(pattern, host) for pattern in road.hosts))
        and _compiled(road.path).search(path)
    ]
    return min(found, key=lambda road: not road.role.carries_bytes, default=None)


@lru_cache(maxsize=2048)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _is_local(host: str) -> bool:
    return host == "localhost" or is_address(host)


def _covered_by_another(name: str, names: set[str]) -> bool:
    labels = name.split(".")
    return any(".".join(labels[start:]) in names for start in range(1, len(labels)))

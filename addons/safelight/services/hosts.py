"""Host patterns: exact names, or names with `*` in their labels. Never a substring."""

from __future__ import annotations

import contextlib
import ipaddress
import re
from dataclasses import dataclass, field
from functools import lru_cache

_LABEL = r"(?:[a-z0-9_*](?:[a-z0-9_*-]*[a-z0-9_*])?)"
_PATTERN = re.compile(rf"{_LABEL}(?:\.{_LABEL})+|localhost")
_WILDCARDS_ALLOWED_IN = "a pattern names at least two labels behind its last `*`"
# `*.co.uk` would be everybody in a country.
_COUNTRY_REGISTRY = re.compile(r"(?:ac|co|com|edu|gov|net|ne|or|org)\.[a-z]{2}")
# RFC 1035 section 2.3.4; no name that is longer can be resolved.
_LONGEST_NAME = 253


def normal(host: str) -> str:
    """`host` as it is compared: lower case, no trailing dot, IDNA in its ASCII form."""
    if not host.isascii() and len(host) <= _LONGEST_NAME:
        with contextlib.suppress(UnicodeError):
            host = host.encode("idna").decode("ascii")
    return host.lower().removesuffix(".")


def check(pattern: str) -> str:
    """`pattern` itself, if it is one. Raises ValueError with what is wrong."""
    if is_address(pattern):
        return pattern
    if not _PATTERN.fullmatch(pattern):
        raise ValueError(f"{pattern!r} is not a host name in lower case, or one with * in it")
    labels = pattern.split(".")
    if any("**" in label for label in labels):
        raise ValueError("one * is enough in a row")
    suffix = fixed_suffix(pattern)
    if "*" in pattern and len(suffix.split(".")) < 2:
        raise ValueError(_WILDCARDS_ALLOWED_IN)
    if _COUNTRY_REGISTRY.fullmatch(suffix):
        raise ValueError(f"{suffix} is where others register their names")
    return pattern


def fixed_suffix(pattern: str) -> str:
    """The labels behind the last one that has a `*`; the whole name when there is none."""
    labels = pattern.split(".")
    starred = [position for position, label in enumerate(labels) if "*" in label]
    return ".".join(labels[starred[-1] + 1 :]) if starred else pattern


@lru_cache(1 << 14)
def matches(pattern: str, host: str) -> bool:
    """Does normal `host` match? A leading label `*` stands for one label or more."""
    wanted, labels = pattern.split("."), host.split(".")
    if wanted[0] == "*" and len(labels) > len(wanted):
        labels = labels[len(labels) - len(wanted) :]
    return len(wanted) == len(labels) and all(
        _label_matches(one, label) for one, label in zip(wanted, labels, strict=True)
    )


def _label_matches(pattern: str, label: str) -> bool:
    if not label:
        return False
    first, *rest = pattern.split("*")
    if not rest:
        return label == pattern
    if not label.startswith(first):
        return False
    position = len(first)
    for piece in rest[:-1]:
        found = label.find(piece, position)
        if found < 0:
            return False
        position = found + len(piece)
    return len(label) - len(rest[-1]) >= position and label.endswith(rest[-1])


def is_address(host: str) -> bool:
    """Is it an IP address rather than a name?"""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@dataclass(slots=True)
class HostIndex[T]:
    """Finds what belongs to a host without trying every pattern."""

    _exact: dict[str, list[tuple[str, T]]] = field(default_factory=dict)
    _by_suffix: dict[str, list[tuple[str, T]]] = field(default_factory=dict)

    def add(self, pattern: str, value: T) -> None:
        """Store `value` under a checked pattern."""
        table = self._by_suffix if "*" in pattern else self._exact
        table.setdefault(fixed_suffix(pattern), []).append((pattern, value))

    def find(self, host: str) -> list[tuple[str, T]]:
        """Every pattern that matches `host`, the more specific first, with its value."""
        host = normal(host)
        if len(host) > _LONGEST_NAME:
            return []
        found = list(self._exact.get(host, ()))
        labels = host.split(".")
        for start in range(1, len(labels)):
            for pattern, value in self._by_suffix.get(".".join(labels[start:]), ()):
                if matches(pattern, host):
                    found.append((pattern, value))
        return found

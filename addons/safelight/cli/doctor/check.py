"""What is looked at, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

    from safelight.services import Catalogue


@dataclass(frozen=True, slots=True)
class Looked:
    """Where to look. `proxy` is ADDR:PORT."""

    proxy: str
    policies: tuple[Path, ...]
    audit: Path
    state: Path
    catalogue: Catalogue


@dataclass(frozen=True, slots=True)
class Check:
    """One line: well, worth knowing, or wrong; and what mends it."""

    state: Literal["ok", "note", "wrong"]
    name: str
    says: str
    mends: str = ""


def ok(name: str, says: str) -> Check:
    """All is well."""
    return Check("ok", name, says)


def note(name: str, says: str, mends: str = "") -> Check:
    """It may concern somebody."""
    return Check("note", name, says, mends)


def wrong(name: str, says: str, mends: str) -> Check:
    """It has to be mended."""
    return Check("wrong", name, says, mends)

"""What is looked at, and what comes of it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from safelight import paths
from safelight.cli import words

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

    def run(self, proxy: str | None = None) -> str:
        """The command that starts the proxy, `proxy` somewhere else."""
        named = [path for path in self.policies if path != paths.default_policy()]
        options = [word for path in named for word in ("--policy", str(path))]
        if self.audit != paths.default_audit():
            options += ["--audit", str(self.audit)]
        return self._command("run", "--listen", proxy or self.proxy, *options)

    def set_up(self) -> str:
        """The command that sets this computer up."""
        return self._command("setup", "--listen", self.proxy)

    def rotate(self) -> str:
        """The command that makes a new certificate."""
        return self._command("ca", "rotate")

    def _command(self, *rest: str) -> str:
        state = ["--state", str(self.state)] if self.state != paths.default_state() else []
        return f"{words.program()} {shlex.join([*rest, *state])}"


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

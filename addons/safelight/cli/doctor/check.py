"""What is looked at, and what comes of it."""

from __future__ import annotations

import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from safelight import paths

if TYPE_CHECKING:
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

    def _command(self, *words: str) -> str:
        state = ["--state", str(self.state)] if self.state != paths.default_state() else []
        return f"{program()} {shlex.join([*words, *state])}"


def program() -> str:
    """How a shell finds this program: by its name, or where it was called from."""
    called = Path(sys.argv[0])
    found = called.name == "safelight" and not shutil.which(called.name)
    return shlex.quote(str(called)) if found else "safelight"


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

"""macOS: an agent of launchd that starts with this person's session."""

from __future__ import annotations

import os
import plistlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from safelight.steps import Part, Remove, Run, Write

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from safelight.steps import Step

LABEL = "org.safelight.proxy"


@dataclass(frozen=True, slots=True)
class Agent(Part):
    """It is started again whenever it ends by itself."""

    command: tuple[str, ...]
    home: Path
    id: str = "launch-agent"
    says: str = "start Safelight when you log in"

    @property
    def path(self) -> Path:
        """Where launchd looks for it."""
        return self.home / "Library/LaunchAgents" / f"{LABEL}.plist"

    def is_done(self) -> bool:
        """Is it there as it would be now?"""
        return self._file.is_done()

    def do(self) -> tuple[Step, ...]:
        """Write it, and start it."""
        started = Run(("launchctl", "bootstrap", _session(), str(self.path)))
        return self._file, started

    def undo(self, before: Mapping[str, str]) -> tuple[Step, ...]:
        """Stop it, and take it away."""
        del before
        if not self.path.exists():
            return ()
        stopped = Run(("launchctl", "bootout", f"{_session()}/{LABEL}"))
        return stopped, Remove((self.path,), self.home)

    @property
    def _file(self) -> Write:
        told = {
            "Label": LABEL,
            "ProgramArguments": list(self.command),
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "Umask": 0o077,
        }
        return Write(self.path, plistlib.dumps(told).decode())


def _session() -> str:
    return f"gui/{os.getuid() if hasattr(os, 'getuid') else 0}"

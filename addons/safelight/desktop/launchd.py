"""macOS: an agent of launchd that starts with this person's session."""

from __future__ import annotations

import os
import plistlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from safelight.steps import Remove, Run, Write

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from safelight.steps import Step

LABEL = "org.safelight.proxy"


@dataclass(frozen=True, slots=True)
class Agent:
    """It is started again whenever it ends by itself."""

    command: tuple[str, ...]
    home: Path
    id: str = "launch-agent"
    says: str = "start Safelight when you log in"

    @property
    def path(self) -> Path:
        """Where launchd looks for it."""
        return self.home / "Library/LaunchAgents" / f"{LABEL}.plist"

    def lacks(self) -> str | None:
        """Nothing: launchd comes with macOS."""
        return None

    def is_done(self) -> bool:
        """Is it there as it would be now?"""
        try:
            return self.path.read_text() == self._text
        except OSError:
            return False

    def before(self) -> Mapping[str, str]:
        """Nothing that is not ours is touched."""
        return {}

    def do(self) -> tuple[Step, ...]:
        """Write it, and start it."""
        started = Run(("launchctl", "bootstrap", _session(), str(self.path)))
        return Write(self.path, self._text), started

    def undo(self, before: Mapping[str, str]) -> tuple[Step, ...]:
        """Stop it, and take it away."""
        del before
        if not self.path.exists():
            return ()
        stopped = Run(("launchctl", "bootout", f"{_session()}/{LABEL}"))
        return stopped, Remove((self.path,), self.home)

    @property
    def _text(self) -> str:
        told = {
            "Label": LABEL,
            "ProgramArguments": list(self.command),
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "Umask": 0o077,
        }
        return plistlib.dumps(told).decode()


def _session() -> str:
    return f"gui/{os.getuid() if hasattr(os, 'getuid') else 0}"

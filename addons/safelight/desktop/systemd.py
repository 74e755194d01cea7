"""Linux: a unit of this person's systemd."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from safelight.steps import Part, Remove, Run, Write

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from safelight.steps import Step

UNIT = "safelight.service"
_TEXT = """\
[Unit]
Description=Safelight: photos on their way to AI services say nothing but what they show

[Service]
ExecStart={command}
Restart=on-failure
UMask=0077
NoNewPrivileges=yes

[Install]
WantedBy=default.target
"""


def is_here() -> bool:
    """Did systemd start this system?"""
    return Path("/run/systemd/system").is_dir()


@dataclass(frozen=True, slots=True)
class UserUnit(Part):
    """It is started again whenever it ends with a failure."""

    command: tuple[str, ...]
    config: Path
    home: Path
    id: str = "systemd-unit"
    says: str = "start Safelight when you log in"

    @property
    def path(self) -> Path:
        """Where systemd looks for it."""
        return self.config / "systemd/user" / UNIT

    def is_done(self) -> bool:
        """Is it there as it would be now?"""
        return self._file.is_done()

    def do(self) -> tuple[Step, ...]:
        """Write it, and start it."""
        return (
            self._file,
            Run(("systemctl", "--user", "daemon-reload")),
            Run(("systemctl", "--user", "enable", "--now", UNIT)),
        )

    def undo(self, before: Mapping[str, str]) -> tuple[Step, ...]:
        """Stop it, and take it away."""
        del before
        if not self.path.exists():
            return ()
        return (
            Run(("systemctl", "--user", "disable", "--now", UNIT)),
            Remove((self.path,), self.home),
            Run(("systemctl", "--user", "daemon-reload")),
        )

    @property
    def _file(self) -> Write:
        return Write(self.path, _TEXT.format(command=_quoted(self.command)))


def _quoted(command: Sequence[str]) -> str:
    """As systemd.service(5) reads it: `%` and `$` mean something there."""
    words = (
        word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
        for word in command
    )
    return " ".join(f'"{word}"' for word in words)

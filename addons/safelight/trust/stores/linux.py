"""What curl, git and most programs of a Linux system trust: a folder of certificates, and a command
that makes a bundle of them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from safelight.steps import Part, Run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safelight.steps import Step

# Debian and its like; Fedora and its like; Arch; openSUSE.
_FAMILIES = (
    ("/usr/local/share/ca-certificates", ("update-ca-certificates",)),
    ("/etc/pki/ca-trust/source/anchors", ("update-ca-trust", "extract")),
    ("/etc/ca-certificates/trust-source/anchors", ("trust", "extract-compat")),
    ("/etc/pki/trust/anchors", ("update-ca-certificates",)),
)


def system_store(certificate: Path) -> SystemStore | None:
    """The store of this system, if it is of a kind that is known."""
    for folder, command in _FAMILIES:
        if Path(folder).is_dir() and shutil.which(command[0]):
            return SystemStore(certificate, Path(folder), command)
    return None


@dataclass(frozen=True, slots=True)
class SystemStore(Part):
    """`folder` holds what is added by hand, `command` makes the bundle anew."""

    certificate: Path
    folder: Path
    command: tuple[str, ...]
    id: str = "system-store"
    says: str = "let programs of this system trust the certificate (curl, git and others)"

    @property
    def copy(self) -> Path:
        """Our certificate there; Debian wants this ending."""
        return self.folder / "safelight-ca.crt"

    def is_done(self) -> bool:
        """Is the certificate of now there?"""
        try:
            return self.copy.read_bytes() == self.certificate.read_bytes()
        except OSError:
            return False

    def do(self) -> tuple[Step, ...]:
        """Put it there."""
        put = ("install", "-m", "644", str(self.certificate), str(self.copy))
        return Run(put, as_root=True), Run(self.command, as_root=True)

    def undo(self, before: Mapping[str, str]) -> tuple[Step, ...]:
        """Take it away."""
        del before
        if not self.copy.exists():
            return ()
        return Run(("rm", "-f", str(self.copy)), as_root=True), Run(self.command, as_root=True)

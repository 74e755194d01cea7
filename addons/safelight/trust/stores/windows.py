"""This person's root store of Windows, which Edge, Chrome and, by default, Firefox go by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from safelight.steps import Part, Run, said
from safelight.trust.stores.macos import fingerprint

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from safelight.steps import Step

_STORE = ("certutil.exe", "-user")


@dataclass(frozen=True, slots=True)
class RootStore(Part):
    """Windows asks once more before it trusts."""

    certificate: Path
    id: str = "root-store"
    says: str = "let Edge, Chrome and Firefox trust the certificate (Windows asks once more)"

    def is_done(self) -> bool:
        """Is it there?"""
        return said(*_STORE, "-store", "Root", fingerprint(self.certificate)) is not None

    def before(self) -> Mapping[str, str]:
        """Which certificate goes in."""
        return {"sha1": fingerprint(self.certificate)}

    def do(self) -> tuple[Step, ...]:
        """Put it there."""
        return (Run((*_STORE, "-addstore", "Root", str(self.certificate))),)

    def undo(self, before: Mapping[str, str]) -> tuple[Step, ...]:
        """Take out the certificate that went in."""
        sha1 = before.get("sha1", "")
        if not sha1 or said(*_STORE, "-store", "Root", sha1) is None:
            return ()
        return (Run((*_STORE, "-delstore", "Root", sha1)),)

"""NSS databases: what Chromium and Chrome on Linux trust, and every profile of Firefox."""

from __future__ import annotations

import shutil
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from safelight.steps import Part, Remove, Run, said

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from safelight.steps import Step

NICKNAME = "Safelight root (AI services only)"
_FILES = ("cert9.db", "key4.db", "pkcs11.txt")
_CHROMES = (".pki/nssdb", "snap/chromium/current/.pki/nssdb")
_FIREFOXES = (
    ".mozilla/firefox",
    "snap/firefox/common/.mozilla/firefox",
    ".var/app/org.mozilla.firefox/.mozilla/firefox",
)


def databases(certificate: Path, home: Path) -> Iterator[Database]:
    """Those of the programs that are there, or were."""
    for place in _CHROMES:
        folder = home / place
        # Chromium makes its own when it first needs one, without asking for another.
        if folder.is_dir() or (place == _CHROMES[0] and _has_chromium()):
            yield Database(certificate, folder, home, "Chromium and Chrome")
    for place in _FIREFOXES:
        for profile in sorted((home / place).glob("*/cert9.db")):
            yield Database(certificate, profile.parent, home, f"Firefox ({profile.parent.name})")


def _has_chromium() -> bool:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "brave")
    return any(map(shutil.which, names))


@dataclass(frozen=True, slots=True)
class Database(Part):
    """One database, in `folder`."""

    certificate: Path
    folder: Path
    home: Path
    program: str

    @property
    def id(self) -> str:
        """Where it is."""
        return f"nss:{self.folder.relative_to(self.home)}"

    @property
    def says(self) -> str:
        """Who trusts then."""
        return f"let {self.program} trust the certificate"

    def lacks(self) -> str | None:
        """Mozilla's `certutil`."""
        if shutil.which("certutil"):
            return None
        return (
            f"{self.program} needs `certutil`: install libnss3-tools (Debian, Ubuntu), nss-tools "
            "(Fedora), nss (Arch) or mozilla-nss-tools (openSUSE), and run this again."
        )

    def is_done(self) -> bool:
        """Is the certificate of now trusted there?"""
        pem = said("certutil", "-L", "-d", self._name, "-n", NICKNAME, "-a")
        if pem is None or not self.certificate.exists():
            return False
        return ssl.PEM_cert_to_DER_cert(pem) == ssl.PEM_cert_to_DER_cert(
            self.certificate.read_text()
        )

    def before(self) -> Mapping[str, str]:
        """Was there a database?"""
        return {"database": "there" if (self.folder / _FILES[0]).exists() else "none"}

    def do(self) -> tuple[Step, ...]:
        """Make the database if there is none; take out an older certificate; put this one in."""
        steps: list[Step] = []
        if not (self.folder / _FILES[0]).exists():
            steps += [
                Run(("mkdir", "-p", "-m", "700", str(self.folder))),
                Run(("certutil", "-N", "-d", self._name, "--empty-password")),
            ]
        elif said("certutil", "-L", "-d", self._name, "-n", NICKNAME) is not None:
            steps.append(self._delete)
        add = ("certutil", "-A", "-d", self._name, "-t", "C,,", "-n", NICKNAME)
        return *steps, Run((*add, "-i", str(self.certificate)))

    def undo(self, before: Mapping[str, str]) -> tuple[Step, ...]:
        """Take it out; and the database, if it was made for this and holds nothing else."""
        listed = said("certutil", "-L", "-d", self._name)
        if listed is None or NICKNAME not in listed:
            return ()
        # Behind four lines of heading stands one for each certificate.
        alone = len([line for line in listed.splitlines() if line.strip()]) <= 3
        has_keys = said("certutil", "-K", "-d", self._name) is not None
        if before.get("database") == "none" and alone and not has_keys:
            ours = Remove(tuple(self.folder / name for name in _FILES), self.home)
            return self._delete, ours
        return (self._delete,)

    @property
    def _name(self) -> str:
        return f"sql:{self.folder}"

    @property
    def _delete(self) -> Run:
        return Run(("certutil", "-D", "-d", self._name, "-n", NICKNAME))

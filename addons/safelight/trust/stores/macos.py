"""The login keychain of macOS, which Safari, Chrome and, by default, Firefox go by."""

from __future__ import annotations

import hashlib
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from safelight.steps import Part, Run, said

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from safelight.steps import Step


@dataclass(frozen=True, slots=True)
class Keychain(Part):
    """This person's keychain."""

    certificate: Path
    home: Path
    id: str = "keychain"
    says: str = (
        "let Safari, Chrome and Firefox trust the certificate (macOS asks for your password)"
    )

    def is_done(self) -> bool:
        """Is it there, and trusted?"""
        return said("security", "verify-cert", "-c", str(self.certificate), "-l", "-L") is not None

    def before(self) -> Mapping[str, str]:
        """Which certificate goes in."""
        return {"sha1": fingerprint(self.certificate)}

    def do(self) -> tuple[Step, ...]:
        """Trust it for TLS."""
        add = ("security", "add-trusted-cert", "-r", "trustRoot", "-p", "ssl")
        return (Run((*add, "-k", self._keychain, str(self.certificate))),)

    def undo(self, before: Mapping[str, str]) -> tuple[Step, ...]:
        """Take out the certificate that went in, and that it is trusted."""
        sha1 = before.get("sha1", "")
        listed = said("security", "find-certificate", "-a", "-Z", self._keychain) or ""
        if not sha1 or sha1 not in listed:
            return ()
        return (Run(("security", "delete-certificate", "-t", "-Z", sha1, self._keychain)),)

    @property
    def _keychain(self) -> str:
        return str(self.home / "Library/Keychains/login.keychain-db")


def fingerprint(certificate: Path) -> str:
    """The SHA-1 by which systems call a certificate, in upper-case hexadecimal."""
    der = ssl.PEM_cert_to_DER_cert(certificate.read_text())
    return hashlib.sha1(der, usedforsecurity=False).hexdigest().upper()

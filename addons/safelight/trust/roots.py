"""Which roots the origins' certificates are checked against."""

from __future__ import annotations

import ssl
from pathlib import Path

import certifi
from cryptography import x509

from safelight.trust.authority import AuthorityError

BUNDLE_FILE = "upstream-roots.pem"
PROGRAMS_FILE = "program-roots.pem"


def count() -> int:
    """How many public roots there are. Raises AuthorityError if they cannot be read."""
    public = Path(certifi.where())
    try:
        return ssl.create_default_context(cafile=str(public)).cert_store_stats()["x509_ca"]
    except OSError as error:
        raise AuthorityError(f"{public} cannot be used as roots: {error}") from error


def bundle(folder: Path, further: Path | None) -> Path:
    """A PEM file of the public roots and those in `further`, written to `folder` if needed.

    Raises AuthorityError when `further` holds no certificates.
    """
    if further is None:
        return Path(certifi.where())
    return _joined(folder / BUNDLE_FILE, further)


def for_programs(folder: Path, own: Path) -> Path:
    """A PEM file of the public roots and our `own`, written to `folder`: for programs that take one
    file in place of what the system trusts. Raises AuthorityError."""
    return _joined(folder / PROGRAMS_FILE, own)


def _joined(target: Path, further: Path) -> Path:
    try:
        added = further.read_bytes()
        x509.load_pem_x509_certificates(added)
        target.write_bytes(Path(certifi.where()).read_bytes() + b"\n" + added)
    except (OSError, ValueError) as error:
        raise AuthorityError(f"{further} cannot be used as further roots: {error}") from error
    return target

"""Trust: the constrained authority, and the roots that origins are checked against."""

from safelight.trust import pac
from safelight.trust.authority import (
    ROOT_FILE,
    Authority,
    AuthorityError,
    describe,
    exported,
    files,
    open_existing,
    open_or_create,
    remove,
    rotate,
)
from safelight.trust.roots import PROGRAMS_FILE, bundle, for_programs

__all__ = [
    "PROGRAMS_FILE",
    "ROOT_FILE",
    "Authority",
    "AuthorityError",
    "bundle",
    "describe",
    "exported",
    "files",
    "for_programs",
    "open_existing",
    "open_or_create",
    "pac",
    "remove",
    "rotate",
]

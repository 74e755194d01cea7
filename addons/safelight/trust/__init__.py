"""Trust: the constrained authority, and the roots that origins are checked against."""

from safelight.trust import pac
from safelight.trust.authority import (
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
from safelight.trust.roots import bundle

__all__ = [
    "Authority",
    "AuthorityError",
    "bundle",
    "describe",
    "exported",
    "files",
    "open_existing",
    "open_or_create",
    "pac",
    "remove",
    "rotate",
]

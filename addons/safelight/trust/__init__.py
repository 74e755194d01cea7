"""Trust: the constrained authority, and the roots that origins are checked against."""

from safelight.trust.authority import Authority, AuthorityError, open_or_create
from safelight.trust.roots import bundle

__all__ = ["Authority", "AuthorityError", "bundle", "open_or_create"]

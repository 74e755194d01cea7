"""Which workspace of a service a request is for: its organization, account, tenant or project.

A request says it in a header, its path or its host, where it says it at all. The service checks
that who asks belongs there; what is read here is what was asked for.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from safelight.services.hosts import matches, normal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from safelight.services.model import Sign

_LONGEST_PATH = 4096
# A header that comes twice reads as `a, b`, which is no name of a workspace.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,199}")


def workspace(
    signs: Iterable[Sign], host: str, path: str, headers: Mapping[str, str]
) -> str | None:
    """The workspace that a request says, in lower case; None if it says none, or several.
    `headers` have lower-case names."""
    known = (_said(sign, normal(host), path[:_LONGEST_PATH], headers) for sign in signs)
    said = {one for one in known if one is not None}
    if len(said) != 1:
        return None
    [only] = said
    return only.lower() if _NAME.fullmatch(only) else None


def _said(sign: Sign, host: str, path: str, headers: Mapping[str, str]) -> str | None:
    if sign.hosts and not any(matches(one, host) for one in sign.hosts):
        return None
    if sign.header is not None:
        return headers.get(sign.header)
    pattern, text = (sign.path, path) if sign.path is not None else (sign.host, host)
    found = re.search(pattern or "", text)
    return found[1] if found else None

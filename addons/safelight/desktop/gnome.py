"""The proxy setting of GNOME and its relatives, which Chromium, Chrome and Firefox follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from safelight.steps import Part, Run, said

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safelight.steps import Step

_SCHEMA = "org.gnome.system.proxy"
_DEFAULTS = {"mode": "'none'", "autoconfig-url": "''"}


def is_here() -> bool:
    """Does this system know the setting?"""
    return _SCHEMA in (said("gsettings", "list-schemas") or "").split()


@dataclass(frozen=True, slots=True)
class Proxy(Part):
    """The script stands in the setting itself: a browser that finds none goes past the proxy."""

    script: str
    id: str = "gnome-proxy"
    says: str = "send AI services through Safelight, in the network settings of the desktop"

    def is_done(self) -> bool:
        """Is it set as it would be now?"""
        return self.before() == {"mode": "'auto'", "autoconfig-url": f"'{self.script}'"}

    def before(self) -> Mapping[str, str]:
        """What is set now, as GVariant text."""
        return {key: (said("gsettings", "get", _SCHEMA, key) or "").strip() for key in _DEFAULTS}

    def do(self) -> tuple[Step, ...]:
        """Set it; the script first, so that there never is none."""
        return (
            Run(("gsettings", "set", _SCHEMA, "autoconfig-url", f"'{self.script}'")),
            Run(("gsettings", "set", _SCHEMA, "mode", "'auto'")),
        )

    def undo(self, before: Mapping[str, str]) -> tuple[Step, ...]:
        """Set what was set before, if it is still ours."""
        if "FindProxyForURL" not in self.before()["autoconfig-url"]:
            return ()
        return tuple(
            Run(("gsettings", "reset", _SCHEMA, key))
            if before.get(key, default) == default
            else Run(("gsettings", "set", _SCHEMA, key, before[key]))
            for key, default in _DEFAULTS.items()
        )

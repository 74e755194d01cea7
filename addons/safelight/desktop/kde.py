"""The proxy setting of KDE Plasma, which its own programs, Chromium and Chrome follow."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from safelight.steps import Part, Run, said

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safelight.steps import Step

_WHERE = ("--file", "kioslaverc", "--group", "Proxy Settings", "--key")
_KIND, _SCRIPT = "ProxyType", "Proxy Config Script"
_BY_SCRIPT = "2"


def is_here() -> bool:
    """Is this session one of KDE's?"""
    return "KDE" in os.environ.get("XDG_CURRENT_DESKTOP", "").split(":") and bool(_version())


def _version() -> str:
    return next((one for one in "65" if shutil.which(f"kwriteconfig{one}")), "")


@dataclass(frozen=True, slots=True)
class Proxy(Part):
    """The script stands in the setting itself: a browser that finds none goes past the proxy."""

    script: str
    id: str = "kde-proxy"
    says: str = "send AI services through Safelight, in the network settings of Plasma"

    def is_done(self) -> bool:
        """Is it set as it would be now?"""
        return self.before() == {_KIND: _BY_SCRIPT, _SCRIPT: self.script}

    def before(self) -> Mapping[str, str]:
        """What is set now; "" for nothing."""
        read = f"kreadconfig{_version()}"
        return {key: (said(read, *_WHERE, key) or "").strip() for key in (_KIND, _SCRIPT)}

    def do(self) -> tuple[Step, ...]:
        """Set it; the script first, so that there never is none."""
        return self._set(_SCRIPT, self.script), self._set(_KIND, _BY_SCRIPT)

    def undo(self, before: Mapping[str, str]) -> tuple[Step, ...]:
        """Set what was set before, if it is still ours."""
        if "FindProxyForURL" not in self.before()[_SCRIPT]:
            return ()
        return tuple(self._set(key, before.get(key, "")) for key in (_KIND, _SCRIPT))

    def _set(self, key: str, value: str) -> Step:
        what = (value,) if value else ("--delete", "")
        return Run((f"kwriteconfig{_version()}", *_WHERE, key, *what))

"""Windows: the proxy setting that Edge, Chrome and Firefox follow, and a task at logon."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from safelight.steps import Part, Run, said

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safelight.steps import Step

_KEY = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Internet Settings"
_VALUE = "AutoConfigURL"
_TASK = "Safelight"


@dataclass(frozen=True, slots=True)
class InternetSettings(Part):
    """`address` is where the script is read from."""

    address: str
    id: str = "internet-settings"
    says: str = "send AI services through Safelight, in the proxy settings of Windows"

    def is_done(self) -> bool:
        """Is it set as it would be now?"""
        return self.before() == {_VALUE: self.address}

    def before(self) -> Mapping[str, str]:
        """What is set now; "" for nothing."""
        listed = said("reg", "query", _KEY, "/v", _VALUE) or ""
        match = re.search(rf"{_VALUE}\s+REG_SZ\s+(\S+)", listed)
        return {_VALUE: match[1] if match else ""}

    def do(self) -> tuple[Step, ...]:
        """Set it."""
        return (self._set(self.address),)

    def undo(self, before: Mapping[str, str]) -> tuple[Step, ...]:
        """Set what was set before, if it is still ours."""
        if not self.is_done():
            return ()
        if before.get(_VALUE):
            return (self._set(before[_VALUE]),)
        return (Run(("reg", "delete", _KEY, "/v", _VALUE, "/f")),)

    def _set(self, url: str) -> Step:
        return Run(("reg", "add", _KEY, "/v", _VALUE, "/t", "REG_SZ", "/d", url, "/f"))


@dataclass(frozen=True, slots=True)
class LogonTask(Part):
    """A scheduled task of this person."""

    command: tuple[str, ...]
    id: str = "logon-task"
    says: str = "start Safelight when you log in"

    def is_done(self) -> bool:
        """Is there such a task?"""
        return said("schtasks", "/Query", "/TN", _TASK) is not None

    def do(self) -> tuple[Step, ...]:
        """Make it, and start it."""
        task = ("schtasks", "/Create", "/SC", "ONLOGON", "/TN", _TASK, "/F", "/RL", "LIMITED")
        return (
            Run((*task, "/TR", subprocess.list2cmdline(self.command))),
            Run(("schtasks", "/Run", "/TN", _TASK)),
        )

    def undo(self, before: Mapping[str, str]) -> tuple[Step, ...]:
        """End it, and take it away."""
        del before
        if not self.is_done():
            return ()
        return (
            Run(("schtasks", "/End", "/TN", _TASK)),
            Run(("schtasks", "/Delete", "/TN", _TASK, "/F")),
        )

"""The proxy setting of macOS: one for each network service (Wi-Fi, Ethernet and so on)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from safelight.steps import Part, Run, said

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safelight.steps import Step

_TOOL = "networksetup"
_SAID = re.compile(r"URL: (?P<url>.*)\nEnabled: (?P<enabled>Yes|No)")


@dataclass(frozen=True, slots=True)
class Networks(Part):
    """All of them; `address` is where the script is read from."""

    address: str
    id: str = "network-proxy"
    says: str = "send AI services through Safelight, in the network settings of macOS"

    def is_done(self) -> bool:
        """Is it set for every network?"""
        return all(one == f"Yes {self.address}" for one in self.before().values())

    def before(self) -> Mapping[str, str]:
        """Of each network, whether a script is used, and which."""
        found = {}
        for network in self._networks():
            match = _SAID.search(said(_TOOL, "-getautoproxyurl", network) or "")
            found[network] = f"{match['enabled']} {match['url']}" if match else "No (null)"
        return found

    def do(self) -> tuple[Step, ...]:
        """Set it for every network."""
        return tuple(
            Run((_TOOL, "-setautoproxyurl", network, self.address)) for network in self._networks()
        )

    def undo(self, before: Mapping[str, str]) -> tuple[Step, ...]:
        """Set what was set before, where it is still ours."""
        steps: list[Step] = []
        for network, now in self.before().items():
            enabled, _, url = before.get(network, "No (null)").partition(" ")
            if now.endswith(self.address):
                if url not in {"", "(null)"}:
                    steps.append(Run((_TOOL, "-setautoproxyurl", network, url)))
                if enabled == "No":
                    steps.append(Run((_TOOL, "-setautoproxystate", network, "off")))
        return tuple(steps)

    def _networks(self) -> list[str]:
        # The first line is a sentence; a star marks a service that is switched off.
        lines = (said(_TOOL, "-listallnetworkservices") or "").splitlines()[1:]
        return [line for line in lines if line and not line.startswith("*")]

"""Network namespaces: devices of their own, each on a cable to this machine (ip-netns(8))."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import tools

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Device:
    """A device with the address `own`; this machine is `here` for it."""

    name: str
    own: str
    here: str

    @property
    def tunnel(self) -> str:
        """A name for a tunnel that no other device has one of: their sockets share a folder."""
        return self.name.replace("safelight-", "wg")

    def command(self, *arguments: str | Path) -> list[str]:
        """The command that runs another on the device."""
        return [tools.needed("ip"), "netns", "exec", self.name, *map(str, arguments)]

    def run(self, *arguments: str | Path) -> str:
        """What a command on the device prints. Raises CalledProcessError."""
        return subprocess.check_output(self.command(*arguments), text=True, timeout=60)

    def use_name_server(self, address: str) -> None:
        """Let commands on the device look names up there."""
        folder = Path("/etc/netns") / self.name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "resolv.conf").write_text(f"nameserver {address}\noptions timeout:3\n")


@contextmanager
def device(number: int, network: str) -> Iterator[Device]:
    """A device on a cable of its own; `network` is three bytes of its addresses, as `192.168.7`."""
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    name, cable = f"safelight-{os.getpid()}-{number}", f"sl{number}x{os.getpid()}"
    made = Device(name, f"{network}.2", f"{network}.1")
    ip = tools.needed("ip")
    for command in (
        f"netns add {name}",
        f"link add {cable} type veth peer name eth0 netns {name}",
        f"address add {made.here}/24 dev {cable}",
        f"link set {cable} up",
        f"-n {name} link set lo up",
        f"-n {name} address add {made.own}/24 dev eth0",
        f"-n {name} link set eth0 up",
        f"-n {name} route add default via {made.here}",
    ):
        subprocess.run([ip, *command.split()], check=True)
    try:
        yield made
    finally:
        subprocess.run([ip, "netns", "delete", name], check=True)
        subprocess.run([ip, "link", "delete", cable], check=False, capture_output=True)
        shutil.rmtree(Path("/etc/netns") / name, ignore_errors=True)

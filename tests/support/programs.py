"""Programs that others wrote, as processes of their own: services to receive, clients to send."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import tools

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.lab import Lab

TOOLS = Path(__file__).parents[2] / ".tools"


def node(package: str) -> str:
    """Where Node.js is, if it has `package`; what needs that is to be run in `TOOLS`."""
    if not (TOOLS / "node_modules" / package).is_dir():
        tools.missing(package)
    return tools.needed("node")


def javascript(program: str, package: str) -> list[str]:
    """How to run a module that needs `package`."""
    return [node(package), "--input-type=module", "--eval", program]


def wait_for(port: int, host: str = "127.0.0.1") -> None:
    """Wait until somebody listens there."""
    for _ in range(400):
        try:
            socket.create_connection((host, port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"nobody listens at {host}:{port}")


_ADDRESS = re.compile(r"http://[0-9.]+:[0-9]+")


@contextmanager
def serving(command: list[str], environment: dict[str, str]) -> Iterator[str]:
    """A service that prints the address it listens at; yields that."""
    with subprocess.Popen(
        command,
        cwd=TOOLS,
        env={"PATH": os.environ["PATH"]} | environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            found = (_ADDRESS.search(line) for line in process.stdout)
            address = next((match[0] for match in found if match), "")
            assert address, f"{command[0]} has ended"
            yield address
        finally:
            process.kill()


def send(lab: Lab, command: list[str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a client that is to use the proxy."""
    root = str(lab.proxy.root)
    return subprocess.run(
        [*command, *arguments],
        cwd=TOOLS if TOOLS.exists() else None,
        env={
            "PATH": os.environ["PATH"],
            "HTTPS_PROXY": lab.proxy.url,
            "NODE_EXTRA_CA_CERTS": root,
            "SSL_CERT_FILE": root,
            "REQUESTS_CA_BUNDLE": root,
            "HOME": str(lab.folder),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

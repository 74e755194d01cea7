"""Programs that others wrote, as processes of their own: services to receive, clients to send."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support import tools

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.lab import Lab

TOOLS = Path(__file__).parents[2] / ".tools"


def javascript(program: str, package: str) -> list[str | Path]:
    """How to run a module in Node.js; `package` is one that it needs. Run it in `TOOLS`."""
    if not (TOOLS / "node_modules" / package).is_dir():
        tools.missing(package)
    return [tools.needed("node"), "--input-type=module", "--eval", program]


@contextmanager
def serving(command: list[str | Path], environment: dict[str, str]) -> Iterator[str]:
    """A service that prints the address it listens at as its first line."""
    with subprocess.Popen(
        command, env=environment, cwd=TOOLS, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def send(lab: Lab, command: list[str | Path], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a client that is to use the proxy."""
    root = str(lab.proxy.root)
    return subprocess.run(
        [*command, *arguments],
        cwd=TOOLS,
        env={
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

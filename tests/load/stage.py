"""The fast origin and a real proxy before it, each a process of its own."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import trustme

from tests.load.wire import Route
from tests.support.proxy import HOME_POLICY, Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AI_HOST = "api.openai.com"
OTHER_HOST = "www.example.org"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where it listens, and the root of its certificate for both hosts."""

    port: int
    root: Path

    def direct(self) -> Route:
        """The way there without any proxy."""
        return Route(AI_HOST, ("127.0.0.1", self.port), "", self.root)


@contextmanager
def origin(folder: Path) -> Iterator[Origin]:
    """Start the origin, stop it in the end."""
    authority = trustme.CA()
    root, key, chain = (folder / f"origin-{name}.pem" for name in ("root", "key", "chain"))
    authority.cert_pem.write_to_path(str(root))
    issued = authority.issue_cert(AI_HOST, OTHER_HOST, "127.0.0.1")
    issued.private_key_pem.write_to_path(str(key))
    chain.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
    command = [sys.executable, "-m", "tests.load.origin", str(chain), str(key)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Origin(int(process.stdout.readline().split()[1]), root)
        finally:
            process.kill()


@contextmanager
def safelight(
    folder: Path, behind: Origin, policy: Path = HOME_POLICY, workers: int = 1
) -> Iterator[Proxy]:
    """Start `safelight run` before the origin; it must stop cleanly."""
    arguments = ["--upstream-ca", str(behind.root), "--workers", str(workers)]
    for name in (AI_HOST, OTHER_HOST):
        arguments += ["--resolve", f"{name}:443=127.0.0.1:{behind.port}"]
    proxy = Proxy(folder, policy, arguments)
    try:
        proxy.start()
        yield proxy
        assert proxy.stop() == 0
    finally:
        proxy.kill()


def cleaned(proxy: Proxy) -> Route:
    """The way through Safelight to the AI service."""
    return Route(AI_HOST, proxy.address, f"{AI_HOST}:443", proxy.root)


def relayed(proxy: Proxy, behind: Origin) -> Route:
    """The way through Safelight to a host that it only relays."""
    return Route(OTHER_HOST, proxy.address, f"{OTHER_HOST}:443", behind.root)

"""Gateways to compare with, each a process of its own before the same origin.

On one core, all run on the first, while who measures and the origin share the others; on all cores
everybody runs wherever there is room, Safelight with a worker for each.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import trustme

from tests.load import stage
from tests.load.wire import Route
from tests.support import ports

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.load.stage import Origin

_PATIENCE = 20  # seconds
_SQUID_USER = "proxy"  # on Debian
_SQUID_HELPERS = ("/usr/lib/squid/security_file_certgen", "/usr/lib64/squid/security_file_certgen")

DIRECT, HAPROXY, MITMDUMP, SQUID = "direct", "HAProxy relay", "mitmdump, no addon", "squid ssl-bump"
CLEANS, RELAYS = "**Safelight**", "**Safelight**, relay"


class UnavailableError(Exception):
    """This gateway cannot run here; the text says why."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """The way through it, and the id of its process; where there is none, of the caller's."""

    route: Route
    process: int


def all_of_them(
    stack: ExitStack, folder: Path, *, on_one_core: bool
) -> tuple[dict[str, Gateway], list[str]]:
    """Start every gateway that can run; these, and why others are missing."""
    every = sorted(os.sched_getaffinity(0))
    first, others = (every[:1], every[1:] or every) if on_one_core else (every, every)
    with on_cores(others):
        origin = stack.enter_context(stage.origin(folder))
    found, missing = {DIRECT: Gateway(origin.direct(), os.getpid())}, []
    with on_cores(first):
        for name, start in {HAPROXY: _haproxy, MITMDUMP: _mitmdump, SQUID: _squid}.items():
            try:
                found[name] = stack.enter_context(start(folder, origin, len(first)))
            except UnavailableError as error:
                missing.append(f"{name} did not take part: {error}.")
        proxy = stack.enter_context(stage.safelight(folder, origin, workers=len(first)))
    assert proxy.process is not None
    found[CLEANS] = Gateway(stage.cleaned(proxy), proxy.process.pid)
    found[RELAYS] = Gateway(stage.relayed(proxy, origin), proxy.process.pid)
    stack.enter_context(on_cores(others))
    return found, missing


@contextmanager
def on_cores(cores: Iterable[int]) -> Iterator[None]:
    """What is started meanwhile, and who measures, stay on these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def _haproxy(folder: Path, origin: Origin, cores: int) -> Iterator[Gateway]:
    """A relay of bytes that opens nothing."""
    port = ports.free()
    configuration = folder / "haproxy.cfg"
    configuration.write_text(
        f"global\n  nbthread {cores}\n"
        "defaults\n  mode tcp\n"
        "  timeout connect 60s\n  timeout client 60s\n  timeout server 60s\n"
        f"listen relay\n  bind 127.0.0.1:{port}\n  server origin 127.0.0.1:{origin.port}\n"
    )
    with _running([_program("haproxy"), "-db", "-f", str(configuration)], port) as process:
        yield Gateway(Route(stage.AI_HOST, ("127.0.0.1", port), "", origin.root), process)


@contextmanager
def _mitmdump(folder: Path, origin: Origin, _: int) -> Iterator[Gateway]:
    """mitmproxy as it comes: it cannot use more than one core."""
    port, confdir = ports.free(), folder / "mitmdump"
    settings = {"confdir": confdir, "ssl_verify_upstream_trusted_ca": origin.root}
    command = [
        str(Path(sys.executable).with_name("mitmdump")),
        *("--quiet", "--listen-host", "127.0.0.1", "--listen-port", str(port)),
        *(part for name, value in settings.items() for part in ("--set", f"{name}={value}")),
    ]
    with _running(command, port) as process:
        root = confdir / "mitmproxy-ca-cert.pem"
        tunnel = f"127.0.0.1:{origin.port}"
        yield Gateway(Route(stage.AI_HOST, ("127.0.0.1", port), tunnel, root), process)


@contextmanager
def _squid(folder: Path, origin: Origin, _: int) -> Iterator[Gateway]:
    """Squid with a certificate authority of its own, in one process, as it comes."""
    squid = _program("squid")
    helper = next((path for path in _SQUID_HELPERS if Path(path).exists()), None)
    if helper is None:
        raise UnavailableError("this squid cannot make certificates: install squid-openssl")
    home = folder / "squid"
    home.mkdir()
    authority = trustme.CA()
    root = home / "root.pem"
    authority.cert_pem.write_to_path(str(root))
    signer = authority.private_key_pem.bytes() + authority.cert_pem.bytes()
    (home / "ca.pem").write_bytes(signer)
    subprocess.run(
        [helper, "-c", "-s", str(home / "certificates"), "-M", "4MB"],
        check=True,
        capture_output=True,
    )
    user = _unprivileged(folder, home)
    port = ports.free()
    (home / "squid.conf").write_text(
        f"http_port 127.0.0.1:{port} ssl-bump tls-cert={home}/ca.pem "
        "generate-host-certificates=on dynamic_cert_mem_cache_size=4MB\n"
        f"sslcrtd_program {helper} -s {home}/certificates -M 4MB\n"
        "sslcrtd_children 4 startup=1 idle=1\n"
        f"tls_outgoing_options cafile={origin.root}\n"
        "acl hello at_step SslBump1\nssl_bump peek hello\nssl_bump bump all\n"
        "http_access allow all\ncache deny all\nbuffered_logs on\naccess_log none\n"
        f"cache_log {home}/cache.log\npid_filename {home}/squid.pid\ncoredump_dir {home}\n"
        "shutdown_lifetime 0 seconds\npinger_enable off\nvia off\nworkers 1\n"
        f"cache_effective_user {user}\n"
    )
    with _running([squid, "-N", "-f", str(home / "squid.conf")], port) as process:
        tunnel = f"127.0.0.1:{origin.port}"
        yield Gateway(Route(stage.AI_HOST, ("127.0.0.1", port), tunnel, root), process)


@contextmanager
def _running(command: list[str], port: int) -> Iterator[int]:
    """Run a program that listens on `port`; the id of its process."""
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet) as process:
        try:
            deadline = time.monotonic() + _PATIENCE
            while not _listens(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise UnavailableError(f"{Path(command[0]).name} does not start")
                time.sleep(0.1)
            yield process.pid
        finally:
            process.kill()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise UnavailableError(f"{name} is not installed: .ci/bench-deps")
    return found


def _unprivileged(folder: Path, home: Path) -> str:
    """Whom Squid runs as: it refuses to be root, and then has to be let into `home`."""
    if os.getuid():
        return home.owner()
    folder.chmod(0o711)
    for path in (home, *home.rglob("*")):
        shutil.chown(path, _SQUID_USER)
    return _SQUID_USER

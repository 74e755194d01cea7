"""A gateway before a company's own proxy (Squid): all goes through that, or nowhere."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trustme

from tests.support import pictures, ports, programs, tools
from tests.support.lab import Lab
from tests.support.origin import Origin
from tests.support.proxy import HOME_POLICY, Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVICE, OTHER, UNTRUSTED = "api.openai.com", "www.example.org", "api.anthropic.com"
# Nobody else has these; what Squid looks up leads there.
SERVICES, STRANGERS = "127.83.0.1", "127.83.0.2"
USER = "proxy"  # whom Squid runs as on Debian
LOGIN = "gateway:se:cret"
PAST_IT = """
from safelight.proxy import chaining
chaining.UpstreamProxy.mode = "regular"
"""
CONFIGURATION = """
http_port 127.0.0.1:{port}
hosts_file {home}/hosts
auth_param basic program {helper} {home}/passwords
auth_param basic children 1
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all
cache deny all
access_log stdio:{home}/access.log
cache_log {home}/cache.log
pid_filename {home}/squid.pid
coredump_dir {home}
shutdown_lifetime 0 seconds
pinger_enable off
cache_effective_user {user}
"""


@dataclass(frozen=True, slots=True)
class Squid:
    """The proxy that is there already."""

    home: Path
    port: int

    @property
    def asked(self) -> list[str]:
        """What it was asked for, and how it answered."""
        lines = (self.home / "access.log").read_text().splitlines()
        return [" ".join((one.split()[3], *one.split()[5:7])) for one in lines]


@pytest.fixture(scope="module")
def squid() -> Iterator[Squid]:
    if os.geteuid() != 0:
        pytest.skip("ports of services need root")
    program = tools.needed("squid")
    [helper, *_] = sorted(Path("/usr/lib").glob("squid/basic_ncsa_auth"))
    with tempfile.TemporaryDirectory() as folder:
        # It runs as somebody else, who has to find the way.
        Path(folder).chmod(0o711)
        with _running(program, Path(folder) / "squid", helper) as running:
            yield running


@contextmanager
def _running(program: str, home: Path, helper: Path) -> Iterator[Squid]:
    home.mkdir()
    name, _, password = LOGIN.partition(":")
    hashed = subprocess.check_output(
        ["openssl", "passwd", "-apr1", "-stdin"], input=password, text=True
    )
    (home / "passwords").write_text(f"{name}:{hashed}")
    (home / "hosts").write_text(f"{SERVICES} {SERVICE} {OTHER}\n{STRANGERS} {UNTRUSTED}\n")
    port = ports.free()
    (home / "squid.conf").write_text(
        CONFIGURATION.format(port=port, home=home, helper=helper, user=USER)
    )
    for path in (home, *home.iterdir()):
        shutil.chown(path, USER)
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(
        [program, "-N", "-n", f"s{os.getpid()}", "-f", home / "squid.conf"],
        stdout=quiet,
        stderr=quiet,
    )
    try:
        programs.wait_for(port)
        yield Squid(home, port)
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def chained(squid: Squid, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("gateway")
    (folder / "photo.jpg").write_bytes(pictures.jpeg())
    (folder / "login").write_text(LOGIN + "\n")
    authority = trustme.CA()
    root = folder / "origin-root.pem"
    authority.cert_pem.write_to_path(str(root))
    origin = Origin(wanted=f"{SERVICES}:443")
    origin.start(authority, [SERVICE, OTHER], folder)
    (folder / "other").mkdir()
    impostor = Origin(wanted=f"{STRANGERS}:443")
    impostor.start(trustme.CA(), [UNTRUSTED], folder / "other")
    where = ("--upstream-proxy", f"http://127.0.0.1:{squid.port}")
    login = ("--upstream-login", str(folder / "login"))
    proxy = Proxy(folder, HOME_POLICY, ["--upstream-ca", str(root), *where, *login])
    try:
        proxy.start()
        yield Lab(folder, proxy, origin, root)
        assert not impostor.received
        assert proxy.stop() == 0
    finally:
        proxy.kill()
        origin.stop()
        impostor.stop()


def url(host: str) -> str:
    return f"https://{host}/v1/files"


def sent(lab: Lab) -> tuple[str, str]:
    return "--data-binary", f"@{lab.folder / 'photo.jpg'}"


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_uploads_go_through_it_and_are_cleaned(chained: Lab, squid: Squid, version: str) -> None:
    arrived = len(chained.arrived)
    assert chained.curl(version, *sent(chained), url(SERVICE)).status == 200
    assert not pictures.says_secrets(chained.arrived[arrived].body)
    assert "proxy-authorization" not in chained.arrived[arrived].headers
    time.sleep(0.2)
    assert squid.asked[-1].startswith("TCP_TUNNEL/200 CONNECT api.openai.com:443")


def test_what_is_relayed_goes_through_it_unopened(chained: Lab, squid: Squid) -> None:
    answered = chained.curl(*sent(chained), url(OTHER), root=chained.origin_root)
    assert answered.status == 200
    assert chained.arrived[-1].body == (chained.folder / "photo.jpg").read_bytes()
    time.sleep(0.2)
    assert squid.asked[-1].startswith("TCP_TUNNEL/200 CONNECT www.example.org:443")


def test_the_service_has_to_be_the_one_that_is_meant(chained: Lab) -> None:
    assert chained.curl(*sent(chained), url(UNTRUSTED)).status == 502


def test_plain_requests_go_through_it_and_only_it_gets_the_password(
    chained: Lab, squid: Squid
) -> None:
    # Nobody listens there: it is Squid who says so.
    assert chained.curl(f"http://{OTHER}/").status == 503
    assert squid.asked[-1].endswith("GET http://www.example.org/")
    with socket.create_server((SERVICES, 80)) as server:
        tunnelled = subprocess.Popen(
            ["curl", "-s", "-m", "5", "--proxytunnel", "-x", chained.proxy.url, f"http://{OTHER}/"]
        )
        server.settimeout(5)
        connection, _ = server.accept()
        with connection:
            request = connection.recv(65_536)
        tunnelled.wait(10)
    assert request.startswith(b"GET / ")
    assert b"authorization" not in request.lower()


def test_without_it_nothing_leaves(squid: Squid, tmp_path: Path) -> None:
    """It refuses, or is not there; the services could be reached without it."""
    (tmp_path / "photo.jpg").write_bytes(pictures.jpeg())
    (tmp_path / "login").write_text("gateway:wrong")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "root.pem"))
    origin = Origin()
    origin.start(authority, [SERVICE, OTHER], tmp_path)
    direct = [
        argument
        for host in (SERVICE, OTHER)
        for argument in ("--resolve", f"{host}:443=127.0.0.1:{origin.address[1]}")
    ]
    ways = (
        (squid.port, "", "407 Proxy Authentication Required"),
        (ports.free(), "", "Connection refused"),
        # Somebody forgot to go through it.
        (squid.port, PAST_IT, "through the upstream proxy alone"),
    )
    for number, (port, before, why) in enumerate(ways):
        folder = tmp_path / str(number)
        where = ["--upstream-proxy", f"http://127.0.0.1:{port}"]
        login = ["--upstream-login", str(tmp_path / "login")]
        trusting = ["--upstream-ca", str(tmp_path / "root.pem")]
        proxy = Proxy(folder, HOME_POLICY, [*trusting, *where, *login, *direct], before)
        folder.mkdir()
        try:
            proxy.start()
            lab = Lab(folder, proxy, origin, tmp_path / "root.pem")
            upload = ("--data-binary", f"@{tmp_path / 'photo.jpg'}")
            assert lab.curl(*upload, url(SERVICE)).status == 502
            with pytest.raises(ConnectionError):
                lab.curl(*upload, url(OTHER), root=lab.origin_root)
            assert proxy.stop() == 0
        finally:
            proxy.kill()
        assert why in proxy.output, proxy.output
        assert "wrong" not in proxy.output
    origin.stop()
    assert not origin.received

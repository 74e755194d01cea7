"""The shipped Dockerfile and Compose files with a real engine: built, started, used, stopped."""

from __future__ import annotations

import http.client
import os
import shutil
import ssl
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trustme

from tests.cli.test_monitoring import ask
from tests.support import pictures, ports, tools
from tests.support.origin import Origin

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# The first run makes an image of a whole Debian.
pytestmark = pytest.mark.timeout(600)
ROOT = Path(__file__).parents[2]
IMAGE = "safelight:0.1.0"
BASE = "python:3.13-slim-bookworm"
SERVICE = "api.openai.com"


@dataclass(frozen=True, slots=True)
class Engine:
    """A Docker engine of the test's own; `environment` leads the clients to it."""

    docker: str
    environment: Mapping[str, str]

    def run(self, *arguments: str, **more: str) -> str:
        """Call docker, or docker-compose where that is the first word."""
        compose = [str(Path(sys.executable).parent / "docker-compose")]
        command = (
            [*compose, *arguments[1:]] if arguments[0] == "compose" else [self.docker, *arguments]
        )
        done = subprocess.run(
            command,
            env={**os.environ, **self.environment, **more},
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
        )
        assert done.returncode == 0, (command, done.stdout[-2000:], done.stderr[-2000:])
        return done.stdout


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    if os.geteuid() != 0:
        pytest.skip("an engine of one's own needs root")
    folder = tmp_path_factory.mktemp("docker")
    where = f"unix://{folder}/docker.sock"
    command = [
        *(tools.needed("dockerd"), "--data-root", str(folder / "data")),
        *("--exec-root", str(folder / "exec"), "-p", str(folder / "pid"), "-H", where),
        *("--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false"),
    ]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    # Debian's client can build; others may stand before it in the path.
    docker = "/usr/bin/docker" if Path("/usr/bin/docker").exists() else tools.needed("docker")
    found = Engine(docker, {"DOCKER_HOST": where, "DOCKER_BUILDKIT": "1"})
    try:
        for _ in range(200):
            if (folder / "docker.sock").exists():
                break
            time.sleep(0.1)
        _build(found)
        yield found
    finally:
        process.terminate()
        process.wait(60)
        for mount in sorted(map(str, folder.rglob("netns/default"))):
            subprocess.run(["umount", mount], check=False, capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run(["ip", "link", "del", "docker0"], check=False, capture_output=True)


def _build(engine: Engine) -> None:
    base = ROOT / ".tools" / "base-image"
    subprocess.run([ROOT / ".ci" / "base-image", base, sys.base_prefix], check=True)
    path = "ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
    engine.run("import", "--change", path, str(base / "base.tar"), BASE)
    engine.run(
        *("build", "--network", "host", "--build-arg", f"PYTHON_IMAGE={BASE}"),
        *("-t", IMAGE, "-f", "docker/Dockerfile", "."),
    )


def test_a_container_cleans_what_passes_through_it(engine: Engine, tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "root.pem"))
    (tmp_path / "root.pem").chmod(0o644)
    origin = Origin()
    origin.start(authority, [SERVICE], tmp_path)
    port, monitor = ports.free(), ports.free()
    name = "safelight-test"
    try:
        engine.run(
            *("run", "-d", "--init", "--name", name, "--network", "host", "--read-only"),
            *("--tmpfs", "/tmp:size=16m", "--cap-drop", "ALL"),  # noqa: S108 - inside of it
            *("--security-opt", "no-new-privileges", "--pids-limit", "256"),
            *("-v", f"{tmp_path}/root.pem:/root.pem:ro", "--entrypoint", "safelight", IMAGE),
            *("run", "--listen", f"127.0.0.1:{port}", "--state", "/data/state"),
            *("--audit", "/data/audit", "--upstream-ca", "/root.pem"),
            *("--monitor", f"127.0.0.1:{monitor}"),
            *("--resolve", f"{SERVICE}:443=127.0.0.1:{origin.address[1]}"),
        )
        _wait_until_ready(monitor)
        engine.run("cp", f"{name}:/data/state/safelight-ca.pem", str(tmp_path / "ca.pem"))
        assert _upload(port, tmp_path / "ca.pem") == 200
        [arrived] = origin.received
        assert not pictures.says_secrets(arrived.body)
        tail = engine.run("exec", name, "safelight", "audit", "tail", "--audit", "/data/audit")
        assert "sent" in tail or "location" in tail
        assert engine.run("exec", name, "id", "-u").strip() == "10001"
        engine.run("stop", "-t", "40", name)
        state = engine.run("inspect", "-f", "{{.State.ExitCode}}", name).strip()
        assert state == "0"
    finally:
        subprocess.run(
            [engine.docker, "rm", "-f", "-v", name],
            env={**os.environ, **engine.environment},
            check=False,
            capture_output=True,
        )
        origin.stop()


@pytest.mark.parametrize("place", ["home", "gateway"])
def test_compose_starts_it_healthy_and_stops_it(engine: Engine, tmp_path: Path, place: str) -> None:
    policies = tmp_path / "policies"
    policies.mkdir()
    shutil.copy(ROOT / "policies" / "corporate.yaml", policies / "policy.yaml")
    tmp_path.chmod(0o755)
    file = ("compose", "-f", f"docker/compose.{place}.yaml")
    given = {"SAFELIGHT_POLICIES": str(policies)}
    engine.run(*file, "config", "-q", **given)
    try:
        engine.run(*file, "up", "-d", "--wait", "--no-build", **given)
        assert "healthy" in engine.run(*file, "ps", **given)
        if place == "gateway":
            assert ask(9180, "/readyz") == (200, "ok\n")
    finally:
        engine.run(*file, "down", "-v", "-t", "20", **given)


def _wait_until_ready(monitor: int) -> None:
    for _ in range(200):
        try:
            if ask(monitor, "/readyz")[0] == 200:
                return
        except OSError:
            pass
        time.sleep(0.1)
    pytest.fail("it does not get ready")


def _upload(port: int, root: Path) -> int:
    context = ssl.create_default_context(cafile=str(root))
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=30)
    try:
        connection.set_tunnel(SERVICE, 443)
        connection.request("POST", "/v1/files", pictures.jpeg())
        return connection.getresponse().status
    finally:
        connection.close()

"""A machine of its own with systemd (systemd-nspawn): the shipped unit, and the start at login."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.support import pictures, tools

# The first run makes an image of a whole Debian.
pytestmark = pytest.mark.timeout(600)
ROOT = Path(__file__).parents[2]
UNIT = ROOT / "docker" / "safelight.service"
SERVICE = "api.openai.com"
TRIAL = """
[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/opt/safelight/bin/python /trial/trial.py
ExecStopPost=/bin/systemctl poweroff --force
[Install]
WantedBy=multi-user.target
"""
TRIED = "--upstream-ca /trial/root.pem --resolve api.openai.com:443=127.0.0.1:8443"


@pytest.fixture(scope="module")
def saw(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What was seen on it."""
    if os.geteuid() != 0:
        pytest.skip("starting a machine needs root")
    program = tools.needed("systemd-nspawn")
    base = ROOT / ".tools" / "base-image"
    subprocess.run([ROOT / ".ci" / "base-image", base, sys.base_prefix], check=True)
    machine = tmp_path_factory.mktemp("machine")
    subprocess.run(["tar", "-C", machine, "-xf", base / "base.tar"], check=True)
    machine.chmod(0o755)
    _install(machine)
    _prepare(machine)
    command = [program, "--register=no", "--keep-unit", "--private-network", "-q", "-b", "-D"]
    try:
        done = subprocess.run(
            [*command, machine],
            capture_output=True,
            text=True,
            check=False,
            timeout=150,
            stdin=subprocess.DEVNULL,
        )
        result = machine / "trial" / "result.json"
        assert result.exists(), (done.stdout[-3000:], done.stderr[-3000:])
        found: dict[str, Any] = json.loads(result.read_text())
        assert "error" not in found, found["error"]
        found["arrived"] = (machine / "trial" / "arrived").read_bytes()
        return found
    finally:
        shutil.rmtree(machine, ignore_errors=True)


def _install(machine: Path) -> None:
    """As the unit's first lines say, but from this folder, and with the libraries that are here:
    that they can be downloaded is shown by the container."""
    source = machine / "src"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "requirements.lock"):
        shutil.copy(ROOT / name, source)
    for name in ("addons", "policies"):
        shutil.copytree(ROOT / name, source / name)
    shutil.copy("/etc/resolv.conf", machine / "etc" / "resolv.conf")
    _run_on(machine, "/usr/local/bin/python3 -m venv /opt/safelight")
    [libraries] = (machine / "opt" / "safelight" / "lib").glob("python*/site-packages")
    names = re.findall(r"^([\w.-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    for name in names:
        with contextlib.suppress(metadata.PackageNotFoundError):  # it is for other systems
            found = metadata.distribution(name)
            for file in found.files or ():
                source, target = Path(str(found.locate_file(file))), libraries / file
                if ".." not in file.parts and source.exists():
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(source, target)
    _run_on(machine, "/opt/safelight/bin/pip install --quiet --no-cache-dir --no-deps /src")


def _run_on(machine: Path, command: str) -> None:
    done = subprocess.run(
        ["chroot", machine, *command.split()], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]


def _prepare(machine: Path) -> None:
    trial = machine / "trial"
    shutil.copytree(ROOT / "tests" / "deploy" / "machine", trial)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(trial / "root.pem"))
    authority.issue_cert(SERVICE).private_key_and_cert_chain_pem.write_to_path(
        str(trial / "service.pem")
    )
    (trial / "photo.jpg").write_bytes(pictures.jpeg())
    health = (ROOT / "docker" / "healthcheck.py").read_text()
    state = "/var/lib/safelight/state"
    (trial / "healthcheck.py").write_text(health.replace("/data/state", state))
    units = machine / "etc" / "systemd" / "system"
    text = UNIT.read_text()
    shutil.copy(UNIT, units)
    (machine / "etc" / "safelight").mkdir()
    shutil.copy(ROOT / "policies" / "home.yaml", machine / "etc" / "safelight" / "policy.yaml")
    [command] = re.findall(r"^ExecStart=((?:.*\\\n)*.*)", text, re.MULTILINE)
    (units / "safelight.service.d").mkdir()
    (units / "safelight.service.d" / "trial.conf").write_text(
        f"[Service]\nExecStart=\nExecStart={command} {TRIED}\n"
    )
    (units / "trial.service").write_text(TRIAL)
    (units / "multi-user.target.wants").mkdir(exist_ok=True)
    (units / "multi-user.target.wants" / "trial.service").symlink_to("../trial.service")
    (machine / "etc" / "hosts").write_text("127.0.0.1 localhost\n")


def test_the_unit_serves_locked_down(saw: dict[str, Any]) -> None:
    assert saw["upload"] == 200
    assert not pictures.says_secrets(saw["arrived"])
    assert saw["handshake"] == 0
    held = saw["locked_down"]
    assert int(held["CapEff"], 16) == 0
    assert (held["NoNewPrivs"], held["Seccomp"]) == ("1", "2")
    # A user that exists only while it runs.
    assert 61184 <= int(held["Uid"].split()[0]) <= 65519
    assert saw["state"] == "0o700"


def test_it_is_started_again_when_it_was_killed(saw: dict[str, Any]) -> None:
    assert saw["restarts"] == "1"
    assert saw["upload after a restart"] == 200


def test_what_is_on_its_way_is_answered_when_it_is_stopped(saw: dict[str, Any]) -> None:
    assert saw["upload while it stopped"] == [200]
    assert saw["result"] == "success"


def test_with_memory_that_cannot_be_executed_it_does_not_start(saw: dict[str, Any]) -> None:
    """If this fails, the unit can be locked down further."""
    denied = saw["denied"]
    assert "MemoryDenyWriteExecute=no" in denied["log"], denied
    assert denied["ready"] != 200
    assert denied["handshake"] != 0


def test_it_starts_when_somebody_logs_in(saw: dict[str, Any]) -> None:
    laptop = saw["laptop"]
    assert laptop["listens"], laptop
    assert laptop["active"] == laptop["active after a new login"] == "active", laptop
    assert laptop["active after undo"] == "inactive", laptop
    # What was recorded stays, and what proves it.
    assert all("/audit" in path for path in laptop["left"].splitlines()), laptop

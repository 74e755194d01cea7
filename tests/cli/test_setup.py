"""Set-up as a person does it, in a home of its own; and a browser that knows nothing but that."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from dataclasses import replace
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from playwright.sync_api import sync_playwright

from safelight import images, paths, trust
from safelight.cli import catalogue, main
from safelight.cli.doctor import here
from safelight.cli.doctor.check import Looked
from tests.support import chromium, pictures, tools
from tests.support import lab as labs
from tests.support.origin import Received, accept

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from safelight.cli.doctor.check import Check
    from tests.support.lab import Lab

# Of this machine's programs those that change nothing outside of a home.
PROGRAMS = ("certutil", "gsettings", "mkdir", "chromium")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    def service(received: Received) -> tuple[int, str, bytes]:
        page = (200, "text/html", b"<!doctype html><title>Chat</title>")
        return page if received.method == "GET" else accept(received)

    with labs.running(tmp_path_factory.mktemp("setup"), answer=service) as running:
        yield running


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def environment(tmp_path: Path, home: Path) -> Mapping[str, str]:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in PROGRAMS:
        (programs / name).symlink_to(tools.needed(name))
    return {
        **{key: value for key, value in os.environ.items() if not key.startswith("XDG_")},
        "HOME": str(home),
        "PATH": str(programs),
        "GSETTINGS_BACKEND": "keyfile",
        "XDG_CURRENT_DESKTOP": "GNOME",
    }


def call(lab: Lab, environment: Mapping[str, str], *arguments: str) -> tuple[int, str]:
    address = ":".join(map(str, lab.proxy.address))
    where = "--listen" if arguments[0] == "setup" else "--proxy"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "safelight", *arguments),
            *(where, address, "--state", str(lab.folder / "state")),
        ],
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def files(home: Path) -> set[str]:
    every = {path for path in home.rglob("*") if path.is_file() and path.stat().st_size}
    return {str(path.relative_to(home)) for path in every}


def test_nothing_is_changed_without_a_yes(
    lab: Lab, environment: Mapping[str, str], home: Path
) -> None:
    code, said = call(lab, environment, "setup", "--dry-run")
    assert code == 0
    assert "Nothing was changed." in said
    assert "certutil -A" in said
    assert files(home) == set()
    code, said = call(lab, environment, "status")
    assert (code, said.splitlines()[0]) == (0, "Photos are protected in part.")
    assert "0 of 2 settings of this computer lead to it; `safelight setup --listen " in said
    # Nobody is there to answer.
    code, said = call(lab, environment, "setup")
    assert code == 1
    assert "Aborted" in said
    assert files(home) == set()


def test_a_browser_in_a_home_that_was_set_up(
    lab: Lab, environment: Mapping[str, str], home: Path
) -> None:
    code, said = call(lab, environment, "setup", "--yes")
    assert (code, said.count("  Done.")) == (0, 2)
    code, said = call(lab, environment, "setup", "--yes")
    assert said.count("Already there") == 2
    photo = pictures.jpeg()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=tools.needed("chromium"), args=chromium.FLAGS, env=dict(environment)
        )
        page = browser.new_page()
        page.goto("https://chatgpt.com/")
        page.evaluate(
            """async (photo) => {
              const bytes = Uint8Array.from(atob(photo), letter => letter.charCodeAt(0));
              await fetch("/backend-api/files/upload", {method: "POST", body: bytes});
            }""",
            base64.b64encode(photo).decode(),
        )
        browser.close()
    [arrived] = [one.body for one in lab.arrived if one.method == "POST"]
    assert arrived == images.strip(photo, images.Length.SAME_LENGTH)
    shutil.rmtree(home / ".config/chromium", ignore_errors=True)
    code, said = call(lab, environment, "doctor", "--audit", str(lab.proxy.audit_folder), "--json")
    told = json.loads(said)
    assert {one["name"]: one["says"] for one in told if one["state"] == "wrong"} == {}
    assert code == 0
    assert call(lab, environment, "status")[1].startswith("Photos are protected.\n")
    assert call(lab, environment, "env")[0] == 0
    assert (lab.folder / "state" / "program-roots.pem").exists()
    code, said = call(lab, environment, "setup", "--undo", "--yes")
    assert code == 0
    assert not (lab.folder / "state" / "program-roots.pem").exists()
    assert not any(".pki" in one for one in files(home))
    # This backend of GSettings keeps the heading of an empty group.
    left = (home / ".config/glib-2.0/settings/keyfile").read_text()
    assert "=" not in left
    assert not (lab.folder / "state" / "setup.json").exists()


def test_a_proxy_with_another_certificate(
    lab: Lab, environment: Mapping[str, str], tmp_path: Path
) -> None:
    state = tmp_path / "state"
    trust.open_or_create(state, ["api.openai.com"])
    address = ":".join(map(str, lab.proxy.address))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "safelight", "doctor", "--json", "--proxy", address),
            *("--state", str(state)),
        ],
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    [opens] = [one for one in json.loads(done.stdout) if one["name"] == "opens"]
    assert (opens["state"], f"does not use the certificate in {state}" in opens["says"]) == (
        "wrong",
        True,
    )


def test_doctor_says_what_is_wrong(
    environment: Mapping[str, str], home: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "policy.yaml"
    bad.write_text("version: 1\nname: x\nrules: 5\n")
    nobody = ["--proxy", "127.0.0.1:9", "--policy", str(bad)]
    done = subprocess.run(
        [sys.executable, "-m", "safelight", "doctor", *nobody, "--json"],
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    told = {one["name"]: one for one in json.loads(done.stdout)}
    assert done.returncode == 1
    for name, mends in (
        ("proxy", f"safelight run --listen 127.0.0.1:9 --policy {bad}"),
        ("certificate", "safelight setup --listen 127.0.0.1:9"),
        ("trusted", "safelight setup --listen 127.0.0.1:9"),
        ("opens", "safelight setup --listen 127.0.0.1:9"),
        ("policy", f"safelight policy check {bad}"),
    ):
        assert (told[name]["state"], told[name]["mends"]) == ("wrong", mends)
    assert told["canary photo"]["state"] == "note"
    assert "nothing arrived" in told["canary photo"]["says"]
    assert files(home) == set()
    done = subprocess.run(
        [sys.executable, "-m", "safelight", "status", "--proxy", "127.0.0.1:9"],
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout.startswith("Photos are NOT protected.\n")
    assert len(done.stdout.splitlines()) == 3


def looked(tmp_path: Path, **others: object) -> Looked:
    known = catalogue.load()
    state = tmp_path / "a state"
    trust.open_or_create(state, known.permitted_names())
    audit = tmp_path / "audit"
    some = Looked("127.0.0.1:9", (paths.default_policy(),), audit, state, known)
    return replace(some, **others)  # type: ignore[arg-type]


def told(some: Looked) -> dict[str, Check]:
    return {one.name: one for one in here.checks(some)}


def test_commands_that_mend_say_which_folder(tmp_path: Path) -> None:
    """A command that is copied has to mend this folder, and no other."""
    some = looked(tmp_path)
    key = some.state / "mitmproxy-ca.pem"
    key.chmod(0o644)
    found = told(some)["keys"]
    assert found.state == "wrong"
    assert "a state" in found.mends
    subprocess.run(["sh", "-c", found.mends], check=True)
    assert told(some)["keys"].state == "ok"

    key.write_text("garbage")
    found = told(some)["certificate"]
    assert (found.state, "is damaged" in found.says) == ("wrong", True)
    subprocess.run(
        ["sh", "-c", found.mends.replace("safelight", f"{sys.executable} -m safelight", 1)],
        check=True,
        input=b"y\n",
    )
    assert told(some)["certificate"].state == "ok"


def test_a_certificate_that_speaks_for_others_is_noted(tmp_path: Path) -> None:
    some = looked(tmp_path)
    trust.rotate(some.state, [*some.catalogue.permitted_names(), "bank.example"])
    found = told(some)["certificate"]
    assert (found.state, "bank.example" in found.says) == ("note", True)


def test_a_port_that_another_program_has(tmp_path: Path) -> None:
    with HTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler) as other:
        threading.Thread(target=other.handle_request, daemon=True).start()
        found = told(looked(tmp_path, proxy=f"127.0.0.1:{other.server_port}"))["proxy"]
    assert (found.state, "Another program" in found.says) == ("wrong", True)
    assert f"--listen 127.0.0.1:{other.server_port % 65_535 + 1}" in found.mends


@pytest.mark.parametrize("command", ["doctor", "status", "env", "pac", "setup"])
@pytest.mark.parametrize("where", ["nonsense", "a..b:80", "127.0.0.1:99999", "127.0.0.1"])
def test_what_is_no_address_is_said(command: str, where: str) -> None:
    option = "--listen" if command == "setup" else "--proxy"
    result = CliRunner().invoke(main, [command, option, where])
    assert result.exit_code == 2
    assert "127.0.0.1" in result.output or where.partition(":")[0] in result.output


AS_ANOTHER = """
import os, subprocess, sys
from pathlib import Path
from safelight import paths
from safelight.cli import catalogue
from safelight.cli.doctor import here
from safelight.cli.doctor.check import Looked
folder = Path(sys.argv[1])
policy = (paths.default_policy(),)
looked = Looked("127.0.0.1:9", policy, folder / "audit", folder / "state", catalogue.load())
list(here.checks(looked))
os.setresuid(65534, 65534, 65534)
def told():
    every = [one for one in here.checks(looked) if one.name in ("audit", "certificate")]
    return {one.mends for one in every if one.state == "wrong"}
before = told()
print(before)
[mends] = [one for one in before if one.startswith("chmod")]
subprocess.run(["sh", "-c", mends], check=True)
print(before - told() == {mends})
"""


def test_folders_that_this_person_may_not_use() -> None:
    """Somebody has started the proxy as another user once, or closed a folder."""
    if os.geteuid() != 0:
        pytest.skip("only root can be somebody else")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        trust.open_or_create(folder / "state", ["openai.com"])
        folder.joinpath("state").chmod(0o700)
        folder.joinpath("audit").mkdir()
        shutil.chown(folder / "audit", 65534)
        folder.joinpath("audit").chmod(0o555)
        done = subprocess.run(
            [sys.executable, "-c", AS_ANOTHER, name],
            env={**os.environ, "HOME": name},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.stderr == ""
    commands, mended = done.stdout.splitlines()
    assert f'sudo chown -R "$(id -un)" {folder}/state' in commands
    assert f"chmod -R u+rwX {folder}/audit" in commands
    assert mended == "True"

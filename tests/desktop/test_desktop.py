"""Settings of desktops: real GNOME and Plasma tools, and the commands for systems not at hand."""

from __future__ import annotations

import plistlib
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from safelight.desktop import gnome, kde, launchd, macos, systemd, windows
from tests.support import tools

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = "data:application/x-ns-proxy-autoconfig,function%20FindProxyForURL(){}"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GSETTINGS_BACKEND", "keyfile")
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", "KDE")
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_gnome_gets_back_what_it_had() -> None:
    tools.needed("gsettings")
    assert gnome.is_here()
    schema = "org.gnome.system.proxy"
    subprocess.run(
        ["gsettings", "set", schema, "autoconfig-url", "'http://proxy.example/p.pac'"], check=True
    )
    proxy = gnome.Proxy(SCRIPT)
    before = proxy.before()
    assert before == {"mode": "'none'", "autoconfig-url": "'http://proxy.example/p.pac'"}
    for step in proxy.do():
        step.do()
    assert proxy.is_done()
    assert not gnome.Proxy(f"{SCRIPT}2").is_done()
    for step in proxy.undo(before):
        step.do()
    assert proxy.before() == before
    assert proxy.undo(before) == ()


def test_kde_gets_back_what_it_had(home: Path) -> None:
    if not any(shutil.which(f"kwriteconfig{one}") for one in "56"):
        tools.missing("kwriteconfig5")
    assert kde.is_here()
    proxy = kde.Proxy(SCRIPT)
    before = proxy.before()
    for step in proxy.do():
        step.do()
    assert proxy.is_done()
    assert "FindProxyForURL" in (home / ".config/kioslaverc").read_text()
    for step in proxy.undo(before):
        step.do()
    assert proxy.before() == before
    assert (home / ".config/kioslaverc").read_text() == ""


def test_a_systemd_unit_is_quoted(home: Path) -> None:
    unit = systemd.UserUnit(("/opt/a b/python", "-m", "100%", '"$x'), home / ".config", home)
    write, *rest = unit.do()
    write.do()
    assert unit.is_done()
    assert 'ExecStart="/opt/a b/python" "-m" "100%%" "\\"$$x"\n' in unit.path.read_text()
    assert [str(step) for step in rest] == [
        "systemctl --user daemon-reload",
        "systemctl --user enable --now safelight.service",
    ]
    _, remove, _ = unit.undo({})
    remove.do()
    assert list(home.rglob("*")) == []


def test_a_launch_agent(home: Path) -> None:
    agent = launchd.Agent(("python", "-m", "safelight", "run"), home)
    write, started = agent.do()
    write.do()
    assert agent.is_done()
    said = plistlib.loads(agent.path.read_bytes())
    assert said["ProgramArguments"] == ["python", "-m", "safelight", "run"]
    assert str(started).startswith("launchctl bootstrap gui/")


def test_windows_is_told_what_it_expects() -> None:
    address = "http://127.0.0.1:8080/proxy.pac"
    [step] = windows.InternetSettings(address).do()
    assert "AutoConfigURL /t REG_SZ /d http://127.0.0.1:8080/proxy.pac /f" in str(step)
    made, _ = windows.LogonTask(("C:\\a b\\python.exe", "-m", "safelight")).do()
    assert '"C:\\a b\\python.exe" -m safelight' in str(made)


NETWORKSETUP = """#!/bin/sh
case "$1" in
-listallnetworkservices)
    printf 'An asterisk (*) denotes that a network service is disabled.\\nWi-Fi\\n*Old\\n' ;;
-getautoproxyurl) cat "$HOME/$2" 2>/dev/null || printf 'URL: (null)\\nEnabled: No\\n' ;;
-setautoproxyurl) printf 'URL: %s\\nEnabled: Yes\\n' "$3" > "$HOME/$2" ;;
-setautoproxystate) rm "$HOME/$2" ;;
esac
"""


def test_macos_by_a_tool_that_speaks_like_its_own(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = home / "bin/networksetup"
    tool.parent.mkdir()
    tool.write_text(NETWORKSETUP)
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tool.parent), prepend=":")
    networks = macos.Networks("http://127.0.0.1:8080/proxy.pac")
    before = networks.before()
    assert before == {"Wi-Fi": "No (null)"}
    for step in networks.do():
        step.do()
    assert networks.is_done()
    for step in networks.undo(before):
        step.do()
    assert networks.before() == before

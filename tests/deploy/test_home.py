"""A home network: phones through WireGuard with a policy each, a laptop by PAC, a stranger."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import lab as labs
from tests.support import namespaces, pictures, tools

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.lab import Lab
    from tests.support.namespaces import Device

POLICY = """
version: 1
name: test
people:
  kids: ["phone:berts"]
rules:
  - {id: clean, do: strip-metadata, because: always}
  - {id: kids, when: {people: kids}, do: block, because: not for kids}
"""
URL = "https://api.openai.com/v1/files"
NAME_SERVER = "10.83.109.1"
MONITOR = 29180


def safelight(lab: Lab, *arguments: str | Path) -> str:
    command = [sys.executable, "-m", "safelight", *map(str, arguments)]
    state = ("--state", str(lab.folder / "state"))
    return subprocess.check_output([*command, *state], text=True)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("home")
    (folder / "policy.yaml").write_text(POLICY)
    (folder / "photo.jpg").write_bytes(pictures.jpeg())
    options = ("--listen", "0.0.0.0:0", "--monitor", f"0.0.0.0:{MONITOR}")
    with labs.running(folder, folder / "policy.yaml", options=options) as lab:
        yield lab


@contextlib.contextmanager
def phone(lab: Lab, name: str, number: int) -> Iterator[Device]:
    """A phone that scanned its code, with the tunnel on."""
    with (
        namespaces.device(number, f"192.168.{100 + number}") as device,
        tunnel(device, added(lab, name, device.here)),
    ):
        yield device
    safelight(lab, "phones", "remove", name)


def added(lab: Lab, name: str, here: str) -> str:
    """The configuration of a phone that was added."""
    path = lab.folder / f"{name}.conf"
    path.unlink(missing_ok=True)
    safelight(lab, "phones", "add", name, "--at", here, "--file", path)
    configuration = path.read_text()
    [port] = re.findall(r"Endpoint = .*:(\d+)\n", configuration)
    # A tunnel that finds nobody at first tries again after five seconds.
    for _ in range(100):
        if f":{int(port):04X} " in Path("/proc/net/udp").read_text():
            break
        time.sleep(0.05)
    return configuration


@contextlib.contextmanager
def tunnel(device: Device, configuration: str) -> Iterator[None]:
    """The tunnel of a configuration, as an app of WireGuard makes it."""
    [address] = re.findall(r"Address = (.*)\n", configuration)
    [allowed] = re.findall(r"AllowedIPs = (.*)\n", configuration)
    [name_server] = re.findall(r"DNS = (.*)\n", configuration)
    keys = re.sub(r"(Address|DNS) = .*\n", "", configuration)
    server = subprocess.Popen(
        device.command(tools.needed("wireguard-go"), "-f", device.tunnel),
        env={**os.environ, "WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(100):
            with contextlib.suppress(subprocess.CalledProcessError):
                subprocess.run(
                    device.command("wg", "setconf", device.tunnel, "/dev/stdin"),
                    input=keys,
                    text=True,
                    check=True,
                    stderr=subprocess.DEVNULL,
                )
                break
            time.sleep(0.05)
        device.run("ip", "address", "add", address, "dev", device.tunnel)
        device.run("ip", "link", "set", "mtu", "1420", "up", "dev", device.tunnel)
        for network in allowed.split(", "):
            device.run("ip", "route", "add", network, "dev", device.tunnel)
        device.use_name_server(name_server)
        yield
    finally:
        server.terminate()
        server.wait(10)


def curl(lab: Lab, device: Device, *arguments: str | Path) -> int:
    """The status of an answer; 0 where there is none."""
    command = [
        *(tools.needed("curl"), "-s", "-o", "/dev/null", "-w", "%{http_code}", "-m", "8"),
        *("--cacert", str(lab.proxy.root), *map(str, arguments)),
    ]
    done = subprocess.run(device.command(*command), capture_output=True, text=True, check=False)
    return int(done.stdout or 0)


def gets_nothing(lab: Lab, device: Device, *arguments: str | Path) -> bool:
    """Does nothing come for longer than answers take?"""
    return curl(lab, device, "-m", "3", *arguments) == 0


def upload(lab: Lab, device: Device, *arguments: str) -> int:
    return curl(lab, device, *arguments, *sent(lab))


def sent(lab: Lab) -> tuple[str, ...]:
    """What curl is told, to send a photo."""
    return "--data-binary", f"@{lab.folder / 'photo.jpg'}", URL


def test_two_phones_have_different_policies(home: Lab) -> None:
    before, arrived = len(home.proxy.records()), len(home.arrived)
    with phone(home, "annas", 1) as annas, phone(home, "berts", 2) as berts:
        assert upload(home, annas) == 200
        assert upload(home, annas, "--http1.1") == 200
        assert upload(home, berts) == 403
        records = home.new_records(before)
        assert [record.get("people", []) for record in records] == [[], [], ["kids"]]
        assert records[0]["client"] == records[1]["client"] != records[2]["client"]
        assert len(home.arrived) == arrived + 2
        assert not any(pictures.says_secrets(one.body) for one in home.arrived[arrived:])
        assert safelight(home, "phones", "list").count("phone:") == 2

        # It tells who it is by its key: another's address inside of the tunnel helps nothing.
        berts.run("ip", "address", "flush", "dev", berts.tunnel)
        berts.run("ip", "address", "add", "10.83.109.2/32", "dev", berts.tunnel)
        for network in ("10.83.109.1/32", "198.18.0.0/15"):
            berts.run("ip", "route", "replace", network, "dev", berts.tunnel)
        assert upload(home, berts) == 403
        assert len(home.arrived) == arrived + 2

        # Nothing but AI services is reached through the tunnel.
        here = f"{annas.here}:{home.proxy.address[1]}"
        annas.run("ip", "route", "add", "203.0.113.0/24", "dev", annas.tunnel)
        assert gets_nothing(home, annas, "http://203.0.113.7/")
        assert gets_nothing(home, annas, "http://198.18.0.0/")
        # Neither is it where the proxy's own page is, nor is there another proxy.
        for host in ("127.0.0.1", annas.here):
            elsewhere = f"{host}:{home.proxy.address[1]}"
            page = ("-H", f"Host: {elsewhere}", f"http://{NAME_SERVER}/proxy.pac")
            assert curl(home, annas, *page) == 404
            through = ("--proxy", f"http://{NAME_SERVER}:80", f"http://{elsewhere}/proxy.pac")
            assert curl(home, annas, *through) == 404
            assert gets_nothing(home, annas, "--proxytunnel", *through)
        # The proxy's own page says how to trust the certificate, and chooses no proxy.
        own = annas.run("curl", "-s", "-m", "8", f"http://{NAME_SERVER}/")
        assert "/safelight-ca.cer" in own
        assert "proxy.pac" not in own
        assert "proxy.pac" in annas.run("curl", "-s", "-m", "8", f"http://{here}/")


def test_a_phone_that_was_removed_is_let_in_no_longer(home: Lab) -> None:
    with (
        namespaces.device(8, "192.168.108") as device,
        tunnel(device, added(home, "old", device.here)),
    ):
        assert upload(home, device) == 200
        safelight(home, "phones", "remove", "old")
        time.sleep(2)
        assert gets_nothing(home, device, *sent(home))


def test_a_large_photo_comes_through(home: Lab) -> None:
    photo = home.folder / "large.jpg"
    photo.write_bytes(pictures.jpeg(width=4000, height=3000))
    with phone(home, "annas", 3) as annas:
        assert curl(home, annas, "--data-binary", f"@{photo}", URL) == 200
        assert not pictures.says_secrets(home.arrived[-1].body)


def test_a_key_of_nobody_opens_nothing(home: Lab) -> None:
    with phone(home, "annas", 4) as annas:
        # The port of one phone, with the key of another.
        configuration = added(home, "berts", annas.here).replace(":51821", ":51820")
        assert ":51820" in configuration
        with (
            namespaces.device(5, "192.168.105") as other,
            tunnel(other, configuration.replace(annas.here, other.here)),
        ):
            assert gets_nothing(home, other, *sent(home))
        assert upload(home, annas) == 200
    # Anybody can knock; that is no error of the proxy's.
    assert "internal error" not in home.proxy.output
    safelight(home, "phones", "remove", "berts")


def test_a_laptop_comes_by_pac_and_a_stranger_does_not(home: Lab) -> None:
    port = home.proxy.address[1]
    arrived = len(home.arrived)
    with namespaces.device(6, "192.168.106") as laptop:
        script = laptop.run("curl", "-s", f"http://{laptop.here}:{port}/proxy.pac")
        [proxy] = set(re.findall(r"PROXY ([\d.:]+)", script))
        assert proxy == f"{laptop.here}:{port}"
        assert upload(home, laptop, "--proxy", f"http://{proxy}") == 200
        assert curl(home, laptop, f"http://{laptop.here}:{MONITOR}/metrics") == 200
    assert len(home.arrived) == arrived + 1
    with namespaces.device(7, "203.0.113") as stranger:
        assert upload(home, stranger, "--proxy", f"http://{stranger.here}:{port}") == 0
        assert curl(home, stranger, f"http://{stranger.here}:{port}/proxy.pac") == 0
        assert curl(home, stranger, f"http://{stranger.here}:{MONITOR}/metrics") == 0
    assert len(home.arrived) == arrived + 1


def test_of_several_workers_one_serves_the_phones(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(POLICY)
    (tmp_path / "photo.jpg").write_bytes(pictures.jpeg())
    options = ("--listen", "0.0.0.0:0", "--workers", "2")
    with (
        labs.running(tmp_path, tmp_path / "policy.yaml", options=options) as lab,
        phone(lab, "annas", 9) as annas,
        phone(lab, "berts", 10) as berts,
    ):
        assert upload(lab, annas) == 200
        assert upload(lab, berts) == 403
        assert "cannot connect" not in lab.proxy.output
        assert len(lab.proxy.records()) == 2

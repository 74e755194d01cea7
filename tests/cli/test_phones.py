"""safelight phones."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
import zxingcpp
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from safelight import phones
from safelight.cli import main
from tests.support import lab as labs

if TYPE_CHECKING:
    from pathlib import Path


def call(state: Path, *arguments: str | Path) -> tuple[int, str]:
    command = ["phones", *map(str, arguments), "--state", str(state)]
    result = CliRunner().invoke(main, command)
    return result.exit_code, result.output


def test_a_phone_is_added_shown_and_removed(tmp_path: Path) -> None:
    assert "no phones" in call(tmp_path, "list")[1]
    code, shown = call(tmp_path, "add", "annas", "--at", "home.example")
    assert code == 0
    assert "PrivateKey" not in shown
    for text in ("http://10.83.109.1/", "home.example, UDP port 51820", "`phone:annas`"):
        assert text in shown
    assert call(tmp_path, "list") == (0, "phone:annas  UDP port 51820  10.83.109.2\n")
    assert call(tmp_path, "remove", "annas")[0] == 0
    assert call(tmp_path, "remove", "annas") == (
        1,
        "Error: There is no phone `annas`; `safelight phones list` shows all.\n",
    )


def read(shown: str) -> str:
    """What a camera reads in front of a terminal that is dark."""
    halves = {"█": (255, 255), "▀": (255, 0), "▄": (0, 255), " ": (0, 0)}
    lines = [line for line in shown.splitlines() if line and set(line) <= halves.keys()]
    rows = [[halves[one][half] for one in line] for line in lines for half in (0, 1)]
    module = np.ones((6, 6), np.uint8)
    image = np.kron(np.array(rows, np.uint8), module)
    [found] = zxingcpp.read_barcodes(image, try_invert=False)
    return found.text


@pytest.mark.parametrize("at", ["192.168.1.10", "a-rather-long-name.of.a.router.example.org"])
def test_the_code_holds_the_configuration(tmp_path: Path, at: str) -> None:
    configuration = read(call(tmp_path, "add", "annas", "--at", at)[1])
    assert configuration.startswith("[Interface]\nPrivateKey = ")
    assert f"Endpoint = {at}:51820\n" in configuration
    household = phones.read(phones.file(tmp_path))
    assert household is not None
    [private] = re.findall(r"PrivateKey = (.*)\n", configuration)
    key = X25519PrivateKey.from_private_bytes(base64.b64decode(private)).public_key()
    assert household.phones[0].public_key == base64.b64encode(key.public_bytes_raw()).decode()


def test_a_terminal_that_is_light_shows_it_dark(tmp_path: Path) -> None:
    command = ["phones", "add", "annas", "--at", "home.example", "--state", str(tmp_path)]
    shown = CliRunner().invoke(main, command, color=True).output
    assert shown.startswith("\x1b[97m\x1b[40m█")


def test_a_configuration_is_for_its_owners_eyes_and_overwrites_nothing(tmp_path: Path) -> None:
    path = tmp_path / "annas.conf"
    assert call(tmp_path, "add", "annas", "--at", "home.example", "--file", path)[0] == 0
    assert path.read_text().startswith("[Interface]\n")
    assert path.stat().st_mode & 0o777 == 0o600
    code, said = call(tmp_path, "add", "berts", "--at", "home.example", "--file", path)
    assert (code, "is not overwritten" in said) == (1, True)
    assert call(tmp_path, "list")[1].count("phone:") == 1


def test_phones_and_another_proxy_do_not_go_together(tmp_path: Path) -> None:
    phones.add(phones.file(tmp_path / "state"), "annas", "home.example")
    with (
        pytest.raises(AssertionError, match="does not go through another proxy"),
        labs.running(tmp_path, options=("--upstream-proxy", "http://127.0.0.1:3128")),
    ):
        pass


@pytest.mark.parametrize("at", ["home.example:51820", "a b", "x\nAllowedIPs = 0.0.0.0/0"])
def test_a_place_that_is_none_is_refused(tmp_path: Path, at: str) -> None:
    code, said = call(tmp_path, "add", "annas", "--at", at)
    assert (code, "is no address and no name" in said) == (1, True)
    assert "no phones" in call(tmp_path, "list")[1]

"""Who the phones are, and what they are told."""

from __future__ import annotations

import base64
import configparser
import subprocess
from typing import TYPE_CHECKING

import pytest

from safelight import phones
from safelight.phones import HOME, STAND_INS, PhonesError
from tests.support import tools

if TYPE_CHECKING:
    from pathlib import Path


def settings(configuration: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read_string(configuration)
    return parser


def test_each_phone_has_a_key_a_port_and_an_address_of_its_own(tmp_path: Path) -> None:
    path = phones.file(tmp_path / "state")
    made = [phones.add(path, name, "192.168.1.10") for name in ("annas", "berts")]
    household = phones.read(path)
    assert household is not None
    assert list(household.phones) == [phone for phone, _ in made]
    assert [phone.port for phone, _ in made] == [51820, 51821]
    assert len({phone.public_key for phone, _ in made}) == 2
    for phone, configuration in made:
        said = settings(configuration)
        assert said["Interface"]["Address"] == f"{phone.address}/32"
        assert said["Interface"]["DNS"] == HOME
        assert said["Peer"]["AllowedIPs"] == f"{HOME}/32, {STAND_INS}"
        assert said["Peer"]["Endpoint"] == f"192.168.1.10:{phone.port}"
        private = said["Interface"]["PrivateKey"]
        assert private not in path.read_text()
        wg = tools.needed("wg")
        public = subprocess.check_output([wg, "pubkey"], input=private, text=True).strip()
        assert public == phone.public_key
        server = subprocess.check_output(
            [wg, "pubkey"], input=household.private_key, text=True
        ).strip()
        assert said["Peer"]["PublicKey"] == server
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_number_is_free_again_and_a_key_is_not(tmp_path: Path) -> None:
    path = phones.file(tmp_path)
    first, _ = phones.add(path, "annas", "home.example")
    phones.add(path, "berts", "home.example")
    phones.remove(path, "annas")
    again, _ = phones.add(path, "carls", "home.example")
    assert again.number == first.number
    assert again.public_key != first.public_key


def test_an_ipv6_endpoint_stands_in_brackets(tmp_path: Path) -> None:
    _, configuration = phones.add(phones.file(tmp_path), "annas", "fd00::1")
    assert settings(configuration)["Peer"]["Endpoint"] == "[fd00::1]:51820"


def test_what_cannot_be_done_is_said(tmp_path: Path) -> None:
    path = phones.file(tmp_path)
    phones.add(path, "annas", "home.example")
    with pytest.raises(PhonesError, match="There is a phone `annas`"):
        phones.add(path, "annas", "home.example")
    for name in ("", "two words", "a\nb", "x" * 41, "user:anna"):
        with pytest.raises(PhonesError, match="must be letters, digits"):
            phones.add(path, name, "home.example")
    with pytest.raises(PhonesError, match="no phone `berts`"):
        phones.remove(path, "berts")
    with pytest.raises(PhonesError, match="no phone `annas`"):
        phones.remove(phones.file(tmp_path / "other"), "annas")


def test_there_are_two_hundred_at_most(tmp_path: Path) -> None:
    path = phones.file(tmp_path)
    household = phones.Household(
        private_key=base64.b64encode(bytes(32)).decode(),
        phones=tuple(
            phones.Phone(
                name=f"p{number}", number=number, public_key=base64.b64encode(bytes(32)).decode()
            )
            for number in range(1, 201)
        ),
    )
    path.write_text(household.model_dump_json())
    assert household.phones[-1].address == "10.83.109.201"
    with pytest.raises(PhonesError, match="200 phones"):
        phones.add(path, "one-more", "home.example")


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"private_key": "AAAA", "phones": []}', '{"private_key": "é"}']
)
def test_a_broken_file_is_no_household(tmp_path: Path, content: str) -> None:
    path = phones.file(tmp_path)
    path.write_text(content)
    with pytest.raises(PhonesError, match="cannot be used"):
        phones.read(path)
    with pytest.raises(PhonesError, match="cannot be used"):
        phones.add(path, "annas", "home.example")
    assert path.read_text() == content

"""safelight phones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

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
    assert shown.count("█") > 500
    assert "PrivateKey" not in shown
    for text in ("http://10.83.109.1/", "home.example, UDP port 51820", "`phone:annas`"):
        assert text in shown
    assert call(tmp_path, "list") == (0, "phone:annas  UDP port 51820  10.83.109.2\n")
    assert call(tmp_path, "remove", "annas")[0] == 0
    assert call(tmp_path, "remove", "annas") == (
        1,
        "Error: There is no phone `annas`; `safelight phones list` shows all.\n",
    )


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

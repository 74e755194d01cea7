"""What a policy says reaches real clients: who they are, and that a held upload does not leave."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support import lab as labs
from tests.support import pictures, records
from tests.support.proxy import HOME_POLICY

if TYPE_CHECKING:
    from pathlib import Path

RULE = """
  - id: ask-first
    when: {people: these}
    do: hold
    because: Ask first.
people: {these: %s}
"""
AT_ONCE = """
import safelight.broker as broker
async def no(*_):
    return broker.Answer.DENIED
broker.ask = no
"""


@pytest.mark.parametrize(
    ("addresses", "held"), [("127.0.0.1", True), ("127.0.0.0/8", True), ("127.0.0.2", False)]
)
def test_people_are_told_by_their_address(tmp_path: Path, addresses: str, *, held: bool) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(HOME_POLICY.read_text() + RULE % addresses)
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(pictures.jpeg())
    with labs.running(tmp_path, policy, before=AT_ONCE) as lab:
        answer = lab.curl("https://api.openai.com/v1/files", "--data-binary", f"@{photo}")
        record = lab.proxy.records()[0]
        assert (record["verdict"], "ask-first" in record["by"]) == (
            ("hold", True) if held else ("warn", False)
        )
        assert bool(lab.arrived) is not held
        if held:
            assert answer.status == 403
            error = json.loads(answer.body)["error"]
            assert error["code"] == "held"
            assert "Ask first. Somebody said no." in error["message"]
        assert "127.0.0." not in records.text(lab.proxy.audit_folder)

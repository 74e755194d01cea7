"""Connections of which nothing is seen: let through by the policy, or refused by the program."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import lab as labs
from tests.support import pictures
from tests.support.proxy import HOME_POLICY

if TYPE_CHECKING:
    from pathlib import Path

CHAT = "https://api.anthropic.com/v1/messages"


def test_a_service_is_let_through_without_a_look(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(HOME_POLICY.read_text().replace("[]", "[anthropic_api]"))
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(pictures.jpeg())
    with labs.running(tmp_path, policy) as lab:
        answer = lab.curl("--data-binary", f"@{photo}", CHAT, root=lab.origin_root)
        assert answer.status == 200
        assert lab.arrived[0].body == photo.read_bytes()
        [record] = lab.proxy.records()
        assert (record["kind"], record["how"]) == ("unseen", "uninspected")
        assert record["service"] == "anthropic_api"
        other = "https://api.openai.com/v1/images/edits"
        assert lab.curl("-F", f"image=@{photo}", other).status == 200
        assert not pictures.says_secrets(lab.arrived[1].body)


def test_nothing_is_let_through_unrecorded(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(HOME_POLICY.read_text().replace("[]", "[anthropic_api]"))
    broken = """
from safelight.audit import AuditError
from safelight.journal import Journal
def unseen(*_):
    raise AuditError("the disk is full")
Journal.unseen = unseen
"""
    with labs.running(tmp_path, policy, before=broken) as lab:
        with pytest.raises(ConnectionError):
            lab.curl("-d", "x", CHAT, root=lab.origin_root)
        assert not lab.arrived


def test_programs_that_reject_the_certificate_are_counted(tmp_path: Path) -> None:
    with labs.running(tmp_path) as lab:
        for _ in range(3):
            with pytest.raises(ConnectionError):
                lab.curl("-d", "x", CHAT, root=lab.origin_root)
        assert not lab.arrived
        [record] = lab.proxy.records()
        assert (record["service"], record["how"]) == ("anthropic_api", "certificate-rejected")
        assert "would not accept" in lab.proxy.output

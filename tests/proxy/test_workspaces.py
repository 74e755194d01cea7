"""Rules about workspaces, and what is written down of these."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cli.test_commands import call
from tests.support import lab as labs
from tests.support import pictures, records
from tests.support.sockets import open_socket

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.lab import Lab
    from tests.support.origin import Received

OURS, THEIRS = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
POLICY = f"""
version: 1
name: ours
rules:
  - {{id: clean, do: [strip-metadata, rename], because: Always.}}
  - id: ours-only
    when: {{not: {{service: {{id: [claude_web, chatgpt_web], workspace: {OURS}}}}}}}
    do: block
    because: Only with the company's account.
"""
STORAGE = "https://files.oaiusercontent.com/files"


def answer(received: Received) -> tuple[int, str, bytes]:
    """ChatGPT says where a file is to go."""
    account = received.headers.get("chatgpt-account-id", "nobody")
    said = {"upload_url": f"{STORAGE}/{account}/raw?sig=1"}
    return 200, "application/json", json.dumps(said).encode()


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    policy = tmp_path / "ours.yaml"
    policy.write_text(POLICY)
    (tmp_path / "photo.jpg").write_bytes(pictures.jpeg())
    with labs.running(tmp_path, policy, answer=answer) as lab:
        yield lab


def test_in_the_path(lab: Lab) -> None:
    photo = f"file=@{lab.folder / 'photo.jpg'}"
    for account, status in ((OURS, 200), (THEIRS, 403)):
        url = f"https://claude.ai/api/organizations/{account}/conversations/c/wiggle/upload-file"
        assert lab.curl("-F", photo, url).status == status
    assert len(lab.arrived) == 1


def test_of_storage_it_is_that_of_the_request_before(lab: Lab) -> None:
    photo = lab.folder / "photo.jpg"
    begin = ["--json", '{"file_name": "a.jpg", "file_size": 9}']
    files = "https://chatgpt.com/backend-api/files"
    for account in (OURS, THEIRS):
        lab.curl(*begin, "-H", f"ChatGPT-Account-Id: {account}", files)
    assert lab.curl("-T", photo, f"{STORAGE}/{OURS}/raw?sig=1").status == 200
    for address in (f"{STORAGE}/{THEIRS}/raw?sig=1", f"{STORAGE}/{OURS}x/raw?sig=1"):
        assert lab.curl("-T", photo, address).status == 403
    # Storage does not look at the header, so what it says there counts for nothing.
    forged = ("-H", f"chatgpt-account-id: {OURS}")
    assert lab.curl(*forged, "-T", photo, f"{STORAGE}/{THEIRS}/raw?sig=1").status == 403
    assert len(lab.arrived) == 3


def test_over_a_websocket(lab: Lab) -> None:
    with open_socket(lab, f"wss://claude.ai/api/organizations/{OURS}/voice") as client:
        client.send(pictures.jpeg())
        assert client.recv(10) == "received"


def test_the_log_has_a_pseudonym_and_replay_knows_it_again(lab: Lab) -> None:
    photo = f"file=@{lab.folder / 'photo.jpg'}"
    for account in (OURS, THEIRS, THEIRS):
        lab.curl("-F", photo, f"https://claude.ai/api/organizations/{account}/x/upload")
    first, second, third = lab.proxy.records()
    assert len({first["workspace"], second["workspace"]}) == 2
    assert second["workspace"] == third["workspace"]
    for account in (OURS, THEIRS):
        assert account not in records.text(lab.proxy.audit_folder)
    log = ("--audit", lab.proxy.audit_folder, "--state", lab.folder / "state")
    policy = lab.folder / "ours.yaml"
    assert call("policy", "replay", policy, *log).exit_code == 0
    other = lab.folder / "other.yaml"
    other.write_text(POLICY.replace(OURS, THEIRS))
    replayed = call("policy", "replay", other, *log)
    assert replayed.exit_code == 1
    assert "3 uploads, 3 decided otherwise." in replayed.output
    explained = call("policy", "explain", second["id"], policy, *log).output
    assert f"service.workspace = {OURS}, seen (another)" in explained
    assert f"allow (rename, strip-metadata): to claude_web, workspace {OURS}" in explained
    # Without the month's key nobody can tell, and what is not known opens no way.
    month = first["at"][:7]
    assert call("audit", "erase", month, *log).exit_code == 0
    erased = call("policy", "replay", policy, *log)
    assert "3 uploads, 1 decided otherwise." in erased.output

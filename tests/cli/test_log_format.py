"""`safelight run --log-format json`: a log for programs, with nothing personal in it."""

from __future__ import annotations

import json
import re
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.proxy.test_users import POLICY, URL
from tests.support import lab as labs
from tests.support import pictures, records
from tests.test_users import line

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.lab import Lab

JSON = ("--log-format", "json")
BROKEN = """
from safelight.proxy.gate import Gate
def broken(self, flow):
    raise ValueError("Anna at home, 127.0.0.1, api.openai.com")
Gate.responseheaders = broken
"""
FACTS = {
    "started": {"version", "policy", "services"},
    "upload-sent": {"service", "pictures", "removed", "warned"},
    "upload-stopped": {"service", "cause", "record"},
    "certificate-rejected": {"services"},
    "stranger-refused": set(),
    "users-rejected": set(),
    "policy-rejected": {"where"},
    "internal-error": {"hook", "type"},
    "stopped": set(),
}


def events(output: str) -> list[dict[str, Any]]:
    return [json.loads(one) for one in output.splitlines()]


def wait_for(lab: Lab, event: str) -> None:
    for _ in range(200):
        if f'"{event}"' in lab.proxy.output:
            return
        time.sleep(0.05)
    pytest.fail(f"{event} is not told")


def test_what_happens_is_told_in_ids_and_numbers(tmp_path: Path) -> None:
    policy, users = tmp_path / "policy.yaml", tmp_path / "users"
    text = POLICY.replace("not for kids", "Bert asks Anna first")
    policy.write_text(text)
    users.write_text(line("anna", "se:cret") + line("bert", "berts"))
    photo = tmp_path / "Anna at home.jpg"
    photo.write_bytes(pictures.jpeg())
    clients = ("--clients", "127.0.0.0/30", "--users", str(users))
    with labs.running(tmp_path, policy, options=(*JSON, *clients), before=BROKEN) as lab:
        form = ("-F", f"image=@{photo}", URL)
        assert lab.curl("--proxy-user", "anna:se:cret", *form).status == 200
        assert lab.curl("--proxy-user", "bert:berts", *form).status == 403
        with pytest.raises(ConnectionError):
            lab.curl("--proxy-user", "anna:se:cret", *form, root=lab.origin_root)
        with pytest.raises(ConnectionError):
            lab.curl("--interface", "127.0.0.9", *form)
        users.write_text("anna:plain")
        policy.write_text(text + "anna: 127.0.0.1\n")
        wait_for(lab, "policy-rejected")
        with pytest.raises(ConnectionError):
            lab.curl("--proxy-user", "bert:wrong", *form)
    found = events(lab.proxy.output)
    assert {one["event"] for one in found} == FACTS.keys()
    for one in found:
        assert set(one) - {"time", "level", "event"} == FACTS[one["event"]], one
        assert datetime.fromisoformat(one["time"]).tzinfo is not None
        assert one["level"] in {"info", "warning", "error"}
    [sent] = [one for one in found if one["event"] == "upload-sent"]
    assert (sent["service"], sent["pictures"]) == ("openai_api", 1)
    assert "location" in sent["removed"]
    [stopped] = [one for one in found if one["event"] == "upload-stopped"]
    assert (stopped["service"], stopped["cause"]) == ("openai_api", "policy")
    assert stopped["record"] in records.text(lab.proxy.audit_folder)
    assert [one["services"] for one in found if "services" in one][1:] == [["openai_api"]]
    [rejected] = [one for one in found if one["event"] == "policy-rejected"]
    assert rejected["where"] == [f"{policy}:9:1"]
    text = lab.proxy.output.replace(str(tmp_path), "")
    assert not re.search(r"anna|bert|127\.0|openai\.com|cret|home|CANARY", text, re.IGNORECASE)


def test_several_workers_write_whole_lines(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(pictures.jpeg())
    with labs.running(tmp_path, options=(*JSON, "--workers", "2")) as lab:
        for number in range(2, 8):
            who = ("--interface", f"127.0.0.{number}")
            sent = ("--data-binary", f"@{tmp_path / 'a.jpg'}", URL)
            assert lab.curl(*who, *sent).status == 200
    told = [one["event"] for one in events(lab.proxy.output)]
    assert told == ["started", *["upload-sent"] * 6, "stopped"]


def test_a_start_that_failed_is_told_as_well(tmp_path: Path) -> None:
    options = (*JSON, "--users", str(tmp_path / "none"))
    with (
        pytest.raises(AssertionError) as raised,
        labs.running(tmp_path, options=options),
    ):
        pass
    [last] = re.findall(r'{"time".*"start-failed".*}', str(raised.value))
    assert "cannot be read" in json.loads(last)["message"]

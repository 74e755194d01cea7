"""The policy is exchanged and paused in front of the engine, and in front of a running proxy."""

from __future__ import annotations

import itertools
import json
import os
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from safelight import assembly, pausing
from safelight.in_force import clock
from safelight.reloading import Reloading
from tests.support import lab as labs
from tests.support import pictures, records
from tests.support.proxy import HOME_POLICY

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from tests.support.lab import Lab

POLICY = "version: 1\nname: one\nrules: [{id: tell, do: warn, because: x}]\n"
BLOCK = "\n  - {id: stop, do: block, because: Not today.}\n"


def changed(file: Path, text: str) -> None:
    """Write `text`, and make sure that the time of change is another one."""
    before = file.stat().st_mtime_ns
    file.write_text(text)
    os.utime(file, ns=(before + 1, before + 1))


def test_a_changed_file_counts_once_it_rests(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(POLICY)
    caplog.set_level("INFO", "safelight")
    reloading = Reloading([file], tmp_path)
    assembled = assembly.assemble([file], tmp_path / "audit", tmp_path / "keys")
    in_force = assembled.engine.in_force

    def name() -> str | None:
        reloading.look(assembled)
        return in_force.policy.name if in_force.policy else None

    changed(file, POLICY.replace("one", "half"))
    assert name() == "one"
    changed(file, POLICY.replace("one", "two"))
    assert (name(), name(), name()) == ("one", "two", "two")
    changed(file, "version: 3")
    assert (name(), name(), name()) == ("two", "two", "two")
    file.unlink()
    assert (name(), name()) == ("two", "two")
    file.write_text(POLICY)
    assert (name(), name()) == ("two", "one")
    first, second, third, fourth = caplog.messages
    assert "read again: two, revision " in first
    assert f"the last good one stays:\n{file}:1:1: `name` is missing" in second
    assert "cannot be read" in third
    assert "read again: one" in fourth


def test_a_folder_is_all_that_is_in_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Also where the folder is exchanged as a whole, as Kubernetes does with a ConfigMap."""
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.yaml").write_text(POLICY)
    (tmp_path / "new" / "b.yaml").write_text(POLICY.replace("one", "two").replace("tell", "stop"))
    (tmp_path / "new" / "b_test.yaml").write_text("tests: no policy")
    current = tmp_path / "policies"
    current.symlink_to("old")
    reloading = Reloading([current], tmp_path)
    assembled = assembly.assemble([current], tmp_path / "audit", tmp_path / "keys")
    assert assembled.problems == ()
    (tmp_path / "next").symlink_to("new")
    (tmp_path / "next").rename(current)
    for _ in range(2):
        reloading.look(assembled)
    policy = assembled.engine.in_force.policy
    assert policy is not None
    assert [rule.id for rule in policy.rules] == ["stop", "tell"]
    for file in (tmp_path / "new").iterdir():
        file.unlink()
    for _ in range(2):
        reloading.look(assembled)
    assert assembled.engine.in_force.policy is policy
    assert "the last good one stays" in caplog.messages[-1]


def test_another_file_as_large_and_as_old_is_another_file(tmp_path: Path) -> None:
    for name in ("one", "two"):
        file = tmp_path / f"{name}.txt"
        file.write_text(POLICY.replace("one", name))
        os.utime(file, ns=(10**18, 10**18))
    current = tmp_path / "p.yaml"
    current.symlink_to("one.txt")
    reloading = Reloading([current], tmp_path)
    assembled = assembly.assemble([current], tmp_path / "audit", tmp_path / "keys")
    (tmp_path / "next").symlink_to("two.txt")
    (tmp_path / "next").rename(current)
    for _ in range(2):
        reloading.look(assembled)
    policy = assembled.engine.in_force.policy
    assert policy is not None
    assert policy.name == "two"


def test_a_look_that_breaks_is_not_the_last_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    looks = itertools.count()
    read = pausing.read

    def breaks_once(state: Path) -> datetime | None:
        if next(looks) == 1:
            raise BrokenPipeError
        return read(state)

    monkeypatch.setattr(pausing, "read", breaks_once)
    monkeypatch.setattr("safelight.reloading.INTERVAL", 0.05)
    file = tmp_path / "p.yaml"
    file.write_text(POLICY)
    reloading = Reloading([file], tmp_path)
    assembled = assembly.assemble([file], tmp_path / "audit", tmp_path / "keys")
    reloading.start(assembled)
    try:
        for name in ("two", "three"):
            changed(file, POLICY.replace("one", name))
            deadline = time.monotonic() + 10
            while (now := assembled.engine.in_force.policy) is None or now.name != name:
                assert time.monotonic() < deadline
                time.sleep(0.02)
    finally:
        reloading.stop()
    assert "could not be looked at: BrokenPipeError" in caplog.text


def test_a_mended_policy_counts_without_a_new_start(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text("version: 1")
    reloading = Reloading([file], tmp_path)
    assembled = assembly.assemble([file], tmp_path / "audit", tmp_path / "keys")
    assert assembled.engine.in_force.policy is None
    file.write_text(POLICY)
    reloading.look(assembled)
    reloading.look(assembled)
    assert assembled.engine.in_force.policy is not None


def test_a_pause_is_told_when_it_begins_and_when_it_is_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(POLICY)
    caplog.set_level("INFO", "safelight")
    reloading = Reloading([file], tmp_path)
    assembled = assembly.assemble([file], tmp_path / "audit", tmp_path / "keys")
    pausing.write(tmp_path, clock() + timedelta(seconds=2))
    reloading.look(assembled)
    reloading.look(assembled)
    assert caplog.messages == ["A pause began: rules that are not locked stop nothing."]
    time.sleep(2)  # the file stays; the moment in it has passed
    reloading.look(assembled)
    assert caplog.messages[1:] == ["The pause is over."]


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"until": 5}', '{"until": "soon"}', '{"until": "2099-01-01"}', "\xff"]
)
def test_a_pause_that_nobody_can_read_is_none(tmp_path: Path, text: str) -> None:
    pausing.file(tmp_path).write_text(text, "latin-1")
    assert pausing.read(tmp_path) is None


def test_a_pause_is_written_and_ended(tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert pausing.read(state) is None
    until = (clock() + timedelta(minutes=5)).replace(microsecond=0)
    pausing.write(state, until)
    assert pausing.read(state) == until
    assert pausing.file(state).stat().st_mode & 0o777 == 0o600
    pausing.end(state)
    pausing.end(state)
    assert pausing.read(state) is None


EVENTS = {"policy-load", "policy-reject", "pause"}


def status(lab: Lab) -> int:
    photo = lab.folder / "photo.jpg"
    photo.write_bytes(pictures.jpeg())
    return lab.curl("https://api.openai.com/v1/files", "--data-binary", f"@{photo}").status


def settles_at(lab: Lab, wanted: int) -> None:
    deadline = time.monotonic() + 10
    while (now := status(lab)) != wanted and time.monotonic() < deadline:
        time.sleep(0.3)
    assert now == wanted, lab.proxy.output


def test_a_running_proxy_follows(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    home = HOME_POLICY.read_text()
    policy.write_text(home)
    with labs.running(tmp_path, policy) as lab:
        assert status(lab) == 200
        policy.write_text(home + BLOCK)
        settles_at(lab, 403)
        policy.write_text(home + "    nonsense")
        time.sleep(3)
        assert status(lab) == 403
        assert f"the last good one stays:\n{policy}:" in lab.proxy.output
        pausing.write(tmp_path / "state", clock() + timedelta(minutes=1))
        settles_at(lab, 200)
        assert not pictures.says_secrets(lab.arrived[-1].body)
        assert lab.proxy.records()[-1]["paused"] == ["stop"]
        pausing.end(tmp_path / "state")
        settles_at(lab, 403)
    lines = records.text(lab.proxy.audit_folder).splitlines()
    said = [kind for kind in (json.loads(line)["kind"] for line in lines) if kind in EVENTS]
    assert said == ["policy-load", "policy-reject", "pause", "pause"]

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from safelight import audit
from tests.audit.test_log import decision
from tests.audit.test_verify import Log
from tests.cli.test_commands import call

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path)


@pytest.fixture
def copied(log: Log, tmp_path: Path) -> Path:
    """A folder with a copy of the log's first file, its public key and its last checkpoint."""
    [keys] = log.keys.iterdir()
    copy = tmp_path / "copy"
    (copy / "log").mkdir(parents=True)
    shutil.copy(log.files[0], copy / "log")
    for name in ("public-key", "last-checkpoint"):
        shutil.copy(keys / name, copy)
    return copy


def test_your_own(log: Log, tmp_path: Path) -> None:
    log.keys.rename(tmp_path / "audit-keys")
    result = call("audit", "verify", log.folder, "--state", tmp_path)
    assert result.exit_code == 0, result.output
    assert "none missing, none altered" in result.stdout
    said = call("audit", "verify", log.folder, "--state", tmp_path, "--json")
    assert (json.loads(said.stdout)["result"], json.loads(said.stdout)["key"]) == ("good", "given")


def test_a_copy_may_be_older_than_what_is_known_here(log: Log, copied: Path) -> None:
    log.keys.rename(copied / "audit-keys")
    key = copied / "public-key"
    result = call("audit", "verify", copied / "log", "--key", key, "--state", copied)
    assert result.exit_code == 0, result.output


def test_a_copy_is_held_against_the_checkpoint_that_is_given(copied: Path) -> None:
    files = ("--key", copied / "public-key", "--expect", copied / "last-checkpoint")
    result = call("audit", "verify", copied / "log", *files, "--state", copied)
    assert (result.exit_code, "a checkpoint over" in result.stderr) == (2, True)


@pytest.mark.parametrize("option", ["--key", "--expect"])
def test_a_file_that_is_something_else(log: Log, tmp_path: Path, option: str) -> None:
    other = tmp_path / "other"
    other.write_text("nothing of that kind")
    result = call("audit", "verify", log.folder, option, other, "--state", tmp_path)
    assert (result.exit_code, f"{other} is not" in result.stderr) == (3, True)


def test_what_cannot_be_read_is_not_taken_for_altered_or_cut(log: Log, tmp_path: Path) -> None:
    odd = tmp_path / "odd"
    (odd / "audit-000001.jsonl").mkdir(parents=True)
    for arguments in (
        [odd],
        [tmp_path / "missing"],
        [log.folder, "--key", tmp_path / "missing"],
        [log.folder, "--expect", odd],
    ):
        result = call("audit", "verify", *arguments, "--state", tmp_path)
        assert (result.exit_code, "cannot be read" in result.stderr) == (4, True), result.output


def test_the_log_is_named_as_elsewhere(
    log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = call("audit", "verify", "--audit", log.folder, "--state", tmp_path)
    assert said.exit_code == 0, said.output
    monkeypatch.setenv("SAFELIGHT_AUDIT", str(log.folder))
    assert call("audit", "verify", "--state", tmp_path).output == said.output


def test_a_log_that_was_taken_away_whole_is_told_of(log: Log, tmp_path: Path) -> None:
    log.keys.rename(tmp_path / "audit-keys")
    before = call("audit", "verify", log.folder, "--state", tmp_path)
    assert "another log" not in before.output
    shutil.rmtree(log.folder)
    begun = audit.AuditLog(log.folder, tmp_path / "audit-keys")
    begun.append(decision(1))
    begun.close()
    after = call("audit", "verify", log.folder, "--state", tmp_path)
    assert (after.exit_code, "note  another log was kept here: lg_" in after.stdout) == (0, True), (
        after.output
    )

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from safelight.audit import AuditLog
from safelight.audit.record import Stop
from tests.audit.test_verify import Log
from tests.cli.test_commands import call

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def log(tmp_path: Path) -> Log:
    made = Log(tmp_path)
    state = tmp_path / "state"
    state.mkdir()
    made.keys = made.keys.rename(state / "audit-keys")
    return made


def written(log: Log, target: Path) -> str:
    state = log.keys.parent
    result = call(
        "audit", "report", "2026-11", "--audit", log.folder, "--state", state, "-o", target
    )
    assert result.exit_code == 0, result.output
    assert str(target) in result.stdout
    return target.read_text()


def test_a_log_that_is_whole(log: Log, tmp_path: Path) -> None:
    text = written(log, tmp_path / "month.html")
    assert "✓ Yes. Nothing in the log is missing" in text
    assert "November 2026" in text


def test_without_the_key_it_does_not_say_yes(log: Log, tmp_path: Path) -> None:
    [keys] = log.keys.iterdir()
    (keys / "public-key").unlink()
    text = written(log, tmp_path / "month.html")
    assert "✗ Not for certain. As far as the log itself says" in text


def test_a_log_that_was_altered(log: Log, tmp_path: Path) -> None:
    lines = log.lines()
    record = json.loads(lines[3])
    lines[3] = json.dumps({**record, "verdict": "block"}).encode() + b"\n"
    log.put(lines)
    assert "✗ No. The log was altered" in written(log, tmp_path / "month.html")


def test_no_log_at_all(tmp_path: Path) -> None:
    (tmp_path / "audit").mkdir()
    target = tmp_path / "month.html"
    arguments = ("--audit", tmp_path / "audit", "--state", tmp_path, "-o", target)
    assert call("audit", "report", *arguments).exit_code == 0
    assert "Not known. The log cannot be read." in target.read_text()


def test_mistakes(log: Log, tmp_path: Path) -> None:
    result = call("audit", "report", "November", "--audit", log.folder)
    assert (result.exit_code, "no month such as 2026-11" in result.stderr) == (2, True)
    target = tmp_path / "none" / "month.html"
    result = call("audit", "report", "--audit", log.folder, "--state", tmp_path, "-o", target)
    assert (result.exit_code, "cannot be written" in result.stderr) == (1, True)


def test_many_notes_are_told_in_part(tmp_path: Path) -> None:
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    log = AuditLog(tmp_path / "audit", tmp_path / "keys", lambda: now)
    for number in range(20):
        now = now.replace(minute=number % 2)
        log.append(Stop())
    log.close()
    target = tmp_path / "month.html"
    arguments = ("--audit", tmp_path / "audit", "--state", tmp_path, "-o", target)
    assert call("audit", "report", "2026-11", *arguments).exit_code == 0
    assert target.read_text().count("the clock was set back") == 5
    assert "more notes, which `safelight audit verify` shows" in target.read_text()

from __future__ import annotations

import json
import os
import resource
import signal
import stat
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from safelight.audit import AuditError, AuditLog, Decision, last

if TYPE_CHECKING:
    from pathlib import Path


def decision(number: int = 0, changes: dict[str, object] | None = None) -> Decision:
    fields = {
        "id": f"d_{number:012x}",
        "at": "2026-11-23T10:15:04.123Z",
        "service": "chatgpt_web",
        "host": "*.oaiusercontent.com",
        "policy": "home",
        "revision": "abc",
        "verdict": "allow",
    }
    return Decision.model_validate({**fields, **(changes or {})})


def test_one_json_line_a_record(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "new" / "audit")
    for number in range(3):
        log.append(decision(number))
    lines = log.path.read_text().splitlines()
    assert [json.loads(line)["id"] for line in lines] == [f"d_{n:012x}" for n in range(3)]
    assert stat.S_IMODE(log.path.stat().st_mode) == 0o600
    assert list(last(log.path.parent, 2)) == [decision(1), decision(2)]


@pytest.mark.parametrize(
    "changes",
    [
        {"file-name": "anna.jpg"},
        {"service": "Anna's service"},
        {"host": "anna/photo.jpg"},
        {"pictures": [{"type": "jpeg", "received": 1, "gps": "48.1"}]},
        {"pictures": [{"type": "jpeg", "received": 1, "found": ["48.8584, 2.2945"]}]},
    ],
)
def test_the_schema_is_closed(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        decision(0, changes)


def test_a_torn_line_is_ended_before_the_next_record(tmp_path: Path) -> None:
    (tmp_path / "audit.jsonl").write_bytes(b'{"v":1,"kind":"deci')
    AuditLog(tmp_path).append(decision(7))
    records = list(last(tmp_path, 5))
    assert records == ['{"v":1,"kind":"deci', decision(7)]


def test_a_file_that_is_moved_away_is_made_again(tmp_path: Path) -> None:
    log = AuditLog(tmp_path)
    log.append(decision(1))
    log.path.rename(tmp_path / "old.jsonl")
    log.append(decision(2))
    log.path.unlink()
    log.append(decision(3))
    assert list(last(tmp_path, 5)) == [decision(3)]


def test_several_threads_write_whole_lines(tmp_path: Path) -> None:
    log = AuditLog(tmp_path)

    def write(start: int) -> None:
        for number in range(start, start + 25):
            log.append(decision(number))

    threads = [threading.Thread(target=write, args=(start,)) for start in (0, 100, 200, 300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    records = list(last(tmp_path, 1000))
    assert len(records) == 100
    assert not any(isinstance(record, str) for record in records)


def test_a_folder_that_is_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "audit").write_text("")
    with pytest.raises(AuditError, match="cannot be written"):
        AuditLog(tmp_path / "audit").append(decision())
    with pytest.raises(AuditError, match="cannot be written"):
        AuditLog(tmp_path / "audit").check()


def test_a_full_disk_is_an_error_and_leaves_no_half_line(tmp_path: Path) -> None:
    log = AuditLog(tmp_path)
    log.append(decision(1))
    whole = log.path.read_bytes()
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + 50, limit[1]))
    try:
        with pytest.raises(AuditError):
            log.append(decision(2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, ignored)
    assert log.path.read_bytes() == whole
    log.append(decision(3))
    assert list(last(tmp_path, 5)) == [decision(1), decision(3)]


def test_a_record_is_on_the_disk_when_append_returns(tmp_path: Path) -> None:
    """Killed right after append, the process has lost nothing."""
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from safelight.audit import AuditLog, Decision\n"
        "log = AuditLog(Path(sys.argv[1]))\n"
        "log.append(Decision.model_validate_json(sys.argv[2]))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    record = decision(9)
    arguments = [str(tmp_path), record.model_dump_json(by_alias=True)]
    done = subprocess.run([sys.executable, "-c", program, *arguments], check=False)
    assert done.returncode == -signal.SIGKILL
    assert list(last(tmp_path, 5)) == [record]


def test_the_record_is_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    real = os.fsync

    def sync(descriptor: int) -> None:
        synced.append(descriptor)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", sync)
    log = AuditLog(tmp_path)
    log.append(decision())
    count = len(synced)
    log.append(decision())
    assert len(synced) == count + 1

from __future__ import annotations

import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from safelight.audit import (
    AuditError,
    AuditLog,
    Decision,
    ProofError,
    Result,
    SegmentOpen,
    Told,
    every,
    segments,
    told,
    verify,
)
from safelight.audit.keys import Keyring
from tests.support import records

if TYPE_CHECKING:
    from pathlib import Path


def decision(number: int = 0, changes: dict[str, object] | None = None) -> Decision:
    fields = {
        "id": f"d_{number:012x}",
        "service": "chatgpt_web",
        "host": "*.oaiusercontent.com",
        "policy": "home",
        "revision": "abc",
        "verdict": "allow",
    }
    return Decision.model_validate({**fields, **(changes or {})})


def log_in(folder: Path) -> AuditLog:
    return AuditLog(folder / "audit", folder / "keys")


def ids(folder: Path) -> list[str]:
    """The ids of the decisions in the log."""
    return [_id(record) for record in told(folder / "audit")]


def _id(record: Told | str) -> str:
    assert isinstance(record, Decision), record
    return record.id


def test_one_json_line_a_record(tmp_path: Path) -> None:
    log = log_in(tmp_path)
    for number in range(3):
        log.append(decision(number))
    assert ids(tmp_path) == [f"d_{number:012x}" for number in range(3)]
    kinds = [record["kind"] for record in records.told(tmp_path / "audit")]
    assert kinds == ["decision"] * 3
    [file] = (tmp_path / "audit").glob("*.jsonl")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "audit").stat().st_mode) == 0o700
    for key in (tmp_path / "keys").rglob("*"):
        assert not stat.S_IMODE(key.stat().st_mode) & 0o077


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


def test_a_torn_line_is_moved_aside(tmp_path: Path) -> None:
    log_in(tmp_path).append(decision(1))
    [file] = (tmp_path / "audit").glob("*.jsonl")
    with file.open("ab") as torn:
        torn.write(b'{"v":1,"kind":"deci')
    log_in(tmp_path).append(decision(7))
    assert ids(tmp_path) == [decision(1).id, decision(7).id]
    assert file.with_suffix(".torn").read_bytes() == b'{"v":1,"kind":"deci'
    assert '"kind":"recovered"' in file.read_text()


def test_a_file_altered_in_its_middle_is_not_written_to(tmp_path: Path) -> None:
    log = log_in(tmp_path)
    for number in range(3):
        log.append(decision(number))
    [file] = (tmp_path / "audit").glob("*.jsonl")
    file.write_text(file.read_text().replace(decision(1).id, decision(9).id))
    with pytest.raises(AuditError, match="altered in its middle"):
        log_in(tmp_path).append(decision(3))


def test_a_file_that_is_moved_away_is_noticed(tmp_path: Path) -> None:
    log = log_in(tmp_path)
    log.append(decision(1))
    (tmp_path / "audit").rename(tmp_path / "old")
    log.append(decision(2))
    assert ids(tmp_path) == [decision(2).id]
    [file] = (tmp_path / "audit").glob("*.jsonl")
    file.unlink()
    log.append(decision(3))
    assert ids(tmp_path) == [decision(3).id]


def test_several_threads_and_processes_write_one_chain(tmp_path: Path) -> None:
    log = log_in(tmp_path)
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from safelight.audit import AuditLog, Decision\n"
        "log = AuditLog(Path(sys.argv[1]) / 'audit', Path(sys.argv[1]) / 'keys')\n"
        "for _ in range(50): log.append(Decision.model_validate_json(sys.argv[2]))\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    line = decision(5).model_dump_json(by_alias=True)
    processes = [subprocess.Popen([*command, line]) for _ in range(4)]

    def write(start: int) -> None:
        for number in range(start, start + 25):
            log.append(decision(number))

    threads = [threading.Thread(target=write, args=(start,)) for start in (0, 100, 200, 300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [process.wait() for process in processes] == [0] * 4
    assert len(ids(tmp_path)) == 300
    numbers = [record.seq for record in every(tmp_path / "audit") if not isinstance(record, str)]
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_folder_that_is_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "audit").write_text("")
    with pytest.raises(AuditError, match="cannot be written"):
        log_in(tmp_path).append(decision())
    with pytest.raises(AuditError, match="cannot be written"):
        log_in(tmp_path).check()


def test_a_full_disk_is_an_error_and_leaves_no_half_line(tmp_path: Path) -> None:
    log = log_in(tmp_path)
    log.append(decision(1))
    [file] = (tmp_path / "audit").glob("*.jsonl")
    whole = file.read_bytes()
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + 50, limit[1]))
    try:
        with pytest.raises(AuditError):
            log.append(decision(2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, ignored)
    assert file.read_bytes() == whole
    log.append(decision(3))
    assert ids(tmp_path) == [decision(1).id, decision(3).id]


def test_a_record_is_on_the_disk_when_append_returns(tmp_path: Path) -> None:
    """Killed right after append, the process has lost nothing."""
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from safelight.audit import AuditLog, Decision\n"
        "log = AuditLog(Path(sys.argv[1]) / 'audit', Path(sys.argv[1]) / 'keys')\n"
        "log.append(Decision.model_validate_json(sys.argv[2]))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    arguments = [str(tmp_path), decision(9).model_dump_json(by_alias=True)]
    done = subprocess.run([sys.executable, "-c", program, *arguments], check=False)
    assert done.returncode == -signal.SIGKILL
    assert ids(tmp_path) == [decision(9).id]


def test_records_that_wait_for_the_disk_share_its_next_sync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    busy, real = threading.Event(), os.fsync
    log = log_in(tmp_path)
    log.append(decision())

    def sync(descriptor: int) -> None:
        synced.append(descriptor)
        busy.wait(10)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", sync)
    threads = [threading.Thread(target=log.append, args=(decision(n),)) for n in range(20)]
    for thread in threads:
        thread.start()
    while len(log._queue) < 19:
        assert any(thread.is_alive() for thread in threads)
    busy.set()
    for thread in threads:
        thread.join()
    assert len(synced) == 2
    assert len(ids(tmp_path)) == 21


def test_a_new_day_has_its_own_file_and_key(tmp_path: Path) -> None:
    now = datetime(2026, 11, 23, 23, 59, tzinfo=UTC)
    log = AuditLog(tmp_path / "audit", tmp_path / "keys", lambda: now)
    log.append(decision(1))
    now += timedelta(days=1)
    log.append(decision(2))
    files = sorted(path.name for path in (tmp_path / "audit").glob("*.jsonl"))
    assert files == ["audit-000001.jsonl", "audit-000002.jsonl"]
    assert ids(tmp_path) == [decision(1).id, decision(2).id]
    [keys] = (tmp_path / "keys").iterdir()
    assert "2026-11-24" in (keys / "signing-key").read_text()
    assert "2026-11-23" in (keys / "public-key").read_text()


def test_a_new_day_with_several_writers(tmp_path: Path) -> None:
    now = datetime(2026, 11, 23, 23, 59, tzinfo=UTC)
    writers = [AuditLog(tmp_path / "audit", tmp_path / "keys", lambda: now) for _ in range(3)]
    for number, log in enumerate(writers):
        log.append(decision(number))
    for day in (1, 2, 3):
        now += timedelta(days=1)
        for number, log in enumerate(writers):
            log.append(decision(10 * day + number))
            assert log.sign()
    assert writers[1].retire("2026-11-25") == 2
    writers[0].append(decision(99))
    assert len(list((tmp_path / "audit").glob("*.jsonl"))) == 2 + 1
    verify(tmp_path / "audit", None)
    assert ids(tmp_path)[-1] == decision(99).id


def test_a_last_file_without_a_whole_record_follows_the_one_before(tmp_path: Path) -> None:
    log = log_in(tmp_path)
    log.append(decision(1))
    log.close()
    (tmp_path / "audit" / "audit-000001.jsonl").chmod(0o400)
    (tmp_path / "audit" / "audit-000002.jsonl").write_bytes(b'{"half')
    log_in(tmp_path).append(decision(2))
    assert ids(tmp_path) == [decision(1).id, decision(2).id]
    verify(tmp_path / "audit", None)


@pytest.mark.parametrize("how", ["removed", "unlinked", "emptied", "cut", "made anew", "older"])
def test_what_is_lost_under_a_running_log_is_said(tmp_path: Path, how: str) -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    log = AuditLog(tmp_path / "audit", tmp_path / "keys", lambda: now)
    log.append(decision(1))
    if how == "older":
        now += timedelta(days=1)
    log.append(decision(2))
    file = segments.path_of(log.folder, 2 if how == "older" else 1)
    if how in {"removed", "made anew"}:
        shutil.rmtree(log.folder)
    if how == "made anew":
        log.folder.mkdir()
    if how in {"unlinked", "older"}:
        file.unlink()
    if how == "emptied":
        file.write_bytes(b"")
    if how == "cut":
        file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-1]))
    log.append(decision(3))
    log.append(decision(4))
    assert ids(tmp_path)[-2:] == [decision(3).id, decision(4).id]
    with pytest.raises(ProofError, match="before it were gone") as raised:
        verify(log.folder, None)
    assert raised.value.result is Result.CUT


def test_pseudonyms_are_those_of_the_log_that_is_there(tmp_path: Path) -> None:
    log = log_in(tmp_path)
    before = log.pseudonym("content", b"photo")
    shutil.rmtree(log.folder)
    after = log.pseudonym("content", b"photo")
    log.append(decision(1))
    [opened] = [record for record in every(log.folder) if isinstance(record, SegmentOpen)]
    known = Keyring(tmp_path / "keys" / opened.log).pseudonyms("content", b"photo")
    assert after in known.values()
    assert before not in known.values()


def test_a_log_that_was_given_up_is_not_missed_in_the_next(tmp_path: Path) -> None:
    log = log_in(tmp_path)
    log.append(decision(1))
    [file] = log.folder.glob("*.jsonl")
    file.write_bytes(b"altered" + file.read_bytes())
    log.close()
    with pytest.raises(AuditError, match="altered in its middle"):
        log.append(decision(2))
    log.folder.rename(tmp_path / "old")
    log.append(decision(3))
    verify(log.folder, None)


def test_pseudonyms_say_nothing_without_their_key(tmp_path: Path) -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    log = AuditLog(tmp_path / "audit", tmp_path / "keys", lambda: now)
    one = log.pseudonym("content", b"photo")
    assert one == log.pseudonym("content", b"photo") != log.pseudonym("client", b"photo")
    assert len(one) == 32
    now += timedelta(days=10)
    assert log.pseudonym("content", b"photo") != one


def test_a_month_is_erased(tmp_path: Path) -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    log = AuditLog(tmp_path / "audit", tmp_path / "keys", lambda: now)
    before = log.pseudonym("content", b"photo")
    assert log.erase("2026-11")
    assert not log.erase("2026-11")
    assert log.pseudonym("content", b"photo") != before
    assert '"kind":"erased","month":"2026-11"' in records.text(tmp_path / "audit")

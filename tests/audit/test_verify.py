"""Attacks on a log: each ends in its own message and result."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from safelight.audit import (
    AuditLog,
    Checkpoint,
    Proof,
    ProofError,
    Result,
    Verifier,
    chain,
    verify,
)
from safelight.audit.notes import Signer
from safelight.audit.writer import Writer
from tests.audit.test_log import decision

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Log:
    """A log of two days that is whole, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.keys = folder / "audit", folder / "keys"
        self.now = datetime(2026, 11, 23, 10, tzinfo=UTC)
        log = self.opened()
        for number in range(4):
            log.append(decision(number))
        log.sign()
        self.now += timedelta(days=1)
        for number in range(4, 8):
            log.append(decision(number))
        log.sign()
        log.close()

    def opened(self) -> AuditLog:
        return AuditLog(self.folder, self.keys, lambda: self.now)

    @property
    def key(self) -> Verifier:
        [keys] = self.keys.iterdir()
        return Verifier.parse((keys / "public-key").read_text())

    @property
    def checkpoint(self) -> Checkpoint:
        [keys] = self.keys.iterdir()
        return Checkpoint.of_note((keys / "last-checkpoint").read_text())

    @property
    def files(self) -> list[Path]:
        return sorted(self.folder.glob("audit-*.jsonl"))

    def lines(self, file: int = 0) -> list[bytes]:
        return self.files[file].read_bytes().splitlines(keepends=True)

    def put(self, lines: list[bytes], file: int = 0) -> None:
        path = self.files[file]
        path.chmod(0o600)
        path.write_bytes(b"".join(lines))

    def verified(self) -> Proof:
        return verify(self.folder, self.key, self.checkpoint)

    def result(self) -> tuple[Result, str]:
        with pytest.raises(ProofError) as raised:
            self.verified()
        return raised.value.result, str(raised.value)


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path)


def linked(lines: list[bytes], start: int = 0) -> list[bytes]:
    """Lines with their numbers, links and hashes made anew, as who has no key can do it."""
    prev, made = chain.BEGINNING, list[bytes]()
    for number, line in enumerate(lines, start + 1):
        fields: dict[str, Any] = json.loads(line) | {"seq": number, "prev": prev}
        fields["hash"] = prev = chain.hash_of(fields)
        made.append(chain.canonical(fields) + b"\n")
    return made


def test_a_whole_log(log: Log) -> None:
    proof = log.verified()
    assert (proof.records, proof.checkpoints, proof.notes) == (15, 3, [])
    assert proof.signed == proof.records


def test_a_copy_needs_only_the_public_key(log: Log, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere"
    shutil.copytree(log.folder, copy)
    assert verify(copy, log.key).records == 15
    assert verify(copy, None).records == 15


def test_a_log_that_is_being_written(log: Log) -> None:
    with log.files[1].open("ab") as file:
        file.write(b'{"at":"2026')
    assert "no record yet" in log.verified().notes[0]


def test_every_byte_counts(log: Log) -> None:
    for file in (0, 1):
        whole = b"".join(log.lines(file))
        # A last line without its end is one that is being written.
        for position in range(len(whole) - file):
            log.put([whole[:position], bytes([whole[position] ^ 4]), whole[position + 1 :]], file)
            assert log.result()[0] in {Result.ALTERED, Result.CUT}, position
        log.put([whole], file)
    log.verified()


ATTACKS: dict[str, tuple[Callable[[list[bytes]], list[bytes]], Result, str]] = {
    "a line deleted": (lambda lines: lines[:3] + lines[4:], Result.CUT, "record 4 is missing"),
    "two lines deleted": (lambda lines: lines[:3] + lines[5:], Result.CUT, "4 to 5 are missing"),
    "lines swapped": (
        lambda lines: [*lines[:3], lines[4], lines[3], *lines[5:]],
        Result.ALTERED,
        "record 5 stands before 4",
    ),
    "a line twice": (
        lambda lines: lines[:4] + lines[3:],
        Result.ALTERED,
        "stands here a second time",
    ),
    "a line cut in its middle": (
        lambda lines: [*lines[:3], lines[3][:50] + b"\n", *lines[4:]],
        Result.ALTERED,
        "it is no record",
    ),
    "something else written in": (
        lambda lines: [*lines[:3], b"nonsense\n", *lines[3:]],
        Result.ALTERED,
        "audit-000001.jsonl:4 was altered",
    ),
    "a decision changed, all links made anew": (
        lambda lines: linked([line.replace(b'"allow"', b'"block"') for line in lines]),
        Result.ALTERED,
        "is of other records than those before it",
    ),
    "a decision left out, all links made anew": (
        lambda lines: linked(lines[:3] + lines[4:]),
        Result.ALTERED,
        "is of other records than those before it",
    ),
    "the key left out, all links made anew": (
        lambda lines: linked([line for line in lines if b'"key"' not in line]),
        Result.UNSEALED,
        "no key came before it",
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_attacks(log: Log, attack: str) -> None:
    change, result, told = ATTACKS[attack]
    log.put(change(log.lines()))
    found, text = log.result()
    assert (found, told in text) == (result, True), text


@pytest.mark.parametrize("kept", range(5))
def test_a_log_cut_short(log: Log, kept: int) -> None:
    log.put(log.lines(1)[:kept], 1)
    found, text = log.result()
    assert (found, "a checkpoint over 14 is known" in text) == (Result.CUT, True)


def test_checkpoints_taken_out(log: Log) -> None:
    log.files[1].unlink()
    unsigned = [line for line in log.lines() if not any(k in line for k in (b'"note"', b'"key"'))]
    log.put(linked(unsigned))
    with pytest.raises(ProofError, match="Nothing in this log is signed") as raised:
        verify(log.folder, log.key)
    assert raised.value.result is Result.UNSEALED


def test_the_last_records_unsigned(log: Log) -> None:
    writer = log.opened()
    writer.append(decision(9))
    assert log.verified().records == 16
    log.now += timedelta(minutes=11)
    writer.append(decision(10))
    found, text = log.result()
    assert (found, "behind number 15 are not signed" in text) == (Result.UNSEALED, True)


def test_a_file_missing(log: Log) -> None:
    log.now += timedelta(days=1)
    log.opened().append(decision(9))
    log.files[1].unlink()
    assert log.result() == (Result.CUT, "The file audit-000002.jsonl is missing.")


def test_the_first_file_missing(log: Log) -> None:
    log.files[0].unlink()
    assert log.result() == (Result.CUT, "Records 1 to 9 are missing.")


def test_the_wrong_key(log: Log, tmp_path: Path) -> None:
    other = Log(tmp_path / "other")
    with pytest.raises(ProofError, match="begun with another key") as raised:
        verify(log.folder, other.key)
    assert raised.value.result is Result.UNSEALED


def test_two_logs_merged(log: Log, tmp_path: Path) -> None:
    other = Log(tmp_path / "other")
    log.put(log.lines() + other.lines())
    assert log.result()[0] is Result.ALTERED
    log.put(other.lines(1), 1)
    assert log.result()[0] is Result.ALTERED


def test_yesterday_signed_with_todays_key(log: Log) -> None:
    """Who takes over today has today's key, and nothing that signs for yesterday."""
    [keys] = log.keys.iterdir()
    lines = log.lines()
    name, private = (keys / "signing-key").read_text().split()
    signer = Signer.load(name, bytes.fromhex(private))
    forged = linked([line.replace(b'"allow"', b'"block"') for line in lines[:6]])
    fields = json.loads(lines[6])
    fields["note"] = signer.signed(log.checkpoint.text)
    log.put(linked([*forged, json.dumps(fields).encode()]))
    found, text = log.result()
    assert (found, "not signed with this key" in text) == (Result.UNSEALED, True)


def test_a_key_that_signs_after_its_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "safelight-audit/log/2026-11-23"
    monkeypatch.setattr(Writer, "_key_name", lambda *_: name)
    found, text = Log(tmp_path).result()
    assert (found, "with the key of another day" in text) == (Result.UNSEALED, True)


def test_a_key_that_nobody_endorsed(log: Log) -> None:
    [keys] = log.keys.iterdir()
    (keys / "signing-key").unlink()
    log.now += timedelta(days=1)
    log.opened().append(decision(9))
    found, text = log.result()
    assert (found, "did not endorse" in text) == (Result.UNSEALED, True)


def test_the_clock_set_back_is_said(log: Log) -> None:
    log.now -= timedelta(hours=1)
    writer = log.opened()
    writer.append(decision(9))
    writer.sign()
    assert log.verified().notes == ["the clock was set back at record 16"]


def test_going_on_after_a_cut_is_said(log: Log) -> None:
    log.put(log.lines(1)[:3], 1)
    writer = log.opened()
    for number in range(20):
        writer.append(decision(number))
    writer.sign()
    found, text = log.result()
    assert (found, "records that were there before it were gone" in text) == (Result.CUT, True)


def test_no_log(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for folder, told in (("empty", "no record here"), ("missing", "cannot be read")):
        with pytest.raises(ProofError, match=told) as raised:
            verify(tmp_path / folder, None)
        assert raised.value.result is Result.UNREADABLE


def test_old_files_may_be_deleted(log: Log) -> None:
    assert log.opened().retire("2026-11-24") == 1
    assert [path.name for path in log.files] == ["audit-000002.jsonl"]
    assert log.verified().notes == ["records up to 9 were deleted for their age"]
    log.now += timedelta(days=2)
    log.opened().append(decision(9))
    assert log.opened().retire("2026-11-25") == 0
    assert log.opened().retire("2026-11-26") == 1
    assert log.verified().first_seq > 15
    (log.folder / "retired-keys.jsonl").unlink()
    assert log.result()[0] is Result.CUT


def test_old_files_behind_a_clock_that_was_set_back_stay(log: Log) -> None:
    for back in (0, 0, 40, 0):
        log.now += timedelta(days=1 - back)
        log.opened().append(decision(back))
    assert log.opened().retire("2026-11-20") == 0
    assert log.opened().retire("2026-11-25") == 2
    assert log.verified().notes[0] == "the clock was set back at record 24"


def test_a_deletion_that_was_not_finished(log: Log) -> None:
    first = log.files[0]
    kept = first.read_bytes()
    log.opened().retire("2026-11-24")
    first.write_bytes(kept)
    assert log.verified().first_seq == 1


def test_the_kept_keys_forged(log: Log, tmp_path: Path) -> None:
    other = Log(tmp_path / "other")
    for one in (log, other):
        one.opened().retire("2026-11-24")
    kept = "retired-keys.jsonl"
    (log.folder / kept).write_bytes((other.folder / kept).read_bytes())
    assert log.result()[0] is Result.UNSEALED

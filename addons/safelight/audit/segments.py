"""The files of a log: `audit-000001.jsonl` and on, each read to where its records end."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from safelight.audit import chain
from safelight.audit.chain import Head, LineError
from safelight.audit.merkle import Frontier

if TYPE_CHECKING:
    from pathlib import Path

RETIRED_KEYS = "retired-keys.jsonl"
_LOG = re.compile(r"lg_[0-9a-f]{12}")
_NAME = re.compile(r"audit-(\d{6})\.jsonl")


class AlteredError(Exception):
    """A file of the log holds lines that are no records before others that are."""


def path_of(folder: Path, number: int) -> Path:
    """Where the file with this number is."""
    return folder / f"audit-{number:06d}.jsonl"


def present(folder: Path) -> dict[int, Path]:
    """The files of the log, by number, oldest first. Raises OSError."""
    found = ((_NAME.fullmatch(path.name), path) for path in folder.iterdir())
    return dict(sorted((int(match[1]), path) for match, path in found if match))


def ended_before(folder: Path, day: str) -> dict[int, Path]:
    """The first files, all of which were closed before `day`: the next one begins no later. Later
    ones may be older where the clock was set back; they stay, so that none is missing between
    others. Raises OSError."""
    files = present(folder)
    began = {number: _first_day(path) for number, path in files.items()}
    never = "9999"
    ended = takewhile(lambda number: (began.get(number + 1) or never) <= day, files)
    return {number: files[number] for number in ended}


def keep_keys(folder: Path, files: dict[int, Path]) -> int:
    """Write the changes of keys in these files to one that stays; the number of the last record
    in them. Raises OSError and AlteredError."""
    last, kept = 0, []
    for path in files.values():
        for line in path.read_bytes().splitlines(keepends=True):
            try:
                fields = chain.read(line)
            except LineError as error:
                raise AlteredError from error
            last = fields["seq"]
            if fields["kind"] == "key":
                kept.append(line)
    descriptor = os.open(folder / RETIRED_KEYS, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, b"".join(kept))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return last


def _first_day(path: Path) -> str | None:
    with path.open("rb") as file:
        line = file.readline()
    try:
        day: str = chain.read(line)["at"][:10]
    except LineError:
        return None
    return day


@dataclass(slots=True)
class Segment:
    """One file, open for appending: its records up to `offset` are known, `head` is their end.

    `signed` is the number of the last record that a checkpoint covers, `public` the key that
    signs, `began` the day of the first record.
    """

    number: int
    descriptor: int
    offset: int = 0
    head: Head = field(default_factory=Head)
    log: str = ""
    began: str = ""
    public: str = ""
    signed: int = 0

    def take(self, line: bytes) -> None:
        """Note the next line. Raises chain.LineError."""
        fields = chain.read(line)
        if fields["kind"] == "segment-open":
            self._open(fields)
        elif (fields["seq"], fields["prev"]) != (self.head.seq + 1, self.head.hash):
            raise LineError("it does not follow the one before")
        self.head = self.head.after(fields)
        self.offset += len(line)
        if fields["kind"] in {"checkpoint", "key"}:
            self.signed = self.head.seq
        if fields["kind"] == "key":
            self.public = fields["public"]

    def _open(self, fields: dict[str, Any]) -> None:
        if self.offset or not _LOG.fullmatch(str(fields.get("log"))):
            raise LineError("it does not follow the one before")
        try:
            peaks = tuple(bytes.fromhex(peak) for peak in fields["peaks"])
        except (KeyError, TypeError, ValueError) as error:
            raise LineError("it is no record") from error
        before = fields["seq"] - 1
        self.head = Head(before, fields["prev"], frontier=Frontier(before, peaks))
        self.signed = before
        self.log, self.began = fields["log"], fields["at"][:10]
        self.public = str(fields.get("public", ""))

    def catch_up(self) -> int:
        """Take the lines that were added since. Returns how many bytes at the end are no record.
        Raises OSError, and AlteredError when records stand behind those bytes."""
        size = os.fstat(self.descriptor).st_size
        added = os.pread(self.descriptor, size - self.offset, self.offset)
        lines = added.splitlines(keepends=True)
        taken = 0
        for line in lines:
            try:
                self.take(line)
            except LineError:
                break
            taken += 1
        rest = lines[taken:]
        if any(_is_record(line) for line in rest):
            raise AlteredError
        return sum(map(len, rest))


def _is_record(line: bytes) -> bool:
    try:
        chain.read(line)
    except LineError:
        return False
    return True

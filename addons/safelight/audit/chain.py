"""Records in a chain: each line holds the hash of the one before, and its own.

A line is canonical JSON (RFC 8785) with sorted keys. Its `hash` is the SHA-256 of a prefix and of
the line without `hash`, so that no other protocol's bytes can be taken for a record.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from safelight.audit.merkle import Frontier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safelight.audit.record import Record

_PREFIX = b"safelight-audit/v1\n"
BEGINNING = "0" * 64


class LineError(ValueError):
    """A line is no record of the chain, or does not say its own hash."""


def canonical(fields: Mapping[str, Any]) -> bytes:
    """`fields` in the one form of JSON that is hashed. They hold no fractions (RFC 8785 3.2.2.3)
    and their keys are ASCII, so sorting by code points is sorting by UTF-16 units."""
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain: its last record's number, hash and moment, and the tree over all."""

    seq: int = 0
    hash: str = BEGINNING
    at: str = ""
    frontier: Frontier = field(default_factory=Frontier)

    def seal(self, record: Record, at: str) -> tuple[bytes, Head]:
        """The line for `record` behind this end, with its line feed, and the new end."""
        fields = record.model_dump(mode="json", by_alias=True, exclude_none=True)
        fields |= {"seq": self.seq + 1, "at": at, "prev": self.hash}
        fields["hash"] = hash_of(fields)
        return canonical(fields) + b"\n", self.after(fields)

    def after(self, fields: Mapping[str, Any]) -> Head:
        """The end of the chain once a line with these fields follows."""
        hashed: str = fields["hash"]
        frontier = self.frontier.with_leaf(bytes.fromhex(hashed))
        return Head(fields["seq"], hashed, fields["at"], frontier)


def hash_of(fields: Mapping[str, Any]) -> str:
    """The hash that a line with these fields should say, in hexadecimal digits."""
    rest = {name: value for name, value in fields.items() if name != "hash"}
    return hashlib.sha256(_PREFIX + canonical(rest)).hexdigest()


def read(line: bytes) -> dict[str, Any]:
    """The fields of a line, with its line feed, that is as it was written. Raises LineError."""
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise LineError("it is no record") from error
    shape = {"seq": int, "at": str, "prev": str, "hash": str, "kind": str}
    if not isinstance(fields, dict) or any(
        type(fields.get(name)) is not kind for name, kind in shape.items()
    ):
        raise LineError("it is no record")
    try:
        if canonical(fields) + b"\n" != line or hash_of(fields) != fields["hash"]:
            raise LineError("its hash is not its own")
    except UnicodeEncodeError as error:
        raise LineError("it is no record") from error
    return fields

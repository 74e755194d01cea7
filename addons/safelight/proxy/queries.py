"""Questions of the domain name system and their answers, as they stand in messages (RFC 1035
section 4.1).

Names stay the bytes that they are: many are in use that older rules for international names
(RFC 3490), which Python and mitmproxy go by, do not know.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ipaddress

A = 1
SERVFAIL, NXDOMAIN, NOTIMP = 2, 3, 4
_HEADER = struct.Struct("!HHHHHH")
_RESPONSE, _RECURSION_DESIRED, _RECURSION_AVAILABLE = 1 << 15, 1 << 8, 1 << 7
_OP_CODE = 0b1111 << 11
_LONGEST_LABEL = 63
_LONGEST_NAME = 255
_NAME_OF_QUESTION = 0xC000 | _HEADER.size  # a pointer to it
_INTERNET = 1


class QueryError(ValueError):
    """This is no query."""


@dataclass(frozen=True, slots=True)
class Query:
    """`name` is in small letters, without the last dot; `question` are the bytes in which it was
    asked, none where that was in an unusual way."""

    id: int
    flags: int
    name: str
    kind: int
    question: bytes

    def answer(self, *addresses: ipaddress.IPv4Address, ttl: int = 0, code: int = 0) -> bytes:
        """A message that answers with these; `code` tells of a failure."""
        kept = self.flags & (_OP_CODE | _RECURSION_DESIRED)
        flags = _RESPONSE | _RECURSION_AVAILABLE | kept | code
        header = _HEADER.pack(self.id, flags, bool(self.question), len(addresses), 0, 0)
        records = (
            struct.pack("!HHHIH", _NAME_OF_QUESTION, A, _INTERNET, ttl, 4) + one.packed
            for one in addresses
        )
        return header + self.question + b"".join(records)


def parse(message: bytes) -> Query:
    """The one question of a message. Raises QueryError."""
    try:
        number, flags, count, *_ = _HEADER.unpack_from(message)
        if flags & _RESPONSE:
            raise QueryError("it is an answer")
        if flags & _OP_CODE or count != 1:
            return Query(number, flags, "", 0, b"")
        labels, end = _labels(message, _HEADER.size)
        kind, _ = struct.unpack_from("!HH", message, end)
    except (struct.error, IndexError) as error:
        raise QueryError("it is cut off") from error
    name = b".".join(labels).decode("latin-1").lower()
    return Query(number, flags, name, kind, message[_HEADER.size : end + 4])


def _labels(message: bytes, start: int) -> tuple[list[bytes], int]:
    labels: list[bytes] = []
    at = start
    while length := message[at]:
        if length > _LONGEST_LABEL or at - start > _LONGEST_NAME:
            raise QueryError("its name is too long, or refers to another")
        labels.append(message[at + 1 : at + 1 + length])
        at += 1 + length
    return labels, at + 1

"""The PROXY protocol, versions 1 and 2: a balancer says for whom it connects.

Source: haproxy.org, "The PROXY protocol, versions 1 & 2" (proxy-protocol.txt), sections 2.1, 2.2.
Bytes in, an address out; who reads them is `admission`.
"""

from __future__ import annotations

import ipaddress
import struct

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
BEGINS_V1 = b"PROXY "
LONGEST_V1 = 107  # bytes, with the end of line
FIXED_V2 = 16  # bytes, with the signature
LONGEST_V2 = 4096  # bytes behind those: addresses, and what balancers add
_LOCAL, _PROXY = 0x20, 0x21
_IPV4, _IPV6 = 0x11, 0x21
_UNSPECIFIED = 0x00

type Address = tuple[str, int]


class HeaderError(ValueError):
    """This is no header of the PROXY protocol that says a TCP client's address."""


def parse_v1(line: bytes) -> Address | None:
    """The client's address in a whole line; None where the balancer does not know it. Raises
    HeaderError."""
    if len(line) > LONGEST_V1 or not line.endswith(b"\r\n") or not line.isascii():
        raise HeaderError("the line is too long, or does not end as one")
    words = line[:-2].decode("ascii").split(" ")
    if words[:2] == ["PROXY", "UNKNOWN"]:
        return None
    if len(words) != 6 or words[0] != "PROXY" or words[1] not in {"TCP4", "TCP6"}:
        raise HeaderError("it does not name two addresses of TCP")
    version = 4 if words[1] == "TCP4" else 6
    try:
        source, target = (ipaddress.ip_address(word) for word in words[2:4])
    except ValueError as error:
        raise HeaderError("an address is none") from error
    if source.version != version or target.version != version:
        raise HeaderError("the addresses are of another kind than it says")
    _port(words[5])
    return str(source), _port(words[4])


def length_v2(fixed: bytes) -> int:
    """How many bytes follow the first 16. Raises HeaderError."""
    command, _, length = struct.unpack("!BBH", fixed[len(SIGNATURE) : FIXED_V2])
    if not fixed.startswith(SIGNATURE) or command not in {_LOCAL, _PROXY}:
        raise HeaderError("it is of another version")
    if length > LONGEST_V2:
        raise HeaderError("it is too long")
    return int(length)


def parse_v2(fixed: bytes, rest: bytes) -> Address | None:
    """The client's address in the first 16 bytes and the `rest`; None where the balancer speaks for
    itself. What it adds behind the addresses is skipped. Raises HeaderError."""
    if length_v2(fixed) != len(rest):
        raise HeaderError("it is cut off")
    command, family = fixed[len(SIGNATURE)], fixed[len(SIGNATURE) + 1]
    if command == _LOCAL or family == _UNSPECIFIED:
        return None
    size = {_IPV4: 4, _IPV6: 16}.get(family)
    if size is None or len(rest) < 2 * size + 4:
        raise HeaderError("it does not hold two addresses of TCP")
    (port,) = struct.unpack_from("!H", rest, 2 * size)
    return str(ipaddress.ip_address(rest[:size])), port


def _port(word: str) -> int:
    usual = word.isdigit() and (word == "0" or not word.startswith("0"))
    if not usual or int(word) > 0xFFFF:
        raise HeaderError("a port is none")
    return int(word)

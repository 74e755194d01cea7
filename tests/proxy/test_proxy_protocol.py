from __future__ import annotations

import ipaddress
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.proxy.proxy_protocol import (
    FIXED_V2,
    LONGEST_V2,
    SIGNATURE,
    HeaderError,
    length_v2,
    parse_v1,
    parse_v2,
)

ports = st.integers(0, 0xFFFF)


def v2(source: str, port: int, more: bytes = b"") -> bytes:
    """A header as HAProxy sends it."""
    address = ipaddress.ip_address(source)
    target = ipaddress.ip_address("192.0.2.1" if address.version == 4 else "2001:db8::1")
    rest = address.packed + target.packed + struct.pack("!HH", port, 8080) + more
    family = 0x11 if address.version == 4 else 0x21
    return SIGNATURE + struct.pack("!BBH", 0x21, family, len(rest)) + rest


@given(st.ip_addresses(), ports, st.binary(max_size=200))
def test_version_2_says_the_address(
    source: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int, more: bytes
) -> None:
    header = v2(str(source), port, more)
    assert parse_v2(header[:FIXED_V2], header[FIXED_V2:]) == (str(source), port)


@given(st.ip_addresses(v=4), st.ip_addresses(v=4), ports)
def test_version_1_says_the_address(
    source: ipaddress.IPv4Address, target: ipaddress.IPv4Address, port: int
) -> None:
    line = f"PROXY TCP4 {source} {target} {port} 443\r\n".encode()
    assert parse_v1(line) == (str(source), port)


def test_a_balancer_that_speaks_for_itself() -> None:
    assert parse_v1(b"PROXY UNKNOWN\r\n") is None
    assert parse_v1(b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n") is None
    local = SIGNATURE + struct.pack("!BBH", 0x20, 0, 3)
    assert parse_v2(local, b"abc") is None


@pytest.mark.parametrize(
    "line",
    [
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n",
        b"PROXY TCP4 192.0.2.1  192.0.2.2 1 2\r\n",
        b"PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n",
        b"PROXY TCP4 ::1 ::2 1 2\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 -1 2\r\n",
        b"PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.\xb2 1 2\r\n",
        b"GET / HTTP/1.1\r\n",
        b"PROXY TCP4 " + b"1" * 100 + b"\r\n",
        b"\r\n",
        b"",
    ],
)
def test_other_lines_are_refused(line: bytes) -> None:
    with pytest.raises(HeaderError):
        parse_v1(line)


@pytest.mark.parametrize(
    "header",
    [
        SIGNATURE + struct.pack("!BBH", 0x31, 0x11, 12) + bytes(12),
        SIGNATURE + struct.pack("!BBH", 0x22, 0x11, 12) + bytes(12),
        SIGNATURE + struct.pack("!BBH", 0x21, 0x12, 12) + bytes(12),
        SIGNATURE + struct.pack("!BBH", 0x21, 0x11, 11) + bytes(11),
        SIGNATURE + struct.pack("!BBH", 0x21, 0x21, 35) + bytes(35),
        SIGNATURE + struct.pack("!BBH", 0x21, 0x11, 12) + bytes(11),
        SIGNATURE + struct.pack("!BBH", 0x21, 0x11, LONGEST_V2 + 1) + bytes(LONGEST_V2 + 1),
    ],
)
def test_other_headers_are_refused(header: bytes) -> None:
    with pytest.raises(HeaderError):
        parse_v2(header[:FIXED_V2], header[FIXED_V2:])


@given(st.binary(max_size=300))
def test_arbitrary_bytes_never_crash_it(data: bytes) -> None:
    for parse in (
        lambda: parse_v1(data),
        lambda: length_v2(SIGNATURE + data[:4].ljust(4)),
        lambda: parse_v2(SIGNATURE + data[:4].ljust(4), data[4:]),
    ):
        try:
            parse()
        except HeaderError:
            continue

"""Names for phones: AI services by stand-ins, others as this machine finds them."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from mitmproxy.dns import DNSMessage, Question, ResourceRecord
from mitmproxy.net.dns import classes, op_codes, response_codes, types

from safelight.phones import STAND_INS
from safelight.proxy.names import NameService, StandIns

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from safelight.proxy.resolve import Address

OTHER = "www.example.org"


def query(
    name: str, kind: int = types.A, *, op_code: int = op_codes.QUERY, count: int = 1
) -> bytes:
    return DNSMessage(
        timestamp=0,
        id=4711,
        query=True,
        op_code=op_code,
        authoritative_answer=False,
        truncation=False,
        recursion_desired=True,
        recursion_available=False,
        reserved=0,
        response_code=0,
        questions=[Question(name, kind, classes.IN)] * count,
        answers=[],
        authorities=[],
        additionals=[],
    ).packed


def answered(data: bytes | None) -> DNSMessage:
    assert data is not None
    answer = DNSMessage.unpack(data)
    assert (answer.id, answer.query) == (4711, False)
    return answer


class Elsewhere(asyncio.DatagramProtocol):
    """A name server, by UDP and by TCP; of UDP it cuts what is long, as they do."""

    transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.DatagramTransport)
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self.transport.sendto(self.answer(data, "over UDP"), addr)

    def answer(self, data: bytes, how: str) -> bytes:
        return DNSMessage.unpack(data).succeed([ResourceRecord.TXT(OTHER, how)]).packed

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        [length] = struct.unpack("!H", await reader.readexactly(2))
        answer = self.answer(await reader.readexactly(length), "over TCP")
        writer.write(struct.pack("!H", len(answer)) + answer)
        writer.close()


@asynccontextmanager
async def elsewhere() -> AsyncIterator[Address]:
    name_server = Elsewhere()
    tcp = await asyncio.start_server(name_server.serve, "127.0.0.1", 0)
    address: Address = tcp.sockets[0].getsockname()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: name_server, local_addr=address)
    try:
        yield address
    finally:
        transport.close()
        tcp.close()


def ask(
    *queries: bytes, stand_ins: StandIns | None = None, tcp: bool = False
) -> list[bytes | None]:
    """What is answered, where one server of two is silent."""

    async def run() -> list[bytes | None]:
        async with elsewhere() as address:
            nobody = ("127.0.0.1", 9)
            service = NameService(
                lambda name: name.endswith("chatgpt.com"),
                stand_ins or StandIns(),
                lambda: [nobody, address],
            )
            return [await service.answer(one, tcp=tcp) for one in queries]

    return asyncio.run(run())


def test_an_ai_service_has_a_stand_in_and_keeps_it() -> None:
    stand_ins = StandIns()
    answers = ask(
        query("chatgpt.com"), query("CHATgpt.com"), query("ab.chatgpt.com"), stand_ins=stand_ins
    )
    found = [answered(one).answers for one in answers]
    addresses = [one.ipv4_address for [one] in found]
    assert addresses[0] == addresses[1] != addresses[2]
    assert all(address in STAND_INS for address in addresses)
    assert stand_ins.host(str(addresses[0])) == "chatgpt.com"
    # A resolver compares the name, in which it may have mixed the case.
    assert found[1][0].name == "CHATgpt.com"
    assert found[0][0].ttl <= 60


@pytest.mark.parametrize("kind", [types.AAAA, types.HTTPS, types.SVCB, types.CNAME])
def test_nothing_else_is_told_of_it(kind: int) -> None:
    [data] = ask(query("chatgpt.com", kind))
    answer = answered(data)
    assert (answer.response_code, answer.answers) == (response_codes.NOERROR, [])


@pytest.mark.parametrize(
    "name", ["use-application-dns.net", "mask.icloud.com", "MASK-H2.icloud.com"]
)
def test_devices_are_told_to_look_names_up_here(name: str) -> None:
    [data] = ask(query(name))
    assert answered(data).response_code == response_codes.NXDOMAIN


@pytest.mark.parametrize("tcp", [False, True])
@pytest.mark.parametrize("kind", [types.A, types.HTTPS])
def test_other_names_are_looked_up_elsewhere(kind: int, *, tcp: bool) -> None:
    [data] = ask(query(OTHER, kind), tcp=tcp)
    assert answered(data).answers[0].text == f"over {'TCP' if tcp else 'UDP'}"


@pytest.mark.parametrize(
    "labels",
    [
        (b"xn--fa-hia", b"de"),  # with a sharp s, which RFC 3490 has no spelling for
        (b"xn--i-7iq", b"ws"),  # younger than Python's tables
        (b"xn--a", b"example"),
        (b"caf\xe9", b"example"),
        (b"_25._tcp", b"a b", b"example"),
        (),
    ],
    ids=str,
)
def test_names_that_no_library_of_ours_can_read_are_looked_up_as_they_are(
    labels: tuple[bytes, ...],
) -> None:
    name = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    asked = query(OTHER)[:12] + name + struct.pack("!HH", types.A, classes.IN)

    class Echo(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.DatagramTransport)
            self.transport = transport

        def datagram_received(self, data: bytes, addr: Address) -> None:
            self.transport.sendto(data[:2] + b"\x81\x80" + data[4:], addr)

    async def run() -> bytes | None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
        try:
            address: Address = transport.get_extra_info("sockname")
            return await NameService(lambda _: False, StandIns(), lambda: [address]).answer(asked)
        finally:
            transport.close()

    assert asyncio.run(run()) == asked[:2] + b"\x81\x80" + asked[4:]


def test_of_very_many_at_once_some_are_not_looked_up() -> None:
    async def run() -> list[bytes | None]:
        with socket.socket(type=socket.SOCK_DGRAM) as silent:
            silent.bind(("127.0.0.1", 0))
            service = NameService(lambda _: False, StandIns(), lambda: [silent.getsockname()])
            return await asyncio.gather(*(service.answer(query(OTHER)) for _ in range(1000)))

    answers = asyncio.run(run())
    assert 0 < len([one for one in answers if one]) < 200


def test_where_nobody_answers_that_is_said() -> None:
    service = NameService(lambda _: False, StandIns(), list)
    answer = answered(asyncio.run(service.answer(query(OTHER))))
    assert answer.response_code == response_codes.SERVFAIL


def test_what_is_no_query_gets_no_answer_or_a_no() -> None:
    garbage = [b"", b"x", bytes(12), query("chatgpt.com")[:-3], b"\xff" * 40]
    response = DNSMessage.unpack(query("chatgpt.com")).succeed([]).packed
    loop = b"\0\1\1\0\0\1\0\0\0\0\0\0\xc0\x0c\0\1\0\1"
    answers = ask(*garbage, response, loop)
    assert not any(one and DNSMessage.unpack(one).answers for one in answers)
    for odd in (query("chatgpt.com", op_code=op_codes.STATUS), query("chatgpt.com", count=2)):
        assert answered(ask(odd)[0]).response_code == response_codes.NOTIMP


def test_addresses_that_are_nobodys() -> None:
    stand_ins = StandIns()
    for address in ("198.18.0.0", "10.83.109.1", "192.0.2.1", "::1", "255.255.255.255"):
        assert stand_ins.host(address) is None


def test_when_all_are_taken_the_oldest_is_anothers() -> None:
    stand_ins = StandIns()
    first = stand_ins.address("h0")
    for number in range(1, STAND_INS.num_addresses + 1):
        stand_ins.address(f"h{number}")
    assert stand_ins.host(str(first)) == f"h{STAND_INS.num_addresses}"
    assert stand_ins.address("h0") != first

"""Requests over HTTP/1.1, one behind the other in whatever pieces they come."""

from __future__ import annotations

from base64 import b64encode
from http.client import parse_headers
from typing import TYPE_CHECKING

import pytest

from tests.proxy.test_framing import tunnel
from tests.support import pictures

if TYPE_CHECKING:
    from io import BufferedReader

    from tests.support.lab import Lab

HOST = "api.openai.com"
JPEG = pictures.jpeg()
QUESTION = b'{"messages": [{"role": "user", "content": "How are you?"}]}'


def request(path: str, kind: str, body: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: {kind}\r\n"
    return head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body


PHOTO = request("/v1/files", "application/octet-stream", JPEG)
CHAT = request("/v1/chat/completions", "application/json", QUESTION)


def status(answers: BufferedReader) -> int:
    """That of the next answer, of which everything is read."""
    line = answers.readline()
    answers.read(int(parse_headers(answers)["content-length"]))
    return int(line.split()[1])


@pytest.mark.parametrize("size", [1 << 20, 1000, 100])
def test_requests_that_do_not_wait_for_answers(module_lab: Lab, size: int) -> None:
    before = len(module_lab.arrived)
    sent = PHOTO + CHAT * 10 + PHOTO + PHOTO
    with tunnel(module_lab, HOST, HOST) as client, client.makefile("rb") as answers:
        for start in range(0, len(sent), size):
            client.sendall(sent[start : start + size])
        assert [status(answers) for _ in range(13)] == [200] * 13
    arrived = [one.body for one in module_lab.arrived[before:]]
    assert arrived[1:11] == [QUESTION] * 10
    assert not any(map(pictures.says_secrets, arrived))


def test_the_next_request_comes_with_the_end_of_a_body(module_lab: Lab) -> None:
    with tunnel(module_lab, HOST, HOST) as client, client.makefile("rb") as answers:
        client.sendall(PHOTO[:-1])
        client.sendall(PHOTO[-1:] + CHAT[:30])
        assert status(answers) == 200
        client.sendall(CHAT[30:])
        assert status(answers) == 200


def test_empty_lines_before_a_request(module_lab: Lab) -> None:
    with tunnel(module_lab, HOST, HOST) as client, client.makefile("rb") as answers:
        for sent in (b"\r\n" + PHOTO, b"\n\r\n" + CHAT + b"\r\n" + CHAT, b"\r\n", CHAT):
            client.sendall(sent)
        assert [status(answers) for _ in range(4)] == [200] * 4


def test_requests_with_long_heads_are_looked_at_like_all_others(module_lab: Lab) -> None:
    photo = b64encode(pictures.jpeg()).decode()
    expected_of = {"a=b; " * 8000: 200, "a=b; " * 8000 + photo: 403}
    for cookie, expected in expected_of.items():
        before = len(module_lab.arrived)
        head = f"GET /v1/models HTTP/1.1\r\nHost: {HOST}\r\nCookie: {cookie}\r\n\r\n"
        with tunnel(module_lab, HOST, HOST) as client, client.makefile("rb") as answers:
            client.sendall(head.encode())
            assert status(answers) == expected
        assert len(module_lab.arrived) - before == (expected == 200)

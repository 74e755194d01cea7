"""Mixed traffic as a day brings it: each function is one thing that a client does, and raises
AssertionError when it does not end as it should."""

from __future__ import annotations

import base64
import json
import socket
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import httpx

from tests.load import uploads
from tests.support import pictures
from tests.support.lab import OTHER_HOST
from tests.support.origin import client_context
from tests.support.sockets import open_socket

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator
    from random import Random

    from tests.support.lab import Lab

_STORAGE = "https://files.oaiusercontent.com/file-1?se=2026&sig=abc"
_FORM = f"https://api.openai.com{uploads.PATH}"
_CHAT = "https://api.openai.com/v1/chat/completions"
_IDLE = 15.0  # seconds
_PATIENCE = 60.0  # seconds
_REQUESTS = 8  # on one connection


@dataclass
class Traffic:
    """What clients of `lab` do, each time something else."""

    lab: Lab
    chance: Random

    def once(self) -> str:
        """Do one thing; its name."""
        what = self.chance.choice(self._things)
        what(self)
        return what.__name__

    @cached_property
    def _small(self) -> list[bytes]:
        return [pictures.jpeg(), pictures.png(), pictures.webp(), pictures.gif()]

    @cached_property
    def _middle(self) -> bytes:
        return uploads.form(uploads.photograph(), self.chance.randrange(10**9))

    @cached_property
    def _large(self) -> bytes:
        return pictures.large_jpeg()

    def _client(self, *, relayed: bool = False) -> httpx.Client:
        root = self.lab.origin_root if relayed else self.lab.proxy.root
        return httpx.Client(
            proxy=self.lab.proxy.url,
            verify=client_context(root),
            http2=self.chance.random() < 0.5,
            timeout=_PATIENCE,
        )

    def small_pictures(self) -> None:
        with self._client() as client:
            for _ in range(_REQUESTS):
                assert client.put(_STORAGE, content=self.chance.choice(self._small)).is_success

    def middle_form(self) -> None:
        with self._client() as client:
            headers = {"content-type": uploads.CONTENT_TYPE}
            for _ in range(2):
                assert client.post(_FORM, content=self._middle, headers=headers).is_success

    def large_picture(self) -> None:
        with self._client() as client:
            assert client.put(_STORAGE, content=self._large).is_success

    def forms(self) -> None:
        with self._client() as client:
            for _ in range(_REQUESTS):
                photo = ("CANARY.jpg", self.chance.choice(self._small))
                assert client.post(_FORM, files={"image": photo}).is_success

    def base64_in_json(self) -> None:
        with self._client() as client:
            for _ in range(_REQUESTS):
                written = base64.b64encode(self.chance.choice(self._small)).decode()
                url = {"url": f"data:image/jpeg;base64,{written}"}
                content = [{"type": "image_url", "image_url": url}]
                message = {"role": "user", "content": content}
                answer = client.post(_CHAT, json={"model": "m", "messages": [message]})
                assert answer.is_success

    def chunked(self) -> None:
        def pieces() -> Iterator[bytes]:
            for start in range(0, len(self._middle), 50_000):
                yield self._middle[start : start + 50_000]

        headers = {"content-type": uploads.CONTENT_TYPE}
        with self._client() as client:
            assert client.post(_FORM, content=pieces(), headers=headers).is_success

    def websocket(self) -> None:
        with open_socket(self.lab) as connection:
            for _ in range(_REQUESTS):
                connection.send(self.chance.choice(self._small))
                assert connection.recv(_PATIENCE)
                connection.send(json.dumps({"type": "message", "text": "How are you?"}))
                assert connection.recv(_PATIENCE)

    def refused(self) -> None:
        with self._client() as client:
            photo = ("CANARY.jpg", pictures.jpeg()[:-600])
            assert client.post(_FORM, files={"image": photo}).status_code == 403

    def aborted(self) -> None:
        with self._raw("api.openai.com") as secure:
            head = f"POST {uploads.PATH} HTTP/1.1\r\nHost: api.openai.com\r\n"
            head += (
                f"Content-Type: {uploads.CONTENT_TYPE}\r\nContent-Length: {len(self._middle)}\r\n"
            )
            secure.sendall(head.encode() + b"\r\n" + self._middle[: self.chance.randrange(10**6)])

    def aborted_while_it_flows(self) -> None:
        with self._raw("files.oaiusercontent.com") as secure:
            head = "PUT /file-1?sig=a HTTP/1.1\r\nHost: files.oaiusercontent.com\r\n"
            secure.sendall(f"{head}Content-Length: {len(self._large)}\r\n\r\n".encode())
            secure.sendall(self._large[: self.chance.randrange(10**6, 8 * 10**6)])

    def idle(self) -> None:
        with self._raw("api.openai.com"):
            time.sleep(self.chance.random() * _IDLE)

    def relayed(self) -> None:
        with self._client(relayed=True) as client:
            for _ in range(_REQUESTS):
                assert client.get(f"https://{OTHER_HOST}/").is_success

    def _raw(self, host: str) -> ssl.SSLSocket:
        plain = socket.create_connection(self.lab.proxy.address, _PATIENCE)
        plain.sendall(f"CONNECT {host}:443 HTTP/1.1\r\n\r\n".encode())
        assert b"200" in plain.recv(4096)
        context = client_context(self.lab.proxy.root)
        return context.wrap_socket(plain, server_hostname=host)

    _things: ClassVar[tuple[Callable[[Traffic], None], ...]] = (
        *(small_pictures, middle_form, large_picture, forms, base64_in_json, chunked),
        *(websocket, refused, aborted, aborted_while_it_flows, idle, relayed),
    )

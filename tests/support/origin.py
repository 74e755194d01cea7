"""A local TLS server that plays any service and remembers what it received, HTTP/1.1 and /2."""

from __future__ import annotations

import asyncio
import ssl
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
from hypercorn.asyncio import serve
from hypercorn.config import Config

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import trustme


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it arrived; header names in lower case."""

    method: str
    path: str
    version: str
    headers: dict[str, str]
    body: bytes


# What belongs to one connection, not to the message (RFC 9110 section 7.6.1), and the length,
# which is counted anew.
_OF_THE_CONNECTION = {"connection", "keep-alive", "transfer-encoding", "content-length"}

type Answer = Callable[[Received], tuple[int, str, bytes] | tuple[int, str, bytes, dict[str, str]]]


def accept(_: Received) -> tuple[int, str, bytes]:
    """Answer as a service that is content."""
    return 200, "application/json", b'{"ok": true}'


@dataclass
class Origin:
    """The server. `address` is where it listens, `received` what came, oldest first.

    `behind` is the address of a service that gives the answers in place of `answer`; `wanted` is
    where it is to listen.
    """

    answer: Answer = accept
    behind: str = ""
    wanted: str = "127.0.0.1:0"
    received: list[Received] = field(default_factory=list)
    messages: list[bytes | str] = field(default_factory=list)
    address: tuple[str, int] = ("", 0)
    _loop: asyncio.AbstractEventLoop | None = None
    _stop: asyncio.Event | None = None
    _thread: threading.Thread | None = None

    def start(self, authority: trustme.CA, hosts: list[str], folder: Path) -> None:
        """Listen with a certificate for `hosts`."""
        certificate = authority.issue_cert(*hosts)
        key, chain = folder / "origin.key", folder / "origin.pem"
        certificate.private_key_pem.write_to_path(str(key))
        chain.write_bytes(b"".join(pem.bytes() for pem in certificate.cert_chain_pems))
        config = Config()
        config.bind = [self.wanted]
        config.keyfile, config.certfile = str(key), str(chain)
        config.errorlog = None
        config.h11_max_incomplete_size = 1 << 20
        sockets = config.create_sockets()
        listener = sockets.secure_sockets[0]
        self.address = listener.getsockname()[:2]
        config.create_sockets = lambda: sockets  # type: ignore[method-assign]
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(config, ready), daemon=True)
        self._thread.start()
        assert ready.wait(10)

    def stop(self) -> None:
        """Stop listening."""
        assert self._loop is not None
        assert self._stop is not None
        assert self._thread is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def _run(self, config: Config, ready: threading.Event) -> None:
        async def main() -> None:
            self._loop = asyncio.get_running_loop()
            self._stop = asyncio.Event()
            self._loop.call_soon(ready.set)
            await serve(self._app, config, shutdown_trigger=self._stop.wait)

        asyncio.run(main())

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        if scope["type"] == "websocket":
            await self._websocket(receive, send)
        if scope["type"] != "http":
            return
        body = bytearray()
        while True:
            event = await receive()
            if event["type"] == "http.disconnect":
                return
            body += event.get("body", b"")
            if not event.get("more_body"):
                break
        query = scope["query_string"].decode()
        received = Received(
            scope["method"],
            scope["raw_path"].decode() + (f"?{query}" if query else ""),
            scope["http_version"],
            {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]},
            bytes(body),
        )
        self.received.append(received)
        if self.behind:
            await self._pass_on(received, send)
            return
        status, content_type, content, *more = self.answer(received)
        headers = [
            (b"content-type", content_type.encode()),
            (b"content-length", str(len(content)).encode()),
            *((name.encode(), value.encode()) for one in more for name, value in one.items()),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    async def _pass_on(self, received: Received, send: Any) -> None:  # noqa: ANN401 - ASGI
        """Give the answer of the service behind, piece by piece as it comes."""
        headers = {
            name: value
            for name, value in received.headers.items()
            if name not in _OF_THE_CONNECTION
        }
        request = httpx.Request(
            received.method,
            self.behind + received.path,
            headers=headers | {"x-forwarded-proto": "https"},
            content=received.body,
        )
        async with httpx.AsyncHTTPTransport() as transport:
            answer = await transport.handle_async_request(request)
            start = {
                "type": "http.response.start",
                "status": answer.status_code,
                "headers": [
                    (name.lower(), value)
                    for name, value in answer.headers.raw
                    if name.lower() not in {b"connection", b"keep-alive", b"transfer-encoding"}
                ],
            }
            await send(start)
            async for piece in answer.aiter_raw():
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body"})

    async def _websocket(self, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        while True:
            event = await receive()
            if event["type"] == "websocket.connect":
                await send({"type": "websocket.accept"})
            elif event["type"] == "websocket.disconnect":
                return
            else:
                message = event.get("bytes") or event.get("text")
                self.messages.append(message)
                await send({"type": "websocket.send", "text": "received"})


def client_context(root: Path) -> ssl.SSLContext:
    """A client's TLS settings that trust `root` alone."""
    return ssl.create_default_context(cafile=str(root))

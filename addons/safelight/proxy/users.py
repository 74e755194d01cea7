"""Who uses the proxy: a name and a password with each connection (RFC 9110 section 11.7).

The CONNECT's user counts for all that passes through its tunnel. Passwords are checked away from
the event loop; those that were right are remembered for a while, by a keyed hash.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import secrets
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from mitmproxy.http import Response

from safelight.proxy.framing import IDENTITY, client
from safelight.users import CannotTellError

if TYPE_CHECKING:
    from mitmproxy.connection import Client
    from mitmproxy.http import HTTPFlow

    from safelight.users import UserList

_HEADER = "proxy-authorization"
_REMEMBERED = 300  # seconds
_MOST_REMEMBERED = 10_000
_AFTER_A_WRONG_ONE = 1.0  # seconds
_LONGEST = 1_000  # bytes of a header


class Users:
    """Asks who it is of all that come to the public `port`."""

    def __init__(self, users: UserList, port: int) -> None:
        self._users = users
        self._port = port
        self._names: dict[str, str] = {}
        self._key = secrets.token_bytes(32)
        self._right: OrderedDict[bytes, tuple[float, str]] = OrderedDict()
        self._asked: dict[bytes, asyncio.Future[str | None]] = {}
        # One that guesses leaves others room to be checked.
        self._turns: WeakValueDictionary[str | None, asyncio.Semaphore] = WeakValueDictionary()
        self._checking = ThreadPoolExecutor(users.at_once, "safelight-users")

    def client_disconnected(self, client: Client) -> None:
        """Forget whose connection it was."""
        self._names.pop(client.id, None)

    async def http_connect(self, flow: HTTPFlow) -> None:
        """A tunnel is asked for."""
        await self._ask(flow)

    async def requestheaders(self, flow: HTTPFlow) -> None:
        """A request comes, through a tunnel or not."""
        if flow.response:
            return
        known = self._names.get(flow.client_conn.id)
        if known is not None:
            flow.metadata[IDENTITY] = f"user:{known}"
        elif not flow.server_conn.address:
            await self._ask(flow)

    async def _ask(self, flow: HTTPFlow) -> None:
        own = flow.client_conn.sockname
        # Until it is ready, the proxy itself sends an upload that must be refused.
        if own and own[1] != self._port:
            return
        name, answer = None, _wanted
        try:
            name = await self._name(flow)
        except CannotTellError:
            answer = _nobody_can_tell
        finally:
            flow.request.headers.pop(_HEADER, None)
            if name is None:
                flow.response = answer()
        if name is None:
            return
        flow.metadata[IDENTITY] = f"user:{name}"
        if flow.request.method == "CONNECT":
            self._names[flow.client_conn.id] = name

    async def _name(self, flow: HTTPFlow) -> str | None:
        """The user, if name and password are right."""
        given = _credentials(flow.request.headers.get(_HEADER, ""))
        if given is None:
            return None
        name, password = given
        digest = hmac.digest(
            self._key, f"{self._users.version()}\0{name}\0".encode() + password, "sha256"
        )
        until, known = self._right.get(digest, (0.0, ""))
        if until > time.monotonic():
            return known
        turn = self._turns.setdefault(client(flow), asyncio.Semaphore(self._users.at_once // 2))
        found = await self._checked(turn, digest, name, password)
        if found is None:
            await asyncio.sleep(_AFTER_A_WRONG_ONE)
        return found

    async def _check(self, turn: asyncio.Semaphore, name: str, password: bytes) -> str | None:
        """What the user is called, once it is this client's turn."""
        async with turn:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._checking, self._users.known, name, password)

    async def _checked(
        self, turn: asyncio.Semaphore, digest: bytes, name: str, password: bytes
    ) -> str | None:
        """What the user is called; a browser opens several connections, and asks once."""
        if digest in self._asked:
            return await asyncio.shield(self._asked[digest])
        asked = asyncio.ensure_future(self._check(turn, name, password))
        self._asked[digest] = asked
        try:
            found = await asyncio.shield(asked)
        finally:
            del self._asked[digest]
        if found is not None:
            self._right[digest] = time.monotonic() + _REMEMBERED, found
            while len(self._right) > _MOST_REMEMBERED:
                self._right.popitem(last=False)
        return found


def _credentials(header: str) -> tuple[str, bytes] | None:
    """Name and password of the Basic scheme (RFC 7617); a password may hold colons."""
    scheme, _, encoded = header.strip().partition(" ")
    if scheme.lower() != "basic" or len(header) > _LONGEST:
        return None
    try:
        name, colon, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
        return (name.decode(), password) if colon and name else None
    except (binascii.Error, UnicodeDecodeError):
        return None


def _wanted() -> Response:
    return Response.make(
        407,
        b"This proxy wants to know who you are: a name and a password.\n",
        {
            "proxy-authenticate": 'Basic realm="Safelight", charset="UTF-8"',
            "content-type": "text/plain; charset=utf-8",
            "connection": "close",
        },
    )


def _nobody_can_tell() -> Response:
    return Response.make(
        503,
        b"This proxy cannot ask at the moment whether your password is right, because the "
        b"directory of users does not answer. Please try again in a minute.\n",
        {"content-type": "text/plain; charset=utf-8", "retry-after": "60", "connection": "close"},
    )

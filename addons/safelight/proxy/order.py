"""Pieces of one upload that come side by side: each waits until those before it were judged, and
while a person is asked about one of them.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Callable

    from mitmproxy.http import HTTPFlow

LONGEST_WAIT = 60  # seconds


class Order:
    """Which pieces are on their way here, and which wait for them."""

    def __init__(self) -> None:
        self._coming: WeakKeyDictionary[HTTPFlow, str] = WeakKeyDictionary()
        self._asked: WeakKeyDictionary[HTTPFlow, str] = WeakKeyDictionary()
        self._waiting: dict[HTTPFlow, tuple[str, Callable[[], bool]]] = {}
        self._moved = asyncio.Event()

    def begin(self, flow: HTTPFlow, upload: str) -> None:
        """A piece of `upload` begins to come."""
        self._coming[flow] = upload

    async def turn(self, flow: HTTPFlow, is_next: Callable[[], bool]) -> None:
        """Return when this piece is the next, or when no other can make it so any more."""
        upload = self._coming.get(flow)
        if upload is None or (is_next() and not self._is_asked(upload)):
            return
        self.end(flow)
        self._waiting[flow] = (upload, is_next)
        try:
            while self._is_asked(upload):
                await self._moved.wait()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LONGEST_WAIT):
                    while not is_next() and self._others_may_come_first(flow, upload):
                        await self._moved.wait()
        finally:
            del self._waiting[flow]
        self._coming[flow] = upload

    def ask(self, flow: HTTPFlow) -> None:
        """A person is asked about this piece: those of its upload wait for the answer."""
        upload = self._coming.get(flow)
        if upload is not None:
            self._asked[flow] = upload

    def end(self, flow: HTTPFlow) -> None:
        """A piece was judged, or will not come."""
        self._asked.pop(flow, None)
        if self._coming.pop(flow, None) is not None:
            self._moved.set()
            self._moved = asyncio.Event()

    def _is_asked(self, upload: str) -> bool:
        return upload in self._asked.values()

    def _others_may_come_first(self, flow: HTTPFlow, upload: str) -> bool:
        """Is another one on its way, or is it the turn of another one that waits?"""
        return upload in self._coming.values() or any(
            of == upload and is_next()
            for other, (of, is_next) in self._waiting.items()
            if other is not flow
        )

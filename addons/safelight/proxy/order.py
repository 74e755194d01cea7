"""Pieces of one upload that come side by side: each waits until those before it were judged."""

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
        self._moved = asyncio.Event()

    def begin(self, flow: HTTPFlow, upload: str) -> None:
        """A piece of `upload` begins to come."""
        self._coming[flow] = upload

    async def turn(self, flow: HTTPFlow, is_next: Callable[[], bool]) -> None:
        """Return when this piece is the next, or when no other can make it so any more."""
        upload = self._coming.get(flow)
        if upload is None or is_next():
            return
        # Those that wait do not wait for each other.
        self.end(flow)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_WAIT):
                while upload in self._coming.values() and not is_next():
                    await self._moved.wait()
        self._coming[flow] = upload

    def end(self, flow: HTTPFlow) -> None:
        """A piece was judged, or will not come."""
        if self._coming.pop(flow, None) is not None:
            self._moved.set()
            self._moved = asyncio.Event()

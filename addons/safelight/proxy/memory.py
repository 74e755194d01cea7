"""Memory that is given back at times, and a garbage collector that does not look at what always
stays.

By itself glibc gives back what one photo took as soon as it has left, so that the next has to ask
for each page anew, an eighth of all the time that a photo takes; but it keeps what 200 of them
took, 1.6 GB, for as long as the proxy runs. Here `malloc_trim` gives back whatever is free. And
each full collection walks through the catalogue and all modules, for which
everybody waits; what is there when the proxy has started is never garbage.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import sys
from typing import TYPE_CHECKING

from safelight.proxy import clearance

if TYPE_CHECKING:
    from collections.abc import Callable

    from mitmproxy.http import HTTPFlow

_EVERY = 30  # seconds
# Of mallopt(3), with bytes: how much may be free at the end before it is given back, and what is so
# large that it is never kept (the most that glibc takes).
_TRIM_THRESHOLD, _MMAP_THRESHOLD = (-1, 1 << 28), (-3, 1 << 25)


class Memory:
    """An addon: settles what is there when the proxy has started, gives back what was freed."""

    def __init__(self) -> None:
        self._glibc = _glibc()
        self._timer: asyncio.Task[None] | None = None

    def running(self) -> None:
        """The proxy has started."""
        gc.collect()
        gc.freeze()
        if self._glibc is not None:
            for parameter in (_TRIM_THRESHOLD, _MMAP_THRESHOLD):
                self._glibc.mallopt(*parameter)
            self._timer = asyncio.create_task(self._give_back(self._glibc.malloc_trim))

    def done(self) -> None:
        """The proxy stops."""
        if self._timer is not None:
            self._timer.cancel()

    def response(self, flow: HTTPFlow) -> None:
        """A request was answered."""
        clearance.take_back(flow)

    def error(self, flow: HTTPFlow) -> None:
        """A request will not be answered."""
        clearance.take_back(flow)

    async def _give_back(self, trim: Callable[[int], int]) -> None:
        while True:
            await asyncio.sleep(_EVERY)
            # Without the interpreter's lock: it takes as long as there is much to give back.
            await asyncio.to_thread(trim, 0)


def _glibc() -> ctypes.CDLL | None:
    """The C library, if it is that one."""
    if sys.platform != "linux":
        return None
    with contextlib.suppress(OSError):
        return ctypes.CDLL("libc.so.6")
    return None

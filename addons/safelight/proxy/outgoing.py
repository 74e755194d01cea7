"""What is sent leaves at once. The loop would send it when all else is done that it has to do at
the moment, while the other side waits; and its way there is the longer one.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

_CLOSED = -1


class Prompt:
    """A stream's writer that gives to the system as much as it takes, and the rest to the loop."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        opened = writer.get_extra_info("socket")
        self._descriptor: int = opened.fileno() if opened else _CLOSED

    def __getattr__(self, name: str) -> object:
        return getattr(self._writer, name)

    def write(self, data: bytes) -> None:
        """Send `data`, behind what still waits; to who has left, nothing."""
        transport = self._writer.transport
        if transport.is_closing():
            return
        sent = 0
        if not transport.get_write_buffer_size():
            try:
                sent = os.write(self._descriptor, data)
            except OSError:
                # It takes nothing now, or never will: the loop finds out which, and says so.
                sent = 0
        if sent < len(data):
            transport.write(memoryview(data)[sent:])

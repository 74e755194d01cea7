"""The parts that PNG and WebP are made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Chunk:
    """A chunk: its type, where it starts, where its payload starts and ends, and where the chunk
    does, behind its checksum or the byte that pads it."""

    type: bytes
    start: int
    payload: int
    payload_end: int
    end: int

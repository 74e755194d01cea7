"""Pictures in binary messages: protobuf (wire type 2), gRPC, MessagePack, frames with a short head.

A length stands before the picture, or the picture goes on to the end. Nothing around it changes,
so its length has to stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from safelight.bodies.model import Encoding, Site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safelight.bodies.model import Recogniser

_LONGEST_VARINT = 5
_LONGEST_HEAD = 64
_SHORTEST_PICTURE = 32
MOST_SITES = 100


def find(body: bytes, start: int, end: int, recogniser: Recogniser, part: int) -> Iterator[Site]:
    """Yield a site for each picture in `body[start:end]` whose length can be told."""
    view = memoryview(body)
    position = start
    for _ in range(MOST_SITES):
        found = recogniser.first_image(view[position:end])
        if found is None:
            return
        first = position + found
        ends = _ends(body, start, first, end)
        last = next((one for one in ends if recogniser.is_whole(view[first:one])), None)
        if last is None:
            return
        yield Site(first, last, Encoding.IDENTITY, part=part, fixed=True)
        position = last


def _ends(body: bytes, start: int, first: int, end: int) -> Iterator[int]:
    """Where the picture that begins at `first` may end, the likeliest first."""
    for length in (_varint_before(body, start, first), *_numbers_before(body, start, first)):
        if length is not None and _SHORTEST_PICTURE <= length <= end - first:
            yield first + length
    if first - start <= _LONGEST_HEAD:
        yield end


def _varint_before(body: bytes, start: int, first: int) -> int | None:
    """The base-128 number whose last byte stands before `first`."""
    position = first - 1
    if position < start or body[position] & 0x80:
        return None
    while position > start and body[position - 1] & 0x80 and first - position < _LONGEST_VARINT:
        position -= 1
    value = 0
    for shift, byte in enumerate(body[position:first]):
        value |= (byte & 0x7F) << 7 * shift
    return value


def _numbers_before(body: bytes, start: int, first: int) -> Iterator[int]:
    for size in (4, 2):
        if first - size >= start:
            yield int.from_bytes(body[first - size : first])
            yield int.from_bytes(body[first - size : first], "little")

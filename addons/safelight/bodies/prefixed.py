"""Pictures in binary messages: protobuf (wire type 2), gRPC, MessagePack, CBOR, BSON, Avro, frames
with a short head.

A length stands before the picture, or the picture goes on to the end, or almost: where it says
itself that it ends shortly before, what follows is the message's. Nothing around it changes, so its
length has to stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from safelight.bodies import exactness
from safelight.bodies.model import Encoding, Site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safelight.bodies.model import Recogniser

_LONGEST_VARINT = 5
_LONGEST_HEAD = 64
_LONGEST_TAIL = 64
_SHORTEST_PICTURE = 32
_ARCHIVE = b"PK\3\4"
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
        last = _end(body, start, first, end, recogniser)
        if last is None:
            return
        yield Site(first, last, Encoding.IDENTITY, part=part, fixed=True)
        position = last


def _end(body: bytes, start: int, first: int, end: int, recogniser: Recogniser) -> int | None:
    """Where the picture that begins at `first` ends; None if that cannot be told."""
    view = memoryview(body)
    for length in _lengths_before(body, start, first):
        last = first + length
        if _SHORTEST_PICTURE <= length <= end - first and recogniser.is_whole(view[first:last]):
            return last
    # Behind a picture in an archive follows what the archive says of it.
    if first - start > _LONGEST_HEAD or _ARCHIVE in body[start:first]:
        return None
    picture = view[first:end]
    exact = exactness.exact_end(picture, _LONGEST_TAIL, recogniser)
    if exact is not None:
        return first + exact
    return end if recogniser.is_whole(picture) else None


def _lengths_before(body: bytes, start: int, first: int) -> Iterator[int]:
    """What may be the length of the picture that begins at `first`, the likeliest first."""
    varint = _varint_before(body, start, first)
    if varint is not None:
        yield varint
    yield from _numbers_before(body, start, first)
    if varint is not None:
        yield varint // 2  # Avro's numbers have their sign in the lowest bit
    yield from _numbers_before(body, start, first - 1)  # BSON tells what kind of bytes follows


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

"""Pictures put together of pieces in any order: what is left of them is read by walkers that go
byte by byte and share nothing with ours."""

from __future__ import annotations

import io
import itertools
import re
import struct
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight import images
from safelight.images import Format, ImageError, Length, StreamCleaner
from safelight.images.png_chunks import SIGNATURE, built
from tests.support import pictures

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = b"CANARY"
JPEG_PIECES = [
    *(b"\xff\xfe\0\x08CANARY", b"\xff\xe5\0\x08CANARY", b"\xff\xe1\0\x0eExif\0\0CANARY"),
    *(b"\xff\xef\0\x04\0\0", b"\xff\xdc\0\x04\0\x10", b"\xff\xdd\0\x04\0\0"),
    *(b"\xff\xd0", b"\xff\xd7", b"\xff\x01", b"\xff\xd8", b"\xff\xd9"),
    *(SECRET, b"\0", b"\xff", b"\xff\xff", b"\xff\0"),
]
GONE = {"FE", "E5", "E1", "other"}
PNG_PIECES = [
    *(
        built(one, SECRET)
        for one in (b"tEXt", b"zzZz", b"paDd", b"fdAT", b"IDAT", b"gAMA", b"IEND")
    ),
    *(built(b"eXIf", b"MM\0*" + SECRET), built(b"paDd", bytes(3)), built(b"IDAT", b"")),
    *(built(b"acTL", bytes(8)), built(b"fcTL", bytes(26)), built(b"iCCP", SECRET + bytes(9))),
    SECRET,
]
PNG_KEPT = {b"IHDR", b"IDAT", b"IEND", b"gAMA", b"paDd", b"acTL", b"fcTL", b"fdAT"}


def jpeg_parts(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Segments, pixels and other bytes in their order, without FF that fills up before a marker."""
    position, scanned, pixels, run = 2, False, False, bytearray()
    while position < len(data):
        following = data[position + 1 : position + 2]
        if data[position] != 0xFF or following in {b"\0", b"\xff", b""}:
            size = 2 if data[position] == 0xFF and following == b"\0" else 1
            run += data[position : position + size]
            position += size
            continue
        yield ("pixels" if pixels else "other"), bytes(run.rstrip(b"\xff"))
        run.clear()
        marker = following[0]
        if marker == 0x01 or 0xD0 <= marker <= 0xD7:
            size, pixels = 2, scanned
        elif marker == 0xD9:
            yield "end", data[position : position + 2]
            yield "behind", data[position + 2 :]
            return
        else:
            size = 2 + int.from_bytes(data[position + 2 : position + 4])
            pixels = marker == 0xDA
            scanned = scanned or pixels
        yield f"{marker:02X}", data[position : position + size]
        position += size
    pytest.fail("it does not end")


def png_parts(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Types and contents of chunks, and what stands behind them."""
    position, type_ = len(SIGNATURE), b""
    while type_ != b"IEND":
        size, type_ = struct.unpack_from(">I4s", data, position)
        end = position + 8 + size
        assert data[end : end + 4] == struct.pack(">I", zlib.crc32(data[position + 4 : end]))
        yield type_, data[position + 8 : end]
        position = end + 4
    yield b"", data[position:]


def cleaned_in_every_way(parts: list[bytes], known: Format, cut: int) -> Iterator[bytes]:
    """Whole in both lengths, and on its way: at once, and cut near the end of each `cut`th part,
    which has to be the same."""
    data = b"".join(parts)
    for length in Length:
        try:
            cleaned = images.strip(data, length)
        except ImageError:
            continue
        again = images.examine(cleaned)
        assert (again.findings, again.edits(length)) == ((), ())
        yield cleaned
    at_once = streamed(known, [data])
    for shift in (-1, 0, 1):
        edges = [len(b"".join(parts[:here])) + shift for here in range(cut, len(parts), cut)]
        pieces = [data[start:end] for start, end in itertools.pairwise([0, *edges, len(data)])]
        assert streamed(known, pieces) == at_once
    if at_once is not None:
        yield at_once


def streamed(known: Format, pieces: list[bytes]) -> bytes | None:
    try:
        cleaner = StreamCleaner(known, sum(map(len, pieces)))
        output = b"".join(map(cleaner.feed, pieces))
        cleaner.close()
    except ImageError:
        return None
    return output


def progressive() -> list[bytes]:
    """A JPEG of several scans, cut at each marker and after each header of a scan."""
    output = io.BytesIO()
    pictures.pixels().save(output, "JPEG", progressive=True)
    parts = [part for _, part in jpeg_parts(output.getvalue()) if part]
    assert len(parts) > 20
    return parts


PROGRESSIVE = progressive()
MOVING = [
    *(built(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 8, 0, 0, 0, 0)), built(b"gAMA", bytes(4))),
    *(built(b"acTL", struct.pack(">II", 1, 0)), built(b"fcTL", bytes(26))),
    *(built(b"IDAT", one) for one in re.findall(rb"(?s).{1,5}", zlib.compress(bytes(6)))),
    *(built(b"fcTL", bytes(26)), built(b"fdAT", bytes(9)), built(b"IEND", b"")),
]


def assembled(parts: list[bytes], pieces: list[bytes]) -> st.SearchStrategy[list[bytes]]:
    """The parts with up to four pieces put between them."""
    place = st.tuples(st.integers(0, len(parts)), st.sampled_from(pieces))

    def together(places: list[tuple[int, bytes]]) -> list[bytes]:
        result = list(parts)
        for where, piece in sorted(places, reverse=True):
            result.insert(where, piece)
        return result

    return st.lists(place, max_size=4).map(together)


@given(assembled(PROGRESSIVE, JPEG_PIECES), st.integers(1, 5))
def test_jpeg(parts: list[bytes], cut: int) -> None:
    dirty = b"".join(parts := [b"\xff\xd8", *parts])
    for cleaned in cleaned_in_every_way(parts, Format.JPEG, cut):
        found = [(kind, part) for kind, part in jpeg_parts(cleaned) if part]
        for kind, part in found:
            assert kind not in GONE
            assert kind == "pixels" or SECRET not in part
            assert kind != "behind" or not part.strip(b"\0")
        before, after = (
            [one for one in parts if one[1] and one[0] not in {*GONE, "behind", "EF"}]
            for parts in (jpeg_parts(dirty), found)
        )
        assert before == after


@given(assembled(MOVING, PNG_PIECES), st.integers(1, 5))
def test_png(parts: list[bytes], cut: int) -> None:
    dirty = b"".join(parts := [SIGNATURE, *parts])
    for cleaned in cleaned_in_every_way(parts, Format.PNG, cut):
        *found, (_, behind) = png_parts(cleaned)
        assert not behind.strip(b"\0")
        assert {type_ for type_, _ in found} <= PNG_KEPT
        assert all(type_ in {b"IDAT", b"fdAT"} or SECRET not in part for type_, part in found)
        runs = [type_ for type_, _ in itertools.groupby(found, lambda one: one[0])]
        assert runs.count(b"IDAT") == 1
        pixels = [part for type_, part in found if type_ == b"IDAT"]
        before = itertools.dropwhile(lambda one: one[0] != b"IDAT", png_parts(dirty))
        first = itertools.takewhile(lambda one: one[0] == b"IDAT", before)
        assert pixels == [part for _, part in first]

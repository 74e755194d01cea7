"""Data that is packed somewhere inside other data, known by how it begins: gzip (RFC 1952), zlib
(RFC 1950) at the start, members of a ZIP archive, zstd (RFC 8878), bzip2 and xz.

Brotli and raw deflate have no beginning by which they could be known.
"""

from __future__ import annotations

import bz2
import lzma
import re
import zlib
from functools import partial
from typing import TYPE_CHECKING, Protocol

import stringzilla
import zstandard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    type Unpack = Callable[[memoryview], Iterator[bytes]]

_PIECE = 1 << 20  # bytes: no more is unpacked at once
_STEP = 1 << 16
# Four bytes of zstd can stand for 128 KiB.
_ZSTD_STEP = 512
_ZSTD_WINDOW = 1 << 27
_ZLIB = re.compile(rb"[\x78][\x01\x5e\x9c\xda]")
_MEMBER_HEAD = 30  # bytes; APPNOTE.TXT 4.3.7


class _Decompressor(Protocol):
    """What bz2 and lzma have in common."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    def decompress(self, data: bytes | memoryview, max_length: int = -1) -> bytes: ...


def packed(data: memoryview) -> Iterator[tuple[memoryview, Unpack]]:
    """Where something packed begins in `data`, and what unpacks it."""
    if _ZLIB.match(data):
        yield data, partial(_inflated, window=zlib.MAX_WBITS)
    for signature, pattern, unpack in _SIGNATURES:
        if stringzilla.find(data, signature) >= 0:
            for match in pattern.finditer(data):
                names = sum(int.from_bytes(length, "little") for length in match.groups())
                skipped = _MEMBER_HEAD + names if match.groups() else 0
                yield data[match.start() + skipped :], unpack


def unpacked(data: memoryview, unpack: Unpack) -> Iterator[bytes]:
    """In pieces of about a megabyte, up to where it is damaged. An empty one says that much was
    read for nothing."""
    piece = bytearray()
    try:
        for more in unpack(data):
            piece += more
            if not more:
                yield b""
            if len(piece) >= _PIECE:
                yield bytes(piece)
                piece.clear()
    except (zlib.error, zstandard.ZstdError, lzma.LZMAError, OSError, EOFError):
        pass  # what came before may be read all the same
    if piece:
        yield bytes(piece)


def _inflated(data: memoryview, window: int) -> Iterator[bytes]:
    unpacking = zlib.decompressobj(window)
    for start in range(0, len(data), _STEP):
        rest: bytes | memoryview = data[start : start + _STEP]
        while rest and not unpacking.eof:
            yield unpacking.decompress(rest, _PIECE)
            rest = unpacking.unconsumed_tail
        if unpacking.eof:
            return


def _unzstd(data: memoryview) -> Iterator[bytes]:
    unpacking = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj()
    for start in range(0, len(data), _ZSTD_STEP):
        if more := unpacking.decompress(data[start : start + _ZSTD_STEP]):
            yield more
        if unpacking.eof:
            return


def _decompressed(data: memoryview, begin: Callable[[], _Decompressor]) -> Iterator[bytes]:
    unpacking = begin()
    for start in range(0, len(data), _STEP):
        yield unpacking.decompress(data[start : start + _STEP], _PIECE)
        while not unpacking.eof and not unpacking.needs_input:
            if more := unpacking.decompress(b"", _PIECE):
                yield more
        if unpacking.eof:
            return


_SIGNATURES: tuple[tuple[bytes, re.Pattern[bytes], Unpack], ...] = (
    (
        b"\x1f\x8b\x08",
        re.compile(rb"\x1f\x8b\x08[\0-\x1f]"),
        partial(_inflated, window=zlib.MAX_WBITS | 16),
    ),
    (
        b"PK\3\4",
        re.compile(rb"PK\x03\x04....\x08\0.{16}(..)(..)", re.DOTALL),
        partial(_inflated, window=-zlib.MAX_WBITS),
    ),
    (b"\x28\xb5\x2f\xfd", re.compile(rb"\x28\xb5\x2f\xfd"), _unzstd),
    (
        b"1AY&SY",
        re.compile(rb"BZh[1-9]1AY&SY"),
        partial(_decompressed, begin=bz2.BZ2Decompressor),
    ),
    (
        b"\xfd7zXZ\0",
        re.compile(rb"\xfd7zXZ\0"),
        partial(_decompressed, begin=lzma.LZMADecompressor),
    ),
)

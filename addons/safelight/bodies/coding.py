"""Content codings of request bodies (RFC 9110 section 8.4), undone with a cap on the output.

Exactly one known coding is accepted; a body that expands past the cap is refused before it
does, so a decompression bomb costs no more than the cap.
"""

from __future__ import annotations

import zlib

import brotli
import zstandard

_STEP = 1 << 16
# RFC 9659 lets a content-coded frame use 8 MiB; clients that go up to zstd's own default pass too.
_ZSTD_WINDOW = 1 << 27
# Four bytes of zstd can stand for 128 KiB, so it is fed in small steps.
_ZSTD_STEP = 512


class CodingError(ValueError):
    """The coding is unknown or the body is not what it says; the text says why, for people."""


class ExpandsTooFarError(CodingError):
    """The decoded body would be larger than the cap."""


def decode(body: bytes, coding: str, cap: int) -> bytes:
    """Undo `coding` ("" or "identity" for none). At most `cap` bytes come back."""
    coding = _named(coding)
    if coding in {"", "identity"}:
        return body
    try:
        if coding == "gzip":
            return _inflate(body, 31, cap, members=True)
        if coding == "deflate":
            return _deflate(body, cap)
        if coding == "br":
            return _unbrotli(body, cap)
        if coding == "zstd":
            return _unzstd(body, cap)
    except (zlib.error, brotli.error, zstandard.ZstdError, EOFError) as error:
        raise CodingError(f"its {coding} compression is damaged") from error
    raise CodingError("it is compressed in a way that cannot be read")


def encode(body: bytes, coding: str) -> bytes:
    """Apply `coding` again, for a body that `decode` accepted."""
    coding = _named(coding)
    if coding == "gzip":
        # A fixed header: no time stamp and no file name.
        compressor = zlib.compressobj(6, zlib.DEFLATED, 31)
        return compressor.compress(body) + compressor.flush()
    if coding == "deflate":
        return zlib.compress(body, 6)
    if coding == "br":
        return bytes(brotli.compress(body, quality=4))
    if coding == "zstd":
        return zstandard.ZstdCompressor(level=3).compress(body)
    return body


def _named(coding: str) -> str:
    """Coding names have no case, and gzip has an old one (RFC 9110 section 8.4.1.3)."""
    coding = coding.strip().lower()
    return "gzip" if coding == "x-gzip" else coding


def _deflate(body: bytes, cap: int) -> bytes:
    """`deflate` is the zlib format; some clients send the bare stream (RFC 9110 8.4.1.2)."""
    try:
        return _inflate(body, zlib.MAX_WBITS, cap, members=False)
    except zlib.error:
        return _inflate(body, -zlib.MAX_WBITS, cap, members=False)


def _inflate(body: bytes, window: int, cap: int, *, members: bool) -> bytes:
    output = bytearray()
    rest = body
    while rest:
        stream = zlib.decompressobj(window)
        output += stream.decompress(rest, cap + 1 - len(output))
        if len(output) > cap:
            raise ExpandsTooFarError("it expands to more than the largest allowed upload")
        if not stream.eof:
            raise EOFError
        # Tape drives padded with zeros; gzip still does not mind them.
        rest = stream.unused_data.lstrip(b"\0") if members else stream.unused_data
        if rest and not members:
            raise CodingError("its compressed body is followed by other bytes")
    return bytes(output)


def _unbrotli(body: bytes, cap: int) -> bytes:
    stream = brotli.Decompressor()
    output = bytearray(stream.process(body, output_buffer_limit=_STEP))
    while not stream.is_finished():
        step = stream.process(b"", output_buffer_limit=_STEP)
        if not step:
            raise EOFError
        output += step
        if len(output) > cap:
            raise ExpandsTooFarError("it expands to more than the largest allowed upload")
    return bytes(output)


def _unzstd(body: bytes, cap: int) -> bytes:
    output = bytearray()
    rest = memoryview(body)
    while rest:
        frame = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj()
        while not frame.eof:
            if not rest:
                raise EOFError
            output += frame.decompress(rest[:_ZSTD_STEP])
            rest = rest[_ZSTD_STEP:]
            if len(output) > cap:
                raise ExpandsTooFarError("it expands to more than the largest allowed upload")
        unused = len(frame.unused_data)
        rest = memoryview(body)[len(body) - len(rest) - unused :]
    return bytes(output)

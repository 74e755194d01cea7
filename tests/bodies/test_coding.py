from __future__ import annotations

import contextlib
import gzip
import zlib

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from safelight.bodies import CodingError, ExpandsTooFarError, decode_coding, encode_coding

CODINGS = ["", "identity", "gzip", "deflate", "br", "zstd"]
PACKED = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


@given(st.binary(max_size=3000), st.sampled_from(CODINGS))
def test_encoding_and_decoding_give_the_same_bytes(data: bytes, coding: str) -> None:
    assert decode_coding(encode_coding(data, coding), coding, 3000) == data


def test_bare_deflate_and_several_gzip_members_are_read() -> None:
    raw = zlib.compressobj(9, zlib.DEFLATED, -15)
    assert decode_coding(raw.compress(b"hello") + raw.flush(), "deflate", 100) == b"hello"
    assert decode_coding(gzip.compress(b"a") + gzip.compress(b"b"), "GZIP ", 100) == b"ab"
    pack = zstandard.ZstdCompressor().compress
    assert decode_coding(pack(b"a" * 5000) + pack(b"b"), "zstd", 9000) == b"a" * 5000 + b"b"


@pytest.mark.parametrize("coding", PACKED)
def test_a_bomb_stops_at_the_cap(coding: str) -> None:
    bomb = PACKED[coding](bytes(50_000_000))
    with pytest.raises(ExpandsTooFarError):
        decode_coding(bomb, coding, 1_000_000)


@pytest.mark.parametrize("coding", PACKED)
def test_exactly_the_cap_is_let_through(coding: str) -> None:
    assert len(decode_coding(PACKED[coding](bytes(100_000)), coding, 100_000)) == 100_000


@pytest.mark.parametrize("coding", PACKED)
def test_damaged_and_truncated_bodies_are_refused(coding: str) -> None:
    packed = PACKED[coding](bytes(range(256)) * 40)
    for damaged in (packed[: len(packed) // 2], b"\x00\x01" + packed, b"plain text"):
        with pytest.raises(CodingError):
            decode_coding(damaged, coding, 100_000)


@pytest.mark.parametrize("coding", ["gzip, br", "x-gzip", "base64", "compress", "rot13", "utf8"])
def test_unknown_and_stacked_codings_are_refused(coding: str) -> None:
    with pytest.raises(CodingError):
        decode_coding(b"anything", coding, 100)


def test_bytes_behind_the_compressed_body_are_refused() -> None:
    with pytest.raises(CodingError):
        decode_coding(zlib.compress(b"x") + b"picture", "deflate", 100)
    with pytest.raises(CodingError):
        decode_coding(brotli.compress(b"x") + b"picture", "br", 100)


@given(st.binary(max_size=300), st.sampled_from(CODINGS))
def test_any_bytes_decode_or_are_refused(data: bytes, coding: str) -> None:
    with contextlib.suppress(CodingError):
        assert len(decode_coding(data, coding, 10_000)) <= 10_000

from __future__ import annotations

import base64
import binascii
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.bodies import base64_search
from safelight.examiner import PICTURES

WANTED = PICTURES.anchors


def read_from(letters: bytes, shift: int) -> bytes:
    return binascii.a2b_base64(letters[shift : shift + (len(letters) - shift) // 4 * 4])


@given(
    st.binary(max_size=20),
    st.sampled_from(WANTED),
    st.binary(max_size=20),
    st.sampled_from([b"", b"x", b"/+", b"abc"]),
)
def test_it_is_found_wherever_it_stands(
    before: bytes, wanted: bytes, after: bytes, front: bytes
) -> None:
    letters = front + base64.b64encode(before + wanted + after).rstrip(b"=") + b"AAA"
    holding = {s for s in range(4) if any(one in read_from(letters, s) for one in WANTED)}
    assert len(front) in holding
    assert holding <= base64_search.shifts(letters, WANTED)


@pytest.mark.parametrize("wanted", WANTED)
def test_nothing_is_found_where_it_is_not(wanted: bytes) -> None:
    almost = wanted[:-1] + bytes([wanted[-1] ^ 0x80])
    for offset in range(3):
        letters = base64.b64encode(bytes(offset) + almost + bytes(9))
        assert base64_search.shifts(letters, (wanted,)) == set()


def test_where_it_stands_very_often_it_may_stand_anywhere() -> None:
    letters = base64.b64encode(b"GIF8" * 5000)
    assert base64_search.shifts(letters, (b"GIF8",)) == {0, 1, 2, 3}


@given(st.integers(0, 4), st.binary(min_size=1, max_size=6), st.binary(max_size=6))
def test_what_begins_so_is_written_so_in_either_alphabet(
    offset: int, data: bytes, after: bytes
) -> None:
    pattern = re.compile(base64_search.written([(offset, data), (7, b"another")]))
    whole = bytes(range(offset)) + data + after
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        assert pattern.match(encode(whole)) is not None
        other = bytes(range(offset)) + bytes([data[0] ^ 1]) + data[1:] + after
        assert pattern.match(encode(other)) is None

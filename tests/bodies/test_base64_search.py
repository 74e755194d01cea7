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


def readings(letters: bytes, wanted: tuple[bytes, ...]) -> list[bytes]:
    found = base64_search.readable(letters, wanted)
    assert all((last - first) % 4 == 0 for first, last in found)
    return [binascii.a2b_base64(letters[first:last]) for first, last in found]


def every_reading(letters: bytes) -> list[bytes]:
    ends = [len(letters) - (len(letters) - shift) % 4 for shift in range(4)]
    return [binascii.a2b_base64(letters[shift : max(shift, end)]) for shift, end in enumerate(ends)]


@given(
    st.binary(max_size=90),
    st.sampled_from(WANTED),
    st.binary(max_size=20),
    st.sampled_from([b"", b"x", b"/+", b"abc"]),
)
def test_it_is_found_wherever_it_stands(
    before: bytes, wanted: bytes, after: bytes, front: bytes
) -> None:
    letters = front + base64.b64encode(before + wanted + after).rstrip(b"=") + b"AAA"
    found = readings(letters, WANTED)
    assert any(before[-9:] + wanted + after in one for one in found)
    assert all(any(one.endswith(whole[-20:]) for one in found) for whole in holding(letters))


def holding(letters: bytes) -> list[bytes]:
    return [one for one in every_reading(letters) if any(wanted in one for wanted in WANTED)]


@pytest.mark.parametrize("wanted", WANTED)
def test_nothing_is_found_where_it_is_not(wanted: bytes) -> None:
    almost = wanted[:-1] + bytes([wanted[-1] ^ 0x80])
    for offset in range(3):
        letters = base64.b64encode(bytes(offset) + almost + bytes(9))
        assert readings(letters, (wanted,)) == []


@pytest.mark.parametrize("times", [9, 5000])
def test_where_it_stands_often_all_is_read(times: int) -> None:
    content = b"GIF8x" * times
    assert content in readings(base64.b64encode(content), (b"GIF8",))


def test_where_much_is_almost_it_all_is_read() -> None:
    content = bytes(2_000_000) + b"GIF8"
    almost = b"A/Y/A" * 1001
    assert any(
        one.endswith(content) for one in readings(almost + base64.b64encode(content), WANTED)
    )


def test_of_much_only_what_is_around_it_is_read() -> None:
    content = bytes(3_000_000) + b"GIF8" + bytes(3_000_000)
    [found] = readings(base64.b64encode(content), (b"GIF8",))
    assert 1_000_000 < len(found) < 1_500_000
    assert found.index(b"GIF8") < 100


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

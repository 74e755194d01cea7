"""The sums say of each block what counting its bytes one by one says."""

from __future__ import annotations

import random
import string
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.bodies import density

BLOCK = 1024
DENSE = set(string.ascii_uppercase + string.digits)
KINDS = [
    "word ",
    "Word",
    "ABC12",
    "0.125, ",
    "\\u00ff",
    "%FF%",
    "   ",
    "\xe4",
    "x" * 40,
    "7" * 90,
    "\x01ab",
]
texts = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(1, 1500)).map(lambda one: one[0] * one[1]),
    max_size=6,
).map(lambda pieces: "".join(pieces)[:20_000])


def no_words(block: str) -> bool:
    dense = sum(letter in DENSE for letter in block)
    small = sum(letter in string.ascii_lowercase for letter in block)
    beyond = sum(letter > "\x7f" for letter in block)
    return dense > 0 and 8 * dense >= 2 * small + beyond


def no_numbers(block: str) -> bool:
    telling = sum(letter not in string.digits + " \t\r\n.,;:-+\"'[]{}()" for letter in block)
    return 10 * telling >= sum(letter in DENSE for letter in block) > 0


def few_controls(block: str) -> bool:
    return 12 * sum(letter < " " and letter not in "\t\n\r" for letter in block) < len(block)


CONDITIONS = (
    (density.without_words, no_words),
    (density.without_numbers, no_numbers),
    (density.without_controls, few_controls),
)


def blocks(text: str) -> list[tuple[int, int]]:
    edges = [*range(0, len(text), BLOCK), len(text)]
    return list(pairwise(edges))


@given(texts, st.integers(0, 50))
def test_no_block_that_could_be_encoded_is_left_out(text: str, before: int) -> None:
    body = b" " * before + text.encode("latin-1")
    for find, meets in CONDITIONS:
        found = list(find(body, before, len(body)))
        for start, end in blocks(text):
            if meets(text[start:end]):
                first = max(0, start - BLOCK) + before
                assert any(a <= first and end + before <= b for a, b in found)
        assert found == sorted(found)
        assert all(before <= a < b <= len(body) for a, b in found)


@pytest.mark.parametrize(
    "text",
    [
        "Anna asked whether the picture could be a little bluer, and I said: yes. ",
        "Анна спросила 12 мая, не мог бы снимок быть чуть синее, и я сказал: да. ",
        "安娜问这张照片能不能再蓝一点。我在5月12日说可以。",
        "この写真は2024年に東京で撮影されたもので、位置情報が含まれています。",
    ],
)
def test_what_people_write_is_left_out(text: str) -> None:
    body = text.encode() * 1000
    assert list(density.without_words(body, 0, len(body))) == []


def test_bytes_without_order_are_left_out() -> None:
    body = random.Random(1).randbytes(1_000_000)
    assert sum(b - a for a, b in density.without_controls(body, 0, len(body))) < 10_000


def test_lists_of_numbers_are_left_out() -> None:
    body = b"[0.0012627856, -1.25e-05, 17, 255], " * 1000
    assert list(density.without_numbers(body, 0, len(body))) == []

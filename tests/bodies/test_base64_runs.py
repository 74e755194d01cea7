from __future__ import annotations

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.bodies import base64_runs
from safelight.bodies.base64_runs import BEGINNING, REST
from tests.bodies.recogniser import MARKED, MARKER

LETTERS = "AZaz09+/-_"
AROUND = [
    " ",
    '"',
    "=",
    "%",
    "\\",
    "\\n",
    "\n",
    "\r\n  ",
    "\\/",
    "\\u002B",
    "\\u00",
    "%2F",
    "\xff",
    "\\u4e2d",
    "==",
]
assert len(MARKER) % 3 == 2
PICTURE = base64.b64encode(MARKER + b"!").decode()
RUN = re.compile(BEGINNING + REST)
IDLE = re.compile(rb"[A-Za-z0-9+/_-]{32,399}=*|.{1,31}", re.DOTALL)


@given(
    st.lists(
        st.one_of(
            st.sampled_from([*AROUND, PICTURE]),
            st.text(LETTERS, max_size=40),
            st.sampled_from(["A" * 31, "A" * 399, "A" * 400]),
        ),
        max_size=20,
    )
)
def test_runs_are_what_the_pattern_alone_would_find(pieces: list[str]) -> None:
    body = "".join(pieces).encode("latin-1")
    expected = [match.span() for match in RUN.finditer(body)]
    found = list(base64_runs.runs(body, 0, len(body), MARKED))
    assert [run for run in expected if run in found] == found
    for first, last in set(expected) - set(found):
        assert IDLE.fullmatch(body, first, last)
        assert last - first < 32 or not body.startswith(PICTURE.encode(), first)


@pytest.mark.parametrize("before", [0, 1, *range((1 << 17) - 34, (1 << 17) + 2), 1 << 18])
@pytest.mark.parametrize("length", [32, 33, 1 << 17, 1 << 19])
def test_they_are_found_wherever_they_begin(before: int, length: int) -> None:
    body = b" " * before + b"x" * length + b" " + b"x" * 31 + b" " + b"y" * 400
    found = list(base64_runs.runs(body, 0, len(body), MARKED))
    expected = [(before, before + length)] if length >= base64_runs.SHORTEST_WRAPPING else []
    assert found == [*expected, (len(body) - 400, len(body))]
    letters = PICTURE.encode().ljust(length, b"x")
    body = body[:before] + letters + body[before + length :]
    found = list(base64_runs.runs(body, 0, len(body), MARKED))
    assert found == [(before, before + length), (len(body) - 400, len(body))]

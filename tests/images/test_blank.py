from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from safelight.images.blank import is_blank

_POSITIONS = st.integers(0, 80)


@given(st.lists(st.sampled_from([0, 0, 0, 32, 255]), max_size=70), _POSITIONS, _POSITIONS)
def test_blank_is_what_holds_nothing_else(codes: list[int], start: int, end: int) -> None:
    data = bytes(codes)
    assert is_blank(data) == (not any(data))
    assert is_blank(data, start) == (not any(data[start:]))
    assert is_blank(data, start, end) == (not any(data[start:end]))
    assert is_blank(bytearray(data), start, end, b" ") == (not data[start:end].strip(b" "))

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from safelight.audit.export.plain import printable


@given(st.text())
def test_nothing_ends_a_line_or_steers_a_terminal(text: str) -> None:
    shown = printable(text)
    assert len(shown) == len(text)
    assert len(shown.splitlines()) <= 1
    assert not any(ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 for char in shown)


def test_writing_is_not_turned_around() -> None:
    assert printable("a\u202eb\x1b[31m") == "a b [31m"

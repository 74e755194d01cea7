from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.bodies import headers


def test_value_and_parameters_are_split() -> None:
    field = headers.parse('Multipart/Form-Data; boundary="a b;c"; charset=UTF-8')
    assert field.value == "multipart/form-data"
    assert field.parameters["boundary"].value == "a b;c"
    assert field.parameters["charset"].value == "UTF-8"


def test_positions_are_those_of_the_value_without_quotes() -> None:
    text = 'form-data; name="f"; filename="holiday (1).jpg"; filename*=UTF-8\'\'h%C3%B6.jpg '
    field = headers.parse(text)
    for name, expected in (("filename", "holiday (1).jpg"), ("filename*", "UTF-8''h%C3%B6.jpg")):
        parameter = field.parameters[name]
        assert text[parameter.start : parameter.end] == expected


def test_an_escaped_quote_does_not_end_a_value() -> None:
    field = headers.parse(r'form-data; filename="a\"b.jpg"; name="x"')
    assert field.parameters["filename"].value == 'a"b.jpg'
    assert field.parameters["name"].value == "x"


@pytest.mark.parametrize(
    "text",
    [
        'form-data; filename="a.jpg"; filename="b.jpg"',
        'form-data; filename="a.jpg',
        "form-data; =x",
        'form-data; filename="a"b',
        "multipart/form-data, boundary=x",
    ],
)
def test_what_two_readers_could_read_differently_is_refused(text: str) -> None:
    with pytest.raises(headers.HeaderError):
        headers.parse(text)


@given(st.text(max_size=200))
def test_any_text_parses_or_is_refused(text: str) -> None:
    try:
        field = headers.parse(text)
    except headers.HeaderError:
        return
    for parameter in field.parameters.values():
        assert 0 <= parameter.start <= parameter.end <= len(text)

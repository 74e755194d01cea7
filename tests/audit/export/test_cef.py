from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.audit.export import cef
from safelight.audit.export.plain import printable
from tests.audit.events import EVENTS


def read(line: str) -> tuple[list[str], dict[str, str]]:
    """The header's fields and the extension of a line, read as the specification says."""
    *header, rest = re.split(r"(?<!\\)(?:\\\\)*\|", line, maxsplit=7)
    keys = [*re.finditer(r"(?:^| )(\w+)=", rest)]
    ends = [*(key.start() for key in keys[1:]), len(rest)]
    values = (rest[key.end() : end] for key, end in zip(keys, ends, strict=True))
    return header, {key[1]: plain(value) for key, value in zip(keys, values, strict=True)}


def plain(value: str) -> str:
    meant = {"n": "\n", "r": "\r"}
    return re.sub(r"\\(.)", lambda match: meant.get(match[1], match[1]), value)


def kept(char: str) -> str:
    return char if char in "\r\n" else printable(char)


@pytest.mark.parametrize("name", EVENTS)
def test_it_reads_back(name: str) -> None:
    event = EVENTS[name]
    header, fields = read(cef.line(event))
    assert header[:2] == ["CEF:0", "Safelight"]
    assert len(header) == 7
    assert 0 <= int(header[-1]) <= 10
    assert fields["externalId"] == event.uid
    assert fields["msg"] == str(event)
    assert {key for key in fields if re.fullmatch(r"c[sn]\dLabel", key)} == {
        f"{key}Label" for key in fields if re.fullmatch(r"c[sn]\d", key)
    }


@given(st.text(), st.text())
def test_values_cannot_break_out(first: str, second: str) -> None:
    line = cef.extension({"a": first, "b": second})
    assert len(line.splitlines()) == 1
    expected = ["".join(map(kept, text)) for text in (first, second)]
    values = re.fullmatch(r"a=((?:[^\\=]|\\.)*) b=((?:[^\\=]|\\.)*)", line)
    assert values is not None
    assert [plain(value) for value in values.groups()] == expected


@given(st.text())
def test_a_header_field_cannot_break_out(text: str) -> None:
    escaped = cef.in_header(text)
    assert len(escaped.splitlines()) <= 1
    assert re.fullmatch(r"(?:[^\\|]|\\[\\|])*", escaped)

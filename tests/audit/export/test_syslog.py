from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.audit.export import syslog
from safelight.audit.export.plain import printable
from tests.audit.events import EVENTS

PARAM = r'([!#-<>-\\^-~]{1,32})="((?:[^"\\\]]|\\["\\\]])*)"'
MESSAGE = re.compile(
    r"<(?P<priority>\d{1,3})>1 "
    r"(?P<at>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}Z|-) "
    r"- safelight - (?P<id>[!-~]{1,32}) "
    rf"\[(?P<element>[!#-<>-\\^-~]{{1,32}})(?P<params>(?: {PARAM})*)\] (?P<text>.+)"
)


@pytest.mark.parametrize("name", EVENTS)
def test_it_has_the_form_of_rfc_5424(name: str) -> None:
    event = EVENTS[name]
    line = syslog.line(event)
    match = MESSAGE.fullmatch(line)
    assert match is not None, line
    facility, severity = divmod(int(match["priority"]), 8)
    assert (facility, severity in {4, 5, 6}) == (13, True)
    fields = dict(re.findall(PARAM, match["params"]))
    assert (fields["id"], fields["fate"]) == (event.uid, event.fate)
    assert match["text"] == str(event)
    assert line.isascii()


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), st.text(), min_size=1))
def test_values_cannot_break_out(fields: dict[str, str]) -> None:
    element = syslog.element(fields)
    assert len(element.splitlines()) == 1
    match = re.fullmatch(rf"\[[^ ]+((?: {PARAM})+)\]", element)
    assert match is not None
    found = {name: re.sub(r"\\(.)", r"\1", value) for name, value in re.findall(PARAM, match[1])}
    assert found == {name: printable(value) for name, value in fields.items()}

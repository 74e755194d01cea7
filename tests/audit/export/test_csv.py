from __future__ import annotations

import csv as reader
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.audit.export import csv
from tests.audit.events import EVENTS

DANGEROUS = "=+-@\t\r\n＝＋－＠"  # noqa: RUF001


def read(text: str) -> list[list[str]]:
    return list(reader.reader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("name", EVENTS)
def test_a_row_has_all_columns(name: str) -> None:
    event = EVENTS[name]
    [columns, row] = read(csv.header() + csv.line(event))
    assert len(row) == len(columns)
    cells = dict(zip(columns, row, strict=True))
    assert (cells["id"], cells["fate"]) == (event.uid, event.fate)
    assert cells["found"].split() == list(event.found)


def test_what_left_is_counted_in_bytes() -> None:
    sent = csv.COLUMNS.index("sent")
    rows = {name: read(csv.line(event))[0] for name, event in EVENTS.items()}
    assert rows["cleaned"][sent] == "4900"
    assert rows["flowed"][sent] == "5000"
    assert rows["stopped"][sent] == rows["uninspected"][sent] == ""


@given(st.lists(st.text(), min_size=1))
def test_cells_stay_cells(cells: list[str]) -> None:
    [row] = read(csv.row(cells))
    assert row == [csv.safe(cell) for cell in cells]


@given(st.text())
@pytest.mark.parametrize("mark", DANGEROUS)
def test_no_cell_is_a_formula(mark: str, text: str) -> None:
    for cell in (mark + text, f"  {mark}{text}", text):
        safe = csv.safe(cell)
        assert safe in {cell, f"'{cell}"}
        assert not safe.lstrip(" ").startswith(tuple(DANGEROUS))

from __future__ import annotations

import json

import pytest

from safelight.audit.export import Format, exported
from tests.audit.events import EVENTS


@pytest.mark.parametrize("form", Format)
def test_whole_lines(form: Format) -> None:
    lines = list(exported(EVENTS.values(), form))
    assert all(line.endswith("\n") and len(line.splitlines()) == 1 for line in lines)
    if form in {Format.OCSF, Format.ECS}:
        assert all(isinstance(json.loads(line), dict) for line in lines)
    more = {Format.OCSF: 7, Format.CSV: 1}.get(form, 0)
    assert len(lines) == len(EVENTS) + more


@pytest.mark.parametrize("form", Format)
def test_nothing_happened(form: Format) -> None:
    assert len(list(exported([], form))) == (form is Format.CSV)

"""The schema says what stands in a log, and is the one that is committed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from safelight.audit import Decision, End, Picture, Unseen
from safelight.audit.fields import explained
from safelight.audit.schema import schema
from tests.audit.events import EVENTS
from tests.audit.test_verify import Log

PAGE = Path(__file__).parents[2] / "docs" / "audit-record.schema.json"
VALID = Draft202012Validator(schema())


def test_the_committed_one_is_current() -> None:
    assert json.loads(PAGE.read_text()) == schema(), "run `make docs`"


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("model", [Decision, Picture, End, Unseen])
def test_every_field_is_explained(model: type[Decision | Picture | End | Unseen]) -> None:
    names = {field.alias or name for name, field in model.model_fields.items()}
    assert set(explained(model)) == names


def test_every_line_of_a_log_is_valid(tmp_path: Path) -> None:
    log = Log(tmp_path)
    for line in [*log.lines(0), *log.lines(1)]:
        VALID.validate(json.loads(line))


@pytest.mark.parametrize("name", sorted(set(EVENTS) - {"held"}))
def test_every_event_is_valid(name: str) -> None:
    for record in (EVENTS[name].record, EVENTS[name].end):
        if record is not None:
            VALID.validate(record.model_dump(mode="json", by_alias=True, exclude_none=True))


def test_it_is_closed() -> None:
    record = EVENTS["cleaned"].record.model_dump(mode="json", by_alias=True, exclude_none=True)
    for change in ({"file-name": "anna.jpg"}, {"seq": 0}, {"service": "Anna's"}, {"kind": "x"}):
        assert not VALID.is_valid({**record, **change})
    for name in ("seq", "at", "prev", "hash", "kind"):
        assert not VALID.is_valid({key: value for key, value in record.items() if key != name})

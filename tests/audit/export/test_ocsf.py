"""Every event is valid by the published schema of the version it names."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from safelight.audit.export import ocsf
from tests.audit.events import EVENTS

FINDING = 2006


@cache
def validator(class_uid: int) -> Draft202012Validator:
    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=ocsf.VERSION))
    name = schema.lookup_class_name_from_uid(class_uid)
    return Draft202012Validator(
        schema.get_class_schema(class_name=name, profiles=list(ocsf.PROFILES))
    )


def exported(name: str) -> list[dict[str, Any]]:
    return list(ocsf.events(EVENTS[name]))


@pytest.mark.parametrize("name", EVENTS)
def test_it_is_valid(name: str) -> None:
    for event in exported(name):
        assert event["metadata"]["version"] == ocsf.VERSION
        assert not [error.message for error in validator(event["class_uid"]).iter_errors(event)]


def test_the_judge_is_awake() -> None:
    [event, *_] = exported("cleaned")
    for change in ({"surplus": 1}, {"activity_id": "1"}, {"disposition_id": 1000}):
        assert not validator(6006).is_valid({**event, **change})
    del event["file"]
    assert not validator(6006).is_valid(event)


@pytest.mark.parametrize(
    ("name", "classes"),
    [
        ("cleaned", [6006, 6006]),
        ("stopped", [6006, FINDING]),
        ("stopped unread", [6006, FINDING]),
        ("held", [6006, FINDING]),
        ("flowed", [6006]),
        ("uninspected", [4001]),
    ],
)
def test_an_event_a_picture_and_one_for_what_was_stopped(name: str, classes: list[int]) -> None:
    events = exported(name)
    assert [event["class_uid"] for event in events] == classes
    uids = [event["metadata"]["uid"] for event in events]
    assert len(set(uids)) == len(uids)
    assert {event["metadata"]["correlation_uid"] for event in events} == {EVENTS[name].uid}


def test_what_it_says_of_the_fate() -> None:
    numbers = {
        "cleaned": (4, 99, 1),
        "sent": (1, 1, 1),
        "stopped": (2, 2, 2),
        "held": (2, 3, 0),
    }
    for name, expected in numbers.items():
        event = exported(name)[0]
        assert (event["action_id"], event["disposition_id"], event["status_id"]) == expected


def test_what_a_flowing_picture_carried_stands_in_its_end() -> None:
    [event] = exported("flowed")
    [classified] = event["file"]["data_classifications"]
    assert classified["discovery_details"] == [{"type": "location", "count": 1}]

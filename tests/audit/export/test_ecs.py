from __future__ import annotations

import json

import pytest

from safelight.audit.export import ecs
from tests.audit.events import EVENTS

# From ECS 9.4.0: expected event types of the categories, and the other fields' allowed values.
TYPES = {
    "file": {"access", "change", "creation", "deletion", "info"},
    "network": {
        "access",
        "allowed",
        "connection",
        "denied",
        "end",
        "info",
        "protocol",
        "start",
    },
}
FIELDS = {
    "@timestamp",
    "destination.domain",
    "ecs.version",
    "event.action",
    "event.category",
    "event.dataset",
    "event.hash",
    "event.id",
    "event.kind",
    "event.module",
    "event.outcome",
    "event.reason",
    "event.sequence",
    "event.type",
    "file.extension",
    "file.mime_type",
    "file.size",
    "message",
    "observer.product",
    "observer.type",
    "observer.vendor",
    "observer.version",
    "rule.name",
    "rule.ruleset",
    "rule.version",
}


def names(fields: dict[str, object], before: str = "") -> set[str]:
    found = set()
    for name, value in fields.items():
        inside = names(value, f"{before}{name}.") if isinstance(value, dict) else {before + name}
        found |= inside
    return found


@pytest.mark.parametrize("name", EVENTS)
def test_only_fields_and_values_that_ecs_has(name: str) -> None:
    document = ecs.document(EVENTS[name])
    assert {one for one in names(document) if not one.startswith("safelight.")} <= FIELDS
    event = document["event"]
    allowed = set().union(*(TYPES[category] for category in event["category"]))
    assert set(event["type"]) <= allowed
    assert event["kind"] in {"event", "alert"}
    assert event["outcome"] in {"success", "failure", "unknown"}


def test_what_says_nothing_is_left_out() -> None:
    written = json.dumps([ecs.document(event) for event in EVENTS.values()])
    for nothing in ("null", "[]", "{}"):
        assert nothing not in written


def test_what_was_stopped_is_an_alert() -> None:
    event = ecs.document(EVENTS["stopped"])["event"]
    assert (event["kind"], event["reason"], event["outcome"]) == ("alert", "policy", "failure")

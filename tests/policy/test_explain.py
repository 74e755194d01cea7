from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given

from safelight import policy
from safelight.policy import Facts, LoadedPolicy, Policy, decide
from safelight.policy.explain import Explanation, Part, explain
from safelight.policy.variations import ORDINARY
from tests.policy.strategies import facts, policies

SERVICES = {
    "a": policy.About("chat", "by-default"),
    "b": policy.About("image"),
    "luma": policy.About("video"),
}
RULES = """\
version: 1
name: test
people: {kids: 10.0.0.16/28}
rules:
  - {id: clean, do: strip-metadata, because: Clean.}
  - {id: bedtime, do: block, because: Sleep., when: {people: kids, time: {from: 20:30, to: 07:00}}}
  - {id: places, do: warn, because: Told., when: {metadata: location}}
  - {id: films, do: hold, because: Ask., when: {upload: {type: mp4}}, mode: monitor}
  - id: luma
    do: hold
    because: Ask.
    when: {any: [{service: {category: video}}, {service: {id: b}}]}
    except: [{id: fair, until: 2026-12-24, why: School., when: {people: kids}}]
"""
KID = replace(
    ORDINARY,
    client="10.0.0.17",
    at=datetime.fromisoformat("2026-11-23T21:00"),
    metadata=frozenset({"location"}),
)


@pytest.fixture
def loaded(tmp_path: Path) -> LoadedPolicy:
    file = tmp_path / "p.yaml"
    file.write_text(RULES)
    return policy.load([file], SERVICES)


def parts(explained: Explanation) -> dict[str, Part]:
    return {one.rule: one.part for one in explained.accounts}


def test_who_decided_who_agreed_and_who_nearly_did(loaded: LoadedPolicy) -> None:
    explained = explain(loaded, KID, SERVICES)
    assert explained.certain
    assert parts(explained) == {
        "bedtime": Part.DECIDED,
        "clean": Part.MATCHED,
        "places": Part.MATCHED,
        "films": Part.NEARLY,
        "luma": Part.NEARLY,
    }
    first = explained.accounts[0]
    assert (Path(first.file).name, first.line, first.does) == ("p.yaml", 6, "block")
    assert first.held == (
        "people = kids, seen kids",
        "time = 20:30 to 07:00, seen Mon 21:00",
    )
    nearly = {one.rule: one.failed for one in explained.accounts if one.part is Part.NEARLY}
    assert nearly["films"] == ("upload.type = mp4, seen jpeg",)
    assert nearly["luma"] == (
        "any (service.category = video, seen chat; service.id = b, seen another-service)",
    )


def test_what_would_have_changed_it(loaded: LoadedPolicy) -> None:
    changes = dict(explain(loaded, KID, SERVICES).changes)
    assert changes["from anybody else"] == "warn (strip-metadata)"
    assert changes["on Mon at 12:00"] == "warn (strip-metadata)"
    assert changes["an exception to bedtime in any file"] == "without that rule"
    assert changes["safelight pause"] == "nothing is stopped for a while"
    assert "without metadata" not in changes
    awake = replace(KID, at=datetime.fromisoformat("2026-11-23T12:00"))
    assert dict(explain(loaded, awake, SERVICES).changes) == {
        "on Mon at 20:30": "block",
        "without metadata": "allow (strip-metadata)",
    }


def test_exceptions_monitoring_and_pauses_are_told(loaded: LoadedPolicy) -> None:
    film = replace(KID, service="luma", category="video", type="mp4", paused=True)
    explained = explain(loaded, film, SERVICES)
    assert parts(explained)["films"] is Part.SHADOW
    accounts = {one.rule: one for one in explained.accounts}
    assert accounts["luma"].part is Part.EXCEPTED
    assert accounts["luma"].exceptions == ("fair until 2026-12-24: School.",)
    assert accounts["bedtime"].paused


def test_the_time_is_told_on_the_clock_of_the_rule(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(RULES.replace("to: 07:00", "to: 07:00, tz: Asia/Tokyo"))
    at = datetime.fromisoformat("2026-11-23T12:00:00+00:00")
    explained = explain(policy.load([file], SERVICES), replace(KID, at=at), SERVICES)
    assert explained.accounts[0].held[1] == "time = 20:30 to 07:00 Asia/Tokyo, seen Mon 21:00"


def test_what_is_not_known_is_said(loaded: LoadedPolicy) -> None:
    explained = explain(loaded, replace(KID, client=None), SERVICES)
    assert not explained.certain
    assert explained.accounts[0].held[0] == "people = kids, seen nothing that is known"


@given(policies, facts)
def test_what_is_told_is_what_decides(some: Policy, seen: Facts) -> None:
    merged = policy.merge([some])
    places = {rule.id: ("p.yaml", 1) for rule in merged.rules}
    services = {"a": policy.About("chat"), "b": policy.About("image")}
    explained = explain(LoadedPolicy(merged, "r", places), seen, services)
    decision = decide(merged, [seen])
    assert explained.decision == decision
    told = {part: {one.rule for one in explained.accounts if one.part is part} for part in Part}
    assert told[Part.DECIDED] == decision.deciding
    assert told[Part.DECIDED] | told[Part.MATCHED] == decision.matched
    assert told[Part.SHADOW] == decision.shadow

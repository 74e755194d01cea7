from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from safelight.policy import (
    Action,
    Facts,
    Policy,
    Rule,
    Verdict,
    bounds,
    decide,
    groups,
    when_unsure,
)
from safelight.policy.conditions import DAYS, Day
from safelight.policy.decide import applies
from safelight.policy.model import Unsure
from tests.policy.strategies import KINDS, facts, policy_of, rules

if TYPE_CHECKING:
    import random


def rule(do: list[str], **more: object) -> Rule:
    return Rule.model_validate({"id": f"r-{do[0]}", "do": do, "because": "why", **more})


MONDAY = datetime(2026, 11, 23, 21, tzinfo=UTC)
PHOTO = Facts(
    "a",
    "chat",
    "jpeg",
    2000,
    frozenset({"location"}),
    trains="by-default",
    workspace="ours",
    shape="raw",
    pixels=5000,
    count=2,
    client="10.0.0.17",
    at=MONDAY,
)
BEDTIME = {"from": "20:30", "to": "07:00"}


@pytest.mark.parametrize(
    ("when", "applies"),
    [
        ({}, True),
        ({"metadata": ["device", "location"]}, True),
        ({"metadata": "device"}, False),
        ({"service": {"id": ["b", "a"]}}, True),
        ({"service": {"id": "a", "category": "image"}}, False),
        ({"service": {"trains-on-uploads": ["by-default", "unknown"]}}, True),
        ({"service": {"trains-on-uploads": "not-by-default"}}, False),
        ({"service": {"workspace": ["theirs", "OURS"]}}, True),
        ({"service": {"workspace": "theirs"}}, False),
        ({"service": {"workspace": "ours", "id": "b"}}, False),
        ({"upload": {"type": "png"}}, False),
        ({"upload": {"larger-than": "2 KB"}}, False),
        ({"upload": {"larger-than": "1 KB", "type": "jpeg"}}, True),
        ({"upload": {"more-pixels-than": 4999}}, True),
        ({"upload": {"more-pixels-than": 5000}}, False),
        ({"upload": {"more-pictures-than": 1}}, True),
        ({"upload": {"shape": ["json", "form"]}}, False),
        ({"people": "kids"}, True),
        ({"people": ["parents"]}, False),
        ({"time": BEDTIME}, True),
        ({"time": {**BEDTIME, "tz": "America/New_York"}}, False),
        ({"time": {**BEDTIME, "days": "mon"}}, True),
        ({"time": {**BEDTIME, "days": "tue"}}, False),
        ({"time": {"days": ["tue"], "tz": "Asia/Tokyo"}}, True),
        ({"time": {"from": "21:00", "to": "21:01"}}, True),
        ({"time": {"from": "08:00", "to": "21:00"}}, False),
        ({"any": [{"metadata": "device"}, {"people": "kids"}]}, True),
        ({"any": [{"metadata": "device"}, {"people": "parents"}]}, False),
        ({"all": [{"metadata": "location"}, {"people": "kids"}]}, True),
        ({"all": [{"metadata": "device"}, {"people": "kids"}]}, False),
        ({"not": {"metadata": "device"}}, True),
        ({"not": {"metadata": "location", "people": "kids"}}, False),
        ({"people": "kids", "not": {"service": {"id": "a"}}}, False),
    ],
)
def test_all_conditions_of_a_rule_must_hold(when: dict[str, Any], *, applies: bool) -> None:
    decision = decide(policy_of(rule(["block"], when=when)), [PHOTO])
    assert (decision.verdict is Verdict.BLOCK) is applies


def test_a_workspace_that_is_not_known_opens_no_way() -> None:
    named = {"service": {"workspace": "ours"}}
    unknown = replace(PHOTO, workspace=None)
    for when in (named, {"not": named}):
        assert decide(policy_of(rule(["block"], when=when)), [unknown]).verdict is Verdict.BLOCK
    exception = {"id": "e", "when": named, "until": "2027-01-01", "why": "x"}
    guarded = policy_of(rule(["block"], **{"except": [exception]}))
    assert decide(guarded, [PHOTO]).verdict is Verdict.ALLOW
    assert decide(guarded, [unknown]).verdict is Verdict.BLOCK


def test_a_span_over_midnight_belongs_to_the_day_it_began() -> None:
    rules = policy_of(rule(["block"], when={"time": {**BEDTIME, "days": "sun"}}))
    for clock, stopped in [
        ("2026-11-22T20:29", False),
        ("2026-11-22T20:30", True),
        ("2026-11-23T06:59", True),
        ("2026-11-23T07:00", False),
        ("2026-11-22T06:00", False),
        ("2026-11-23T21:00", False),
    ]:
        at = replace(PHOTO, at=datetime.fromisoformat(clock))
        assert decide(rules, [at]).verdict.stops is stopped, clock


def test_groups_are_addresses_and_ranges() -> None:
    rules = policy_of(rule(["block"], when={"people": "kids"}))
    for client, stopped in [
        ("10.0.0.31", True),
        ("10.0.0.32", False),
        ("::ffff:10.0.0.16", True),
        ("fe80::1%eth0", False),
        ("not an address", True),  # of whom nothing is known a rule may be about
        (None, True),
    ]:
        assert decide(rules, [replace(PHOTO, client=client)]).verdict.stops is stopped, client


def test_groups_are_users_and_phones_too() -> None:
    policy = Policy.model_validate(
        {
            "version": 1,
            "name": "test",
            "people": {
                "kids": ["user:bert", "phone:berts", "10.0.0.1"],
                "all": ["10.0.0.0/8"],
            },
            "rules": [{"id": "a", "when": {"people": "kids"}, "do": "block", "because": "x"}],
        }
    )
    for client, identity, expected in (
        ("10.0.0.9", "user:bert", {"kids", "all"}),
        ("10.0.0.9", "phone:berts", {"kids", "all"}),
        ("10.0.0.9", "phone:bert", {"all"}),
        ("10.0.0.9", "user:anna", {"all"}),
        ("10.0.0.1", "user:anna", {"kids", "all"}),
        ("192.0.2.1", "", set()),
        # Nobody was asked who it is: whom rules are for is not known.
        ("10.0.0.9", None, None),
        (None, "user:bert", None),
    ):
        assert groups(policy.people, client, identity) == expected


def test_strictest_wins_and_transforms_add_up() -> None:
    some = [rule(["warn", "strip-metadata"]), rule(["rename"]), rule(["block"]), rule(["hold"])]
    decision = decide(policy_of(*some), [PHOTO])
    assert decision.verdict is Verdict.BLOCK
    assert decision.transforms == {Action.STRIP_METADATA, Action.RENAME}
    assert decision.deciding == {"r-block"}
    assert decide(policy_of(some[0], some[3]), [PHOTO]).verdict is Verdict.HOLD


def test_one_picture_that_is_blocked_blocks_the_upload() -> None:
    rules = policy_of(rule(["block"], when={"upload": {"type": "png"}}))
    png = Facts("a", "chat", "png", 10)
    assert decide(rules, [PHOTO]).verdict is Verdict.ALLOW
    assert decide(rules, [PHOTO, png]).verdict is Verdict.BLOCK


def test_doubts_get_what_the_policy_says() -> None:
    open_policy = policy_of(rule(["warn"]), unsure={"unreadable": "warn", "engine-error": "hold"})
    assert when_unsure(open_policy, "unreadable", "why").verdict is Verdict.WARN
    assert when_unsure(open_policy, "engine-error", "why").verdict is Verdict.HOLD
    assert when_unsure(open_policy, "unknown-shape", "why").verdict is Verdict.BLOCK
    assert set(Unsure().model_dump().values()) == {Verdict.BLOCK}


def test_an_exception_holds_through_its_last_day() -> None:
    exception = {"id": "fair", "when": {"service": {"id": "a"}}, "until": "2026-11-23", "why": "x"}
    rules = policy_of(rule(["block"], **{"except": [exception]}))
    decision = decide(rules, [PHOTO])
    assert decision.verdict is Verdict.ALLOW
    assert decision.excepted == {"r-block.fair"}
    later = replace(PHOTO, at=datetime(2026, 11, 24, 0, 0, tzinfo=UTC))
    assert decide(rules, [later]).verdict is Verdict.BLOCK
    assert decide(rules, [later]).excepted == frozenset()
    assert decide(rules, [replace(PHOTO, service="b")]).verdict is Verdict.BLOCK
    assert decide(rules, [replace(PHOTO, at=None)]).verdict is Verdict.BLOCK


def test_a_pause_lifts_what_is_not_locked() -> None:
    paused = replace(PHOTO, paused=True)
    decision = decide(policy_of(rule(["block", "strip-metadata"])), [paused])
    assert decision.verdict is Verdict.WARN
    assert decision.paused == {"r-block"}
    assert decision.transforms == {Action.STRIP_METADATA}
    locked = decide(policy_of(rule(["hold"], locked=True)), [paused])
    assert (locked.verdict, locked.paused) == (Verdict.HOLD, frozenset())


some_facts = st.lists(facts, max_size=3)


@given(st.lists(rules, min_size=1, max_size=6), some_facts, st.randoms())
def test_order_never_matters(some: list[Rule], seen: list[Facts], shuffle: random.Random) -> None:
    mixed, other = list(some), list(seen)
    shuffle.shuffle(mixed)
    shuffle.shuffle(other)
    assert decide(policy_of(*some), seen) == decide(policy_of(*mixed), other)


@given(st.lists(rules, min_size=1, max_size=5), rules, some_facts)
def test_another_rule_never_weakens(some: list[Rule], more: Rule, seen: list[Facts]) -> None:
    before, after = decide(policy_of(*some), seen), decide(policy_of(*some, more), seen)
    assert after.verdict.severity >= before.verdict.severity
    assert after.transforms >= before.transforms
    assert after.kept <= before.kept or Action.STRIP_METADATA not in before.transforms


@given(st.lists(rules, min_size=1, max_size=5), some_facts)
def test_saying_it_twice_changes_nothing(some: list[Rule], seen: list[Facts]) -> None:
    assert decide(policy_of(*some), seen) == decide(policy_of(*some, *some), [*seen, *seen])


@given(st.lists(rules, min_size=1, max_size=5), rules, some_facts)
def test_a_rule_that_monitors_changes_nothing(
    some: list[Rule], more: Rule, seen: list[Facts]
) -> None:
    watching = more.model_copy(update={"mode": "monitor"})
    before, after = decide(policy_of(*some), seen), decide(policy_of(*some, watching), seen)
    assert replace(after, shadow=frozenset(), excepted=frozenset()) == replace(
        before, shadow=frozenset(), excepted=frozenset()
    )


@given(st.lists(rules, min_size=1, max_size=4), rules, some_facts)
def test_an_exception_touches_only_its_rule(
    some: list[Rule], other: Rule, seen: list[Facts]
) -> None:
    """With its exceptions a rule does no more than without it, and no less than no rule."""
    bare = other.model_copy(update={"except_": ()})
    none, with_, without = (decide(policy_of(*some, *more), seen) for more in ([], [other], [bare]))
    assert none.verdict.severity <= with_.verdict.severity <= without.verdict.severity
    assert none.matched - {other.id} == with_.matched - {other.id} == without.matched - {other.id}
    assert none.transforms <= with_.transforms <= without.transforms


@given(st.lists(rules, min_size=1, max_size=4), facts)
def test_what_is_not_known_stays_within_its_bounds(some: list[Rule], seen: Facts) -> None:
    """Whatever is found later, the decision is no milder and no stricter than was said."""
    rules: Policy = policy_of(*some)
    least, most = bounds(rules, [replace(seen, metadata=None, pixels=None)])
    kinds = itertools.chain.from_iterable(
        itertools.combinations(KINDS, size) for size in range(len(KINDS) + 1)
    )
    for found, pixels in itertools.product(map(frozenset, kinds), (0, 5000)):
        for now in bounds(rules, [replace(seen, metadata=found, pixels=pixels)]):
            assert least.verdict.severity <= now.verdict.severity <= most.verdict.severity
            assert least.transforms <= now.transforms <= most.transforms
            assert least.matched <= now.matched <= most.matched


KNOWABLE = ["size", "metadata", "workspace", "shape", "pixels", "count", "client", "at"]


@given(st.lists(rules, min_size=1, max_size=4), facts, st.sets(st.sampled_from(KNOWABLE)))
def test_what_becomes_known_contradicts_nothing(
    some: list[Rule], seen: Facts, unknown: set[str]
) -> None:
    """An answer that was sure before stays; what was decided before is no milder."""
    policy = policy_of(*some)
    nothing: dict[str, Any] = dict.fromkeys(unknown)
    before = replace(seen, **nothing)
    for one in policy.rules:
        assert applies(one, before, policy) in {None, applies(one, seen, policy)}
    earlier, later = decide(policy, [before]), decide(policy, [seen])
    assert earlier.verdict.severity >= later.verdict.severity
    assert earlier.transforms >= later.transforms


ZONES = ["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]
clocks = st.times().map(lambda one: one.strftime("%H:%M"))


@given(
    st.sampled_from(ZONES),
    clocks,
    clocks,
    st.frozensets(st.sampled_from(DAYS), min_size=1),
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_a_span_is_what_the_clock_on_the_wall_shows(
    zone: str, begins: str, ends: str, days: frozenset[Day], at: datetime
) -> None:
    assume(begins != ends)
    wall = at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    inside = False
    for day in (wall.date(), wall.date() - timedelta(days=1)):
        first, last = (datetime.combine(day, time.fromisoformat(clock)) for clock in (begins, ends))
        last += timedelta(days=last < first)
        inside = inside or (DAYS[day.weekday()] in days and first <= wall < last)
    when = {"time": {"from": begins, "to": ends, "days": sorted(days), "tz": zone}}
    decision = decide(policy_of(rule(["block"], when=when)), [replace(PHOTO, at=at)])
    assert decision.verdict.stops is inside


@pytest.mark.parametrize("zone", [*ZONES, "America/Santiago", "Africa/Casablanca"])
def test_the_last_day_of_an_exception_ends_at_midnight_also_when_clocks_change(zone: str) -> None:
    for last_day in (date(2026, 3, 28), date(2026, 10, 24), date(2026, 10, 31)):
        exception = {"id": "e", "when": {}, "until": str(last_day), "why": "x"}
        guarded = policy_of(rule(["block"], **{"except": [exception]}))
        midnight = datetime.combine(last_day + timedelta(days=1), time(), ZoneInfo(zone))
        for seconds, verdict in ((-1, Verdict.ALLOW), (0, Verdict.BLOCK)):
            at = midnight.astimezone(UTC) + timedelta(seconds=seconds)
            seen = replace(PHOTO, at=at.astimezone(ZoneInfo(zone)))
            assert decide(guarded, [seen]).verdict is verdict

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.policy import ConflictError, Facts, Policy, decide, merge
from tests.policy.strategies import facts, policies, policy_of


@given(policies, policies)
def test_merging_is_commutative_and_idempotent(first: Policy, second: Policy) -> None:
    both = merge([first, second])
    assert merge([second, first]) == both
    assert merge([first, first]) == merge([first])
    assert merge([both, both]) == merge([both]) == both


@given(policies, policies, policies)
def test_merging_is_associative(first: Policy, second: Policy, third: Policy) -> None:
    all_ = merge([first, second, third])
    assert merge([merge([first, second]), third]) == all_
    assert merge([first, merge([second, third])]) == all_


@given(policies, policies, st.lists(facts, max_size=2))
def test_merging_only_makes_stricter(first: Policy, second: Policy, seen: list[Facts]) -> None:
    alone, both = decide(merge([first]), seen), decide(merge([first, second]), seen)
    assert both.verdict.severity >= alone.verdict.severity
    assert both.transforms >= alone.transforms
    assert merge([first, second]).largest_upload <= first.largest_upload
    assert set(merge([first, second]).pass_through) <= set(first.pass_through)


@given(policies, st.lists(facts, max_size=2))
def test_a_policy_alone_keeps_its_meaning(policy: Policy, seen: list[Facts]) -> None:
    if policy.mode == "enforce":
        assert decide(merge([policy]), seen) == decide(policy, seen)
    else:
        assert decide(merge([policy]), seen).matched == frozenset()


RULE: dict[str, Any] = {"id": "no", "do": "block", "because": "x"}
FAIR: dict[str, Any] = {
    "id": "fair",
    "when": {"service": {"id": "a"}},
    "until": "2027-01-01",
    "why": "x",
}
OTHER: dict[str, Any] = {"id": "tell", "do": "warn", "because": "x"}


def test_an_exception_may_stand_in_another_file_unless_the_rule_is_locked() -> None:
    elsewhere = policy_of(OTHER, exceptions=[{**FAIR, "rule": "no"}])
    merged = merge([policy_of(RULE), elsewhere])
    assert merged == merge([elsewhere, policy_of({**RULE, "except": [FAIR]})])
    assert merge([merged, elsewhere]) == merged
    locked = {**RULE, "locked": True}
    own = policy_of({**locked, "except": [FAIR]})
    assert merge([own, policy_of(OTHER)]).rules[0].except_ == merged.rules[0].except_
    for other in (elsewhere, own):
        with pytest.raises(ConflictError):
            merge([policy_of(locked), other])


def test_a_file_that_monitors_makes_no_exceptions() -> None:
    watching = policy_of(OTHER, mode="monitor", exceptions=[{**FAIR, "rule": "no"}])
    merged = merge([policy_of(RULE), watching])
    assert [rule.except_ for rule in merged.rules] == [(), ()]


def test_names_mean_the_same_everywhere() -> None:
    for first, second in [
        (policy_of(RULE), policy_of({**RULE, "do": "warn"})),
        (policy_of(RULE, people={"kids": "10.0.0.1"}), policy_of(OTHER)),
        (
            policy_of({**RULE, "except": [FAIR]}),
            policy_of({**RULE, "except": [{**FAIR, "until": "2028-01-01"}]}),
        ),
    ]:
        with pytest.raises(ConflictError):
            merge([first, second])


def test_a_file_that_monitors_makes_each_of_its_rules_monitor() -> None:
    watching = policy_of(RULE, mode="monitor", unsure={"unreadable": "allow"})
    merged = merge([watching, policy_of(OTHER)])
    assert [(rule.id, rule.mode) for rule in merged.rules] == [
        ("no", "monitor"),
        ("tell", "enforce"),
    ]
    assert merged.mode == "enforce"
    assert merge([watching, policy_of(RULE)]).rules[0].mode == "enforce"
    assert merged.unsure.unreadable == "block"

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from safelight.policy import Action, Facts, Policy, Rule, Verdict, decide, when_unsure
from safelight.policy.model import Unsure

if TYPE_CHECKING:
    import random

KINDS = ["location", "device", "capture-time"]

whens = st.fixed_dictionaries(
    {},
    optional={
        "metadata": st.lists(st.sampled_from(KINDS), min_size=1, max_size=2),
        "service": st.fixed_dictionaries(
            {}, optional={"id": st.sampled_from(["a", "b"]), "category": st.just("chat")}
        ),
        "upload": st.fixed_dictionaries(
            {}, optional={"type": st.sampled_from(["jpeg", "png"]), "larger-than": st.just("1 KB")}
        ),
    },
)
rules = st.builds(
    lambda number, when, do: Rule.model_validate(
        {"id": f"r{number}", "when": when, "do": do, "because": f"reason {number}"}
    ),
    st.integers(0, 999),
    whens,
    st.lists(st.sampled_from([str(action) for action in Action]), min_size=1, max_size=3),
)
facts = st.builds(
    Facts,
    st.sampled_from(["a", "b", "c"]),
    st.sampled_from(["chat", "image"]),
    st.sampled_from(["jpeg", "png", "gif"]),
    st.integers(0, 5000),
    st.frozensets(st.sampled_from(KINDS)),
)


def policy_of(*some: Rule) -> Policy:
    return Policy.model_construct(version=1, name="p", rules=some, unsure=Unsure())


def rule(do: list[str], **when: object) -> Rule:
    return Rule.model_validate({"id": "r", "when": when, "do": do, "because": "why"})


PHOTO = Facts("a", "chat", "jpeg", 2000, frozenset({"location"}))


def test_all_conditions_of_a_rule_must_hold() -> None:
    cases: list[tuple[dict[str, object], bool]] = [
        ({}, True),
        ({"metadata": ["device", "location"]}, True),
        ({"metadata": "device"}, False),
        ({"service": {"id": ["b", "a"]}}, True),
        ({"service": {"id": "a", "category": "image"}}, False),
        ({"upload": {"type": "png"}}, False),
        ({"upload": {"larger-than": "2 KB"}}, False),
        ({"upload": {"larger-than": "1 KB", "type": "jpeg"}}, True),
    ]
    for when, applies in cases:
        decision = decide(policy_of(rule(["block"], **when)), [PHOTO])
        assert (decision.verdict is Verdict.BLOCK) is applies, when


def test_strictest_wins_and_transforms_add_up() -> None:
    decision = decide(
        policy_of(rule(["warn", "strip-metadata"]), rule(["rename"]), rule(["block"])), [PHOTO]
    )
    assert decision.verdict is Verdict.BLOCK
    assert decision.transforms == {Action.STRIP_METADATA, Action.RENAME}
    assert decision.because == {"why"}


def test_one_picture_that_is_blocked_blocks_the_upload() -> None:
    rules = policy_of(rule(["block"], upload={"type": "png"}))
    png = Facts("a", "chat", "png", 10)
    assert decide(rules, [PHOTO]).verdict is Verdict.ALLOW
    assert decide(rules, [PHOTO, png]).verdict is Verdict.BLOCK


def test_doubts_get_what_the_policy_says() -> None:
    open_policy = policy_of().model_copy(update={"unsure": Unsure(unreadable=Verdict.WARN)})
    assert when_unsure(open_policy, "unreadable", "why").verdict is Verdict.WARN
    assert when_unsure(open_policy, "unknown-shape", "why").verdict is Verdict.BLOCK


@given(st.lists(rules, max_size=6), st.lists(facts, max_size=3), st.randoms())
def test_order_never_matters(some: list[Rule], seen: list[Facts], shuffle: random.Random) -> None:
    mixed, other = list(some), list(seen)
    shuffle.shuffle(mixed)
    shuffle.shuffle(other)
    assert decide(policy_of(*some), seen) == decide(policy_of(*mixed), other)


@given(st.lists(rules, max_size=5), rules, st.lists(facts, max_size=3))
def test_another_rule_never_weakens(some: list[Rule], more: Rule, seen: list[Facts]) -> None:
    before, after = decide(policy_of(*some), seen), decide(policy_of(*some, more), seen)
    assert after.verdict.severity >= before.verdict.severity
    assert after.transforms >= before.transforms


@given(st.lists(rules, max_size=5), st.lists(facts, max_size=3))
def test_saying_it_twice_changes_nothing(some: list[Rule], seen: list[Facts]) -> None:
    assert decide(policy_of(*some), seen) == decide(policy_of(*some, *some), [*seen, *seen])

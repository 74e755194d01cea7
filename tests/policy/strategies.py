"""Arbitrary rules, policies and facts for property tests."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hypothesis import strategies as st

from safelight.policy import Action, Facts, Policy, Rule, Verdict

KINDS = ["location", "device", "capture-time"]
PEOPLE = {"kids": ["10.0.0.16/28"], "parents": ["10.0.0.2"]}

_simple = st.fixed_dictionaries(
    {},
    optional={
        "metadata": st.lists(st.sampled_from(KINDS), min_size=1, max_size=2),
        "service": st.fixed_dictionaries(
            {},
            optional={
                "id": st.sampled_from(["a", "b"]),
                "category": st.just("chat"),
                "workspace": st.sampled_from(["ours", "theirs"]),
            },
        ),
        "upload": st.fixed_dictionaries(
            {},
            optional={
                "type": st.sampled_from(["jpeg", "png"]),
                "larger-than": st.just("1 KB"),
                "more-pixels-than": st.just(1000),
                "more-pictures-than": st.just(1),
                "shape": st.just("raw"),
            },
        ),
        "people": st.sampled_from(list(PEOPLE)),
        "time": st.sampled_from(
            [
                {"days": ["mon", "sat"]},
                {"from": "20:30", "to": "07:00"},
                {"days": "sun", "from": "08:00", "to": "12:00", "tz": "Europe/Berlin"},
            ]
        ),
    },
)
whens: st.SearchStrategy[dict[str, Any]] = st.recursive(
    _simple,
    lambda inner: st.one_of(
        st.builds(lambda one: {"not": one}, inner),
        st.builds(lambda some: {"any": some}, st.lists(inner, min_size=1, max_size=2)),
        st.builds(lambda some: {"all": some}, st.lists(inner, min_size=1, max_size=2)),
    ),
    max_leaves=4,
)
exemptions = st.builds(
    lambda number, when, until: {"id": f"e{number}", "when": when, "until": until, "why": "x"},
    st.integers(0, 5),
    whens,
    st.sampled_from(["2026-01-01", "2027-01-01"]),
)


def _rule(values: dict[str, Any]) -> Rule:
    if "strip-metadata" not in values["do"]:
        values = {key: value for key, value in values.items() if key != "keep"}
    # The same id always means the same rule.
    return Rule.model_validate({**values, "id": f"r{abs(hash(repr(values)))}", "because": "why"})


rules = st.fixed_dictionaries(
    {
        "when": whens,
        "do": st.lists(st.sampled_from([str(one) for one in Action]), min_size=1, max_size=3),
    },
    optional={
        "keep": st.just("copyright"),
        "mode": st.sampled_from(["monitor", "enforce"]),
        "locked": st.booleans(),
        "except": st.lists(exemptions, max_size=2, unique_by=lambda one: one["id"]),
    },
).map(_rule)
facts = st.builds(
    Facts,
    service=st.sampled_from(["a", "b", "c"]),
    category=st.sampled_from(["chat", "image"]),
    type=st.sampled_from(["jpeg", "png", "gif"]),
    size=st.none() | st.integers(0, 5000),
    metadata=st.none() | st.frozensets(st.sampled_from(KINDS)),
    workspace=st.sampled_from([None, "ours", "theirs", "(another)"]),
    shape=st.sampled_from([None, "raw", "json"]),
    pixels=st.none() | st.integers(0, 2000),
    count=st.none() | st.integers(1, 3),
    client=st.sampled_from([None, "10.0.0.17", "10.0.0.2", "::ffff:10.0.0.17", "192.0.2.1"]),
    at=st.none() | st.datetimes(datetime(2026, 11, 1), datetime(2026, 11, 30)),  # noqa: DTZ001
    paused=st.booleans(),
)


def policy_of(*some: Rule | dict[str, Any], **more: object) -> Policy:
    return Policy.model_validate(
        {"version": 1, "name": "p", "people": PEOPLE, "rules": some, **more}
    )


verdicts = st.sampled_from([str(one) for one in Verdict])
policies = st.builds(
    lambda some, more: policy_of(*some, **more),
    st.lists(rules, min_size=1, max_size=3, unique_by=lambda one: one.id),
    st.fixed_dictionaries(
        {"name": st.sampled_from(["home", "work", "school"])},
        optional={
            "mode": st.sampled_from(["monitor", "enforce"]),
            "largest-upload": st.sampled_from(["1 MB", "1 GB"]),
            "pass-through": st.lists(st.sampled_from(["a", "b"]), unique=True),
            "unsure": st.fixed_dictionaries(
                {}, optional={"unreadable": verdicts, "engine-error": verdicts}
            ),
        },
    ),
)

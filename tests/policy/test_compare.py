from __future__ import annotations

import pytest

from safelight.policy import About
from safelight.policy import compare as comparing
from safelight.policy.compare import compare
from tests.policy.strategies import policy_of

SERVICES = {"a": About("chat"), "b": About("image")}
CLEAN = {"id": "clean", "do": "strip-metadata", "because": "x"}


def test_what_changes_together_is_told_together() -> None:
    night = {"people": "kids", "time": {"from": "20:30", "to": "07:00"}}
    rule = {"id": "no", "do": "block", "because": "x", "when": night}
    found = compare(policy_of(CLEAN), policy_of(CLEAN, rule), SERVICES)
    [one] = found.differences
    assert (one.before, one.after) == ("allow (strip-metadata)", "block")
    assert one.common == ("from kids (10.0.0.16)", "on Mon at 20:30 or on Mon at 06:59")
    assert one.example == "from kids (10.0.0.16), on Mon at 20:30"
    assert found.tried == found.possible == 12


@pytest.mark.parametrize(
    "when",
    [
        {"service": {"id": "b"}},
        {"service": {"category": "image"}},
        {"service": {"trains-on-uploads": "by-default"}},
        {"service": {"workspace": "ours"}},
        {"not": {"service": {"id": "b", "workspace": "ours"}}},
        {"people": "parents"},
        {"time": {"days": "sun"}},
        {"upload": {"type": "pdf"}},
        {"upload": {"shape": "json"}},
        {"upload": {"larger-than": "5 MB"}},
        {"upload": {"more-pixels-than": 5_000_000}},
        {"upload": {"more-pictures-than": 3}},
        {"metadata": "comment"},
        {"not": {"metadata": "comment"}},
    ],
)
def test_every_condition_is_varied(when: dict[str, object]) -> None:
    rule = {"id": "no", "do": "block", "because": "x", "when": when}
    found = compare(policy_of(CLEAN), policy_of(CLEAN, rule), SERVICES)
    assert len(found.differences) == 1
    assert found.differences[0].common


def test_another_workspace_is_told() -> None:
    before, after = (
        policy_of(
            CLEAN,
            {
                "id": "only",
                "do": "block",
                "because": "x",
                "when": {"not": {"service": {"id": "b", "workspace": workspace}}},
            },
        )
        for workspace in ("ours", "theirs")
    )
    told = {(one.after, one.common) for one in compare(before, after, SERVICES).differences}
    assert told == {
        ("block", ("to b, workspace ours",)),
        ("allow (strip-metadata)", ("to b, workspace theirs",)),
    }


def test_too_many_combinations_are_not_tried_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "MOST_TRIED", 2)
    rule = {"id": "no", "do": "block", "because": "x", "when": {"people": "kids"}}
    found = compare(policy_of(CLEAN), policy_of(CLEAN, rule), SERVICES)
    assert (found.tried, found.possible) == (2, 3)


def test_a_policy_is_like_itself_and_the_other_way_round_is_the_other_way_round() -> None:
    rule = {"id": "no", "do": "block", "because": "x", "when": {"people": "kids"}}
    first, second = policy_of(CLEAN), policy_of(CLEAN, rule)
    assert compare(first, first, SERVICES).differences == ()
    [there], [back] = (
        compare(one, other, SERVICES).differences
        for one, other in ((first, second), (second, first))
    )
    assert (there.before, there.after, there.count) == (back.after, back.before, back.count)

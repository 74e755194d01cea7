"""Why a decision is as it is: who decided, who agreed, who nearly did, what would change it.

What is told comes from the same checks that decide.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from safelight.policy import words
from safelight.policy.decide import applies, bounds, decide, of_rule
from safelight.policy.matching import checks
from safelight.policy.variations import changes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from safelight.policy.decide import Decision
    from safelight.policy.facts import About, Facts
    from safelight.policy.load import LoadedPolicy
    from safelight.policy.model import Policy, Rule


class Part(StrEnum):
    """What a rule has to do with a decision."""

    DECIDED = "decided"
    MATCHED = "matched"
    SHADOW = "shadow"
    EXCEPTED = "excepted"
    NEARLY = "nearly"
    NOT_MATCHED = "not-matched"


@dataclass(frozen=True, slots=True)
class Account:
    """One rule's part in a decision. `does` says what it asks for; `held` and `failed` are its
    checks in words: what was asked for, and what was seen."""

    rule: str
    file: str
    line: int
    part: Part
    does: str
    because: str
    held: tuple[str, ...]
    failed: tuple[str, ...]
    exceptions: tuple[str, ...] = ()
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision, each rule's part in it, and what would have made it another: `changes` are pairs
    of a change and the outcome it leads to. `certain`: nothing that is not known plays a part."""

    decision: Decision
    certain: bool
    accounts: tuple[Account, ...]
    changes: tuple[tuple[str, str], ...]


def explain(loaded: LoadedPolicy, facts: Facts, services: Mapping[str, About]) -> Explanation:
    """Why `loaded` decides as it does about one picture."""
    policy = loaded.policy
    decision = decide(policy, [facts])
    order = list(Part)
    accounts = sorted(
        (_account(rule, facts, loaded, decision) for rule in policy.rules),
        key=lambda one: (order.index(one.part), one.file, one.line),
    )
    mildest, strictest = bounds(policy, [facts])
    return Explanation(
        decision,
        mildest == strictest,
        tuple(accounts),
        (*_changes(policy, facts, decision, services), *_ways(policy, facts, decision)),
    )


def _account(rule: Rule, facts: Facts, loaded: LoadedPolicy, decision: Decision) -> Account:
    policy = loaded.policy
    found = list(checks(rule.when, facts, policy.people))
    failed = tuple(words.check(one) for one in found if one.holds is False)
    applied = applies(rule, facts, policy) is not False
    own = of_rule(rule, facts, policy, applies=applied)
    if own.shadow:
        part = Part.SHADOW
    elif applied:
        part = Part.DECIDED if rule.id in decision.deciding else Part.MATCHED
    elif own.excepted:
        part = Part.EXCEPTED
    else:
        part = Part.NEARLY if len(failed) == 1 else Part.NOT_MATCHED
    file, line = loaded.places[rule.id]
    return Account(
        rule.id,
        file,
        line,
        part,
        ", ".join(rule.do),
        rule.because,
        tuple(words.check(one) for one in found if one.holds is not False),
        failed,
        tuple(
            f"{one.id} until {one.until}: {one.why}"
            for one in rule.except_
            if f"{rule.id}.{one.id}" in own.excepted
        ),
        bool(own.paused),
    )


def _changes(
    policy: Policy, facts: Facts, decision: Decision, services: Mapping[str, About]
) -> Iterator[tuple[str, str]]:
    """Single changes of the facts that lead to another outcome: of each thing one for each."""
    now = words.outcome(decision)
    seen = set()
    for variation, changed in changes(facts, policy, services):
        outcome = words.outcome(decide(policy, [changed]))
        what = variation.changes(facts)
        if outcome != now and (what, outcome) not in seen:
            seen.add((what, outcome))
            yield variation.says, outcome


def _ways(policy: Policy, facts: Facts, decision: Decision) -> Iterator[tuple[str, str]]:
    """What a person can do about a decision that stops an upload."""
    if not decision.verdict.stops:
        return
    deciding = [rule for rule in policy.rules if rule.id in decision.deciding]
    for rule in deciding:
        where = "in its own file" if rule.locked else "in any file"
        yield f"an exception to {rule.id} {where}", "without that rule"
    if not any(rule.locked for rule in deciding) and not facts.paused:
        yield "safelight pause", "nothing is stopped for a while"

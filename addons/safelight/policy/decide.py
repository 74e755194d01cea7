"""Facts about pictures in, a decision out. Pure: the same facts always decide the same.

A rule applies unless it certainly does not: what is not known never opens a way. The strictest
verdict wins and transforms add up, so the order of rules never matters, and another rule never
weakens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from safelight.policy.matching import every, holds, opposite
from safelight.policy.model import Action, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from safelight.policy.facts import Facts
    from safelight.policy.model import Exemption, Kept, Policy, Rule


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict, the transforms to apply, and the rules that say so.

    `kept` is what stays of the metadata because every rule that strips it says so.

    `matched` are the ids of all rules that applied; `deciding` are those that asked for the
    verdict, with their reasons in `because` (empty for allow). `shadow` are those that would have
    applied, did they not only monitor; `excepted` are exceptions that kept a rule from applying
    (RULE.EXCEPTION); `paused` are rules that would have stopped it, were there no pause.
    """

    verdict: Verdict = Verdict.ALLOW
    transforms: frozenset[Action] = frozenset()
    kept: frozenset[Kept] = frozenset()
    matched: frozenset[str] = frozenset()
    deciding: frozenset[str] = frozenset()
    because: frozenset[str] = frozenset()
    shadow: frozenset[str] = frozenset()
    excepted: frozenset[str] = frozenset()
    paused: frozenset[str] = frozenset()

    def and_also(self, other: Decision) -> Decision:
        """Both decisions together: the strictest verdict wins, transforms add up."""
        strictest = max(self.verdict, other.verdict, key=lambda verdict: verdict.severity)
        deciders = [one for one in (self, other) if one.verdict is strictest]
        strippers = [one for one in (self, other) if Action.STRIP_METADATA in one.transforms]
        return Decision(
            strictest,
            self.transforms | other.transforms,
            frozenset.intersection(*(one.kept for one in strippers)) if strippers else frozenset(),
            self.matched | other.matched,
            frozenset().union(*(one.deciding for one in deciders)),
            frozenset().union(*(one.because for one in deciders)),
            self.shadow | other.shadow,
            self.excepted | other.excepted,
            self.paused | other.paused,
        )


def decide(policy: Policy, pictures: Iterable[Facts]) -> Decision:
    """The decision for an upload that holds `pictures`, by a policy that `merge` has made."""
    return bounds(policy, pictures)[1]


def bounds(policy: Policy, pictures: Iterable[Facts]) -> tuple[Decision, Decision]:
    """The mildest and the strictest decision that it can come to with what is not known yet."""
    mildest = strictest = Decision()
    for facts in pictures:
        for rule in policy.rules:
            answer = applies(rule, facts, policy)
            mildest = mildest.and_also(of_rule(rule, facts, policy, applies=answer is True))
            strictest = strictest.and_also(
                of_rule(rule, facts, policy, applies=answer is not False)
            )
    return mildest, strictest


def when_unsure(policy: Policy, doubt: str, reason: str) -> Decision:
    """The decision that the policy's `unsure` clause makes of `doubt`, one of its keys."""
    verdict: Verdict = getattr(policy.unsure, doubt.replace("-", "_"))
    return Decision(verdict, because=frozenset({reason} if verdict is not Verdict.ALLOW else ()))


def applies(rule: Rule, facts: Facts, policy: Policy) -> bool | None:
    """Does `rule` apply to `facts`: does its condition hold, and none of its exceptions?"""
    asked = holds(rule.when, facts, policy.people)
    if asked is False or not rule.except_:
        return asked
    return every([asked, *(opposite(excepts(one, facts, policy)) for one in rule.except_)])


def excepts(exemption: Exemption, facts: Facts, policy: Policy) -> bool | None:
    """Does an exception hold? It does until the end of its last day."""
    in_time = None if facts.at is None else facts.at.date() <= exemption.until
    return every([in_time, holds(exemption.when, facts, policy.people)])


def of_rule(rule: Rule, facts: Facts, policy: Policy, *, applies: bool) -> Decision:
    """What one rule says."""
    if not applies:
        if not rule.except_ or holds(rule.when, facts, policy.people) is False:
            return Decision()
        keeping = (one.id for one in rule.except_ if excepts(one, facts, policy))
        return Decision(excepted=frozenset(f"{rule.id}.{one}" for one in keeping))
    if rule.mode == "monitor":
        return Decision(shadow=frozenset({rule.id}))
    verdict = rule.verdict
    paused = facts.paused and verdict.stops and not rule.locked
    if paused:
        verdict = Verdict.WARN
    decides = verdict is not Verdict.ALLOW
    return Decision(
        verdict,
        rule.transforms,
        frozenset(rule.keep),
        frozenset({rule.id}),
        frozenset({rule.id} if decides else ()),
        frozenset({rule.because} if decides else ()),
        paused=frozenset({rule.id} if paused else ()),
    )

"""Facts about one picture in, a decision out. Pure: the same facts always decide the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from safelight.policy.model import Action, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from safelight.policy.model import Policy, Rule


@dataclass(frozen=True, slots=True)
class Facts:
    """What rules can see. `size` is in bytes, `metadata` holds kinds of findings."""

    service: str
    category: str
    type: str
    size: int
    metadata: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict, the transforms to apply, and the rules that say so.

    `matched` are the ids of all rules that applied; `deciding` are those that asked for the
    verdict, with their reasons in `because` (empty for allow).
    """

    verdict: Verdict = Verdict.ALLOW
    transforms: frozenset[Action] = frozenset()
    matched: frozenset[str] = frozenset()
    deciding: frozenset[str] = frozenset()
    because: frozenset[str] = frozenset()

    def and_also(self, other: Decision) -> Decision:
        """Both decisions together: the strictest verdict wins, transforms add up."""
        strictest = max(self.verdict, other.verdict, key=lambda verdict: verdict.severity)
        deciders = [one for one in (self, other) if one.verdict is strictest]
        return Decision(
            strictest,
            self.transforms | other.transforms,
            self.matched | other.matched,
            frozenset().union(*(one.deciding for one in deciders)),
            frozenset().union(*(one.because for one in deciders)),
        )


def decide(policy: Policy, pictures: Iterable[Facts]) -> Decision:
    """The decision for an upload that holds `pictures`."""
    decision = Decision()
    for facts in pictures:
        for rule in policy.rules:
            if applies(rule, facts):
                decision = decision.and_also(_of_rule(rule))
    return decision


def when_unsure(policy: Policy, doubt: str, reason: str) -> Decision:
    """The decision that the policy's `unsure` clause makes of `doubt`, one of its keys."""
    verdict: Verdict = getattr(policy.unsure, doubt.replace("-", "_"))
    return Decision(verdict, because=frozenset({reason} if verdict is not Verdict.ALLOW else ()))


def applies(rule: Rule, facts: Facts) -> bool:
    """Do all conditions of `rule` hold for `facts`?"""
    service, upload, metadata = rule.when.service, rule.when.upload, rule.when.metadata
    if metadata and facts.metadata.isdisjoint(metadata):
        return False
    if service and not (
        _among(facts.service, service.id) and _among(facts.category, service.category)
    ):
        return False
    if upload is None:
        return True
    return _among(facts.type, upload.type) and facts.size > (upload.larger_than or -1)


def _among(value: str, wanted: tuple[str, ...] | None) -> bool:
    return wanted is None or value in wanted


def _of_rule(rule: Rule) -> Decision:
    verdict = max((action.verdict for action in rule.do), key=lambda verdict: verdict.severity)
    decides = verdict is not Verdict.ALLOW
    return Decision(
        verdict,
        frozenset(action for action in rule.do if action.transforms),
        frozenset({rule.id}),
        frozenset({rule.id} if decides else ()),
        frozenset({rule.because} if decides else ()),
    )

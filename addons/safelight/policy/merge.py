"""Several policies as one: everything that any of them forbids is forbidden.

Their order does not matter, and one that is there twice counts once. Rules and exceptions add up;
of `unsure` the strictest counts, of `largest-upload` the smallest; what passes without a look is
what all of them let pass.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from safelight.policy.model import Exemption, Policy, Rule, Unsure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from safelight.documents import Location

# Audit records name the policy.
LONGEST_NAME = 120


class ConflictError(Exception):
    """Policies that say different things of the same name. Where stands in `conflicts`."""


def merge(policies: Sequence[Policy]) -> Policy:
    """One policy that means what all `policies` (at least one) mean together; its rules say
    themselves whether they only monitor, and hold their exceptions. Raises ConflictError."""
    if any(True for _ in conflicts(policies)):
        raise ConflictError
    rules: dict[str, Rule] = {}
    exemptions: defaultdict[str, dict[str, Exemption]] = defaultdict(dict)
    for policy in policies:
        for rule in policy.rules:
            before = rules.setdefault(rule.id, _settled(rule, policy))
            if before.mode == "monitor":  # it is enforced as soon as one file enforces it
                rules[rule.id] = _settled(rule, policy)
        for of, exemption in _exemptions(policy):
            exemptions[of][exemption.id] = exemption
    people = {name: some for policy in policies for name, some in policy.people.items()}
    names = {name for policy in policies for name in policy.name.split(".")}
    through = set.intersection(*(set(policy.pass_through) for policy in policies))
    return policies[0].model_copy(
        update={
            "name": ".".join(sorted(names))[:LONGEST_NAME],
            "mode": "enforce",
            "largest_upload": min(policy.largest_upload for policy in policies),
            "unsure": _strictest([policy.unsure for policy in policies]),
            "pass_through": tuple(sorted(through)),
            "people": {name: tuple(sorted(people[name])) for name in sorted(people)},
            "rules": tuple(
                rules[id_].model_copy(
                    update={"except_": tuple(one for _, one in sorted(exemptions[id_].items()))}
                )
                for id_ in sorted(rules)
            ),
            "exceptions": (),
            "tests": (),
        }
    )


def conflicts(policies: Sequence[Policy]) -> Iterator[tuple[int, Location, str]]:
    """What keeps `policies` from being one: the number of the policy, where in it, and why."""
    people: dict[str, frozenset[str]] = {}
    rules: dict[str, tuple[int, Rule]] = {}
    exemptions: dict[tuple[str, str], Exemption] = {}
    for number, policy in enumerate(policies):
        for name, networks in policy.people.items():
            if people.setdefault(name, frozenset(networks)) != frozenset(networks):
                message = f"another policy has other members for `{name}`"
                yield number, ("people", name), message
        for index, rule in enumerate(policy.rules):
            settled = _settled(rule, policy)
            _, other = rules.setdefault(rule.id, (number, settled))
            if other.model_copy(update={"mode": settled.mode}) != settled:
                message = f"another policy has a rule `{rule.id}` that says something else"
                yield number, ("rules", index, "id"), message
        for of, exemption in _exemptions(policy):
            if exemptions.setdefault((of, exemption.id), exemption) != exemption:
                message = f"another policy has an exception `{exemption.id}` that is different"
                yield number, _place(policy, of, exemption.id), message
    yield from _broken_locks(policies, rules)


def _broken_locks(
    policies: Sequence[Policy], rules: dict[str, tuple[int, Rule]]
) -> Iterator[tuple[int, Location, str]]:
    """Exceptions to locked rules that are not in every file in which the rule is."""
    for number, policy in enumerate(policies):
        for of, exemption in _exemptions(policy):
            if of not in rules or not rules[of][1].locked:
                continue
            at_home = all(
                (of, exemption) in set(_exemptions(other))
                for other in policies
                if any(rule.id == of for rule in other.rules)
            )
            if not at_home:
                message = f"the rule `{of}` is locked: no other policy may make an exception to it"
                yield number, _place(policy, of, exemption.id), message


def _settled(rule: Rule, policy: Policy) -> Rule:
    """A rule without its exceptions, which says itself whether it only monitors."""
    mode = "monitor" if policy.mode == "monitor" else rule.mode
    return rule.model_copy(update={"mode": mode, "except_": ()})


def _exemptions(policy: Policy) -> Iterator[tuple[str, Exemption]]:
    """Every exception that counts, and the id of the rule it is to. A file that only monitors
    weakens no other one's rules."""
    for rule in policy.rules:
        for exemption in rule.except_:
            yield rule.id, exemption
    for elsewhere in policy.exceptions if policy.mode == "enforce" else ():
        values = {name: getattr(elsewhere, name) for name in Exemption.model_fields}
        yield elsewhere.rule, Exemption.model_construct(**values)


def _place(policy: Policy, rule_id: str, exemption_id: str) -> Location:
    for index, rule in enumerate(policy.rules):
        for at, exemption in enumerate(rule.except_):
            if (rule.id, exemption.id) == (rule_id, exemption_id):
                return ("rules", index, "except", at, "id")
    ids = [(one.rule, one.id) for one in policy.exceptions]
    return ("exceptions", ids.index((rule_id, exemption_id)), "id")


def _strictest(several: Iterable[Unsure]) -> Unsure:
    several = tuple(several)
    return Unsure(
        **{
            name: max((getattr(one, name) for one in several), key=lambda one: one.severity)
            for name in Unsure.model_fields
        }
    )

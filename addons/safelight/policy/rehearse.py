"""The tests that stand in a policy file and beside it: given these facts, this is expected."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from safelight.policy.conditions import IDENTITIES
from safelight.policy.decide import decide
from safelight.policy.variations import ORDINARY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from safelight.policy.facts import About, Facts
    from safelight.policy.model import Given, Policy, Test


def failures(test: Test, policy: Policy, services: Mapping[str, About]) -> Iterator[str]:
    """What comes out otherwise than `test` expects, in words."""
    decision = decide(policy, [facts_of(test.given, policy, services)])
    expect = test.expect
    if expect.verdict not in {None, decision.verdict}:
        by = f" by {', '.join(sorted(decision.deciding))}" if decision.deciding else ""
        yield f"the verdict is {decision.verdict}{by}, not {expect.verdict}"
    for what, expected, found in (
        ("transforms", expect.transforms, decision.transforms),
        ("kept", expect.kept, decision.kept),
        ("by", expect.by, decision.deciding),
        ("matched", expect.matched, decision.matched),
        ("shadow", expect.shadow, decision.shadow),
        ("excepted", expect.excepted, decision.excepted),
    ):
        if expected is not None and frozenset(expected) != found:
            yield f"{what}: {_listed(found)}, not {_listed(expected)}"


def facts_of(given: Given, policy: Policy, services: Mapping[str, About]) -> Facts:
    """The facts that a test, or a person, gives; what they leave out is ordinary."""
    facts = replace(
        ORDINARY,
        shape=given.shape,
        type=given.type,
        size=given.size,
        pixels=given.pixels,
        count=given.pictures,
        metadata=frozenset(given.metadata or ()),
        paused=given.paused,
        workspace=given.workspace,
    )
    if given.service is not None:
        about = services[given.service]
        facts = replace(facts, service=given.service, category=about.category, trains=about.trains)
    if given.people is not None:
        facts = _from(facts, policy.people[given.people][0])
    if given.from_ is not None:
        facts = _from(facts, given.from_)
    if given.at is not None:
        facts = replace(facts, at=datetime.fromisoformat(given.at))
    return facts


def _from(facts: Facts, member: str) -> Facts:
    """`facts` of an upload by a member of a group."""
    if member.startswith(IDENTITIES):
        return replace(facts, identity=member)
    return replace(facts, client=str(ipaddress.ip_network(member)[0]))


def _listed(values: object) -> str:
    return ", ".join(sorted(map(str, values))) or "none"  # type: ignore[call-overload]

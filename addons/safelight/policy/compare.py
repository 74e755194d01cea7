"""For which facts do two policies decide differently?

Tried are all combinations of what the two ask about. Those that change in the same way are told
together, by what they have in common.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from safelight.policy import words
from safelight.policy.decide import decide
from safelight.policy.variations import dimensions, grid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from safelight.policy.facts import About
    from safelight.policy.model import Policy
    from safelight.policy.variations import Variation

MOST_TRIED = 20_000


@dataclass(frozen=True, slots=True)
class Difference:
    """Facts of which one policy makes `before` and the other `after`: how many of those tried, what
    all of them have in common (each in words), and one of them."""

    before: str
    after: str
    count: int
    common: tuple[str, ...]
    example: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """All differences, and how many of how many combinations were tried."""

    differences: tuple[Difference, ...]
    tried: int
    possible: int


def compare(before: Policy, after: Policy, services: Mapping[str, About]) -> Comparison:
    """Where `after` decides differently than `before`."""
    values = dimensions([before, after], services)
    groups: defaultdict[tuple[str, str], list[tuple[Variation, ...]]] = defaultdict(list)
    possible = tried = 1
    for some in values:
        possible *= len(some)
    tried = min(possible, MOST_TRIED)
    for combination, facts in itertools.islice(grid(values), tried):
        was, is_ = (words.outcome(decide(one, [facts])) for one in (before, after))
        if was != is_:
            groups[was, is_].append(combination)
    found = (
        Difference(was, is_, len(some), _common(values, some), _said(some[0]))
        for (was, is_), some in groups.items()
    )
    return Comparison(tuple(sorted(found, key=lambda one: -one.count)), tried, possible)


def _common(
    values: Sequence[Sequence[Variation]], some: Sequence[Sequence[Variation]]
) -> tuple[str, ...]:
    """What holds for all of `some`: of each thing that matters, the values it has in them."""
    told = []
    for every, seen in zip(values, zip(*some, strict=True), strict=True):
        there = [one for one in every if one in seen]
        if len(there) < len(every):
            told.append(" or ".join(one.says for one in there))
    return tuple(told)


def _said(combination: Sequence[Variation]) -> str:
    return ", ".join(one.says for one in combination)

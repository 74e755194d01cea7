"""Facts worth trying: what policies ask about, and one ordinary value of what they do not.

`diff` tries all of them together, `explain` changes one thing at a time.
"""

from __future__ import annotations

import ipaddress
import itertools
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from safelight.policy.conditions import DAYS, IDENTITIES
from safelight.policy.facts import ANOTHER, About, Facts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from safelight.policy.conditions import TimeMatch, When
    from safelight.policy.model import Policy

# A Monday, without a time zone: whatever zone a rule asks for.
NOON = datetime(2026, 11, 23, 12)  # noqa: DTZ001
NOBODY = "192.0.2.1"  # an address that is kept for examples (RFC 5737)
ORDINARY = Facts(
    "another-service",
    "chat",
    "jpeg",
    1_000_000,
    shape="raw",
    pixels=1_000_000,
    count=1,
    client=NOBODY,
    identity="",
    at=NOON,
)


@dataclass(frozen=True, slots=True)
class Variation:
    """One value of one thing: how it is said, and the facts that it sets."""

    says: str
    sets: tuple[tuple[str, object], ...]

    def of(self, facts: Facts) -> Facts:
        """`facts` with this changed."""
        values = {field.name: getattr(facts, field.name) for field in fields(facts)}
        return Facts(**(values | dict(self.sets)))

    def holds(self, facts: Facts) -> bool:
        """Is this how `facts` are already?"""
        return all(getattr(facts, name) == value for name, value in self.sets)

    def changes(self, facts: Facts) -> frozenset[str]:
        """What it is about. Another workspace of the same service is a thing of its own."""
        different = {name for name, value in self.sets if getattr(facts, name) != value}
        return frozenset(
            different if different == {"workspace"} else (name for name, _ in self.sets)
        )


def dimensions(
    policies: Sequence[Policy], services: Mapping[str, About]
) -> list[tuple[Variation, ...]]:
    """For each thing that `policies` ask about, its values; the first is the ordinary one."""
    whens = [when for policy in policies for when in policy.conditions()]
    found = [
        tuple(dict.fromkeys(values))
        for values in (
            list(_services(whens, services)),
            list(_clients(policies)),
            list(_times(whens)),
            list(_uploads(whens)),
            list(_sizes(whens)),
            list(_metadata(whens)),
        )
    ]
    return [values for values in found if len(values) > 1]


def grid(
    dimensions: Sequence[Sequence[Variation]],
) -> Iterator[tuple[tuple[Variation, ...], Facts]]:
    """Every combination, ordinary ones first."""
    for combination in itertools.product(*dimensions):
        facts = ORDINARY
        for one in combination:
            facts = one.of(facts)
        yield combination, facts


def _services(whens: list[When], services: Mapping[str, About]) -> Iterator[Variation]:
    asked = [when.service for when in whens if when.service]
    yield _another("any other service", ORDINARY.category, ORDINARY.trains)
    for match in asked:
        for workspace in (*(match.workspace or ()), *([ANOTHER] if match.workspace else ())):
            for service in match.id or (ORDINARY.service,):
                yield _in_workspace(service, workspace, services)
        for id_ in match.id or ():
            yield _service(id_, services)
        for category in match.category or ():
            yield _another(f"another {category} service", category, ORDINARY.trains)
        for trains in match.trains_on_uploads or ():
            says = f"another service that trains {trains}"
            yield _another(says, ORDINARY.category, trains)


def _service(id_: str, services: Mapping[str, About]) -> Variation:
    about = services[id_]
    return _to(f"to {id_}", id_, about.category, about.trains, None)


def _in_workspace(id_: str, workspace: str, services: Mapping[str, About]) -> Variation:
    about = services.get(id_, About(ORDINARY.category, ORDINARY.trains))
    named = id_ if id_ in services else "any other service"
    where = "another workspace" if workspace == ANOTHER else f"workspace {workspace}"
    return _to(f"to {named}, {where}", id_, about.category, about.trains, workspace)


def _another(says: str, category: str, trains: str) -> Variation:
    return _to(f"to {says}", ORDINARY.service, category, trains, None)


def _to(says: str, service: str, category: str, trains: str, workspace: str | None) -> Variation:
    sets = (
        ("service", service),
        ("category", category),
        ("trains", trains),
        ("workspace", workspace),
    )
    return Variation(says, sets)


def _clients(policies: Sequence[Policy]) -> Iterator[Variation]:
    yield Variation("from anybody else", (("client", NOBODY),))
    for policy in policies:
        for name, networks in policy.people.items():
            for network in networks:
                if network.startswith(IDENTITIES):
                    yield Variation(f"from {name} ({network})", (("identity", network),))
                    continue
                first = str(ipaddress.ip_network(network)[0])
                yield Variation(f"from {name} ({first})", (("client", first),))


def _times(whens: list[When]) -> Iterator[Variation]:
    yield _moment(NOON)
    for match in (when.time for when in whens if when.time):
        # A day that is named and one that is not, unless all are.
        named = match.days or DAYS
        days = [named[0], *[day for day in DAYS if day not in named][:1]]
        for day, clock in itertools.product(days, _clocks(match)):
            yield _moment(_on(day, clock))


def _clocks(match: TimeMatch) -> tuple[str, ...]:
    # The first minute of the span, the last one, and the first one after it.
    if match.from_ is None or match.to is None:
        return ("12:00",)
    end = datetime.fromisoformat(f"2026-11-23T{match.to}")
    return (match.from_, (end - timedelta(minutes=1)).strftime("%H:%M"), match.to)


def _on(day: str, clock: str) -> datetime:
    number = list(DAYS).index(day)  # type: ignore[arg-type]
    return datetime.fromisoformat(f"2026-11-{23 + number}T{clock}")


def _moment(at: datetime) -> Variation:
    return Variation(at.strftime("on %a at %H:%M"), (("at", at),))


def _uploads(whens: list[When]) -> Iterator[Variation]:
    """Shapes and types, which are asked for together least of all."""
    yield Variation("a JPEG", (("type", "jpeg"), ("shape", "raw")))
    for match in (when.upload for when in whens if when.upload):
        for type_ in match.type or ():
            yield Variation(f"a {type_.upper()}", (("type", type_), ("shape", "raw")))
        for shape in match.shape or ():
            yield Variation(f"in {shape}", (("type", "jpeg"), ("shape", shape)))


def _sizes(whens: list[When]) -> Iterator[Variation]:
    ordinary = (("size", 1_000_000), ("pixels", 1_000_000), ("count", 1))
    yield Variation("of ordinary size", ordinary)
    for match in (when.upload for when in whens if when.upload):
        for name, least, what in (
            ("size", match.larger_than, "bytes"),
            ("pixels", match.more_pixels_than, "pixels"),
            ("count", match.more_pictures_than, "pictures"),
        ):
            if least is not None:
                # On both sides of the edge.
                for number in (least + 1, max(least, 1)):
                    sets = tuple((dict(ordinary) | {name: number}).items())
                    yield Variation(f"of {number} {what}", sets)


def _metadata(whens: list[When]) -> Iterator[Variation]:
    kinds = sorted({kind for when in whens for kind in when.metadata or ()})
    yield Variation("without metadata", (("metadata", frozenset()),))
    for kind in kinds:
        yield Variation(f"with {kind}", (("metadata", frozenset({kind})),))
    if len(kinds) > 1:
        yield Variation(f"with {' and '.join(kinds)}", (("metadata", frozenset(kinds)),))


def changes(
    facts: Facts, policy: Policy, services: Mapping[str, About]
) -> Iterator[tuple[Variation, Facts]]:
    """`facts` with one thing changed, for each thing that the policy asks about."""
    for values in dimensions([policy], services):
        for one in values:
            if not one.holds(facts):
                changed = one.of(facts)
                # A clock time stays in the zone of the facts' own clock.
                if facts.at is not None and changed.at is not None and changed.at != facts.at:
                    changed = replace(changed, at=changed.at.replace(tzinfo=facts.at.tzinfo))
                yield one, changed

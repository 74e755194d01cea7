"""Does a condition hold? With what is not known there are three answers: yes, no, and None.

Each condition comes apart into checks, which `explain` shows: what decides is what is told.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from safelight.policy.conditions import DAYS, IDENTITIES, USER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from safelight.policy.conditions import ServiceMatch, TimeMatch, UploadMatch, When
    from safelight.policy.facts import Facts

    type People = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Check:
    """One question of a condition: what is asked for, what was seen, and whether that holds.

    `parts` are the checks of each condition inside, of `any`, `all` and `not`.
    """

    what: str
    wanted: object
    seen: object
    holds: bool | None
    parts: tuple[tuple[Check, ...], ...] = ()


def every(answers: Iterable[bool | None]) -> bool | None:
    """Do all hold? A single no settles it."""
    known = set(answers)
    return False if False in known else None if None in known else True


def opposite(answer: bool | None) -> bool | None:  # noqa: FBT001 - a value, no switch
    """What `not` makes of an answer."""
    return None if answer is None else not answer


def holds(when: When, facts: Facts, people: People) -> bool | None:
    """Does all of `when` hold? `people` says which addresses each group has."""
    return every(check.holds for check in checks(when, facts, people))


def checks(when: When, facts: Facts, people: People) -> Iterator[Check]:
    """All that `when` asks."""
    if when.service:
        yield from _of_service(when.service, facts)
    if when.people:
        found = (
            groups(people, facts.client, facts.identity) if facts.people is None else facts.people
        )
        yield Check("people", when.people, found, _shared(found, when.people))
    if when.time:
        at = _on_the_clock_of(when.time, facts.at)
        yield Check("time", when.time, at, _in_time(when.time, at))
    if when.upload:
        yield from _of_upload(when.upload, facts)
    if when.metadata:
        yield Check(
            "metadata", when.metadata, facts.metadata, _shared(facts.metadata, when.metadata)
        )
    for what, inner in (("any", when.any_), ("all", when.all_)):
        if inner:
            parts = tuple(tuple(checks(one, facts, people)) for one in inner)
            answers = [every(check.holds for check in part) for part in parts]
            one_holds = opposite(every(map(opposite, answers)))
            yield Check(what, None, None, one_holds if what == "any" else every(answers), parts)
    if when.not_ is not None:
        part = tuple(checks(when.not_, facts, people))
        yield Check("not", None, None, opposite(every(one.holds for one in part)), (part,))


def groups(people: People, client: str | None, identity: str | None) -> frozenset[str] | None:
    """The groups that an address is in, or who is known by an identity such as `user:anna`; None
    where nobody was asked who it is and that matters."""
    named = any(one.startswith(USER) for members in people.values() for one in members)
    if client is None or (named and identity is None):
        return None
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return None
    # Over IPv6 sockets an IPv4 address comes as ::ffff:192.0.2.1.
    address = getattr(address, "ipv4_mapped", None) or address
    return frozenset(
        name
        for name, members in people.items()
        if any(_is(member, address, identity) for member in members)
    )


def _is(
    member: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address, identity: str | None
) -> bool:
    if member.startswith(IDENTITIES):
        return member == identity
    return address in _network(member)


@lru_cache(maxsize=4096)
def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_network(text)


def _of_service(match: ServiceMatch, facts: Facts) -> Iterator[Check]:
    for what, wanted, seen in (
        ("service.id", match.id, facts.service),
        ("service.category", match.category, facts.category),
        ("service.trains-on-uploads", match.trains_on_uploads, facts.trains),
    ):
        if wanted is not None:
            yield Check(what, wanted, seen, seen in wanted)
    if match.workspace is not None:
        yield Check(
            "service.workspace",
            match.workspace,
            facts.workspace,
            None if facts.workspace is None else facts.workspace in match.workspace,
        )


def _of_upload(match: UploadMatch, facts: Facts) -> Iterator[Check]:
    for what, names, name in (
        ("upload.shape", match.shape, facts.shape),
        ("upload.type", match.type, facts.type),
    ):
        if names is not None:
            yield Check(what, names, name, None if name is None else name in names)
    for what, least, number in (
        ("upload.larger-than", match.larger_than, facts.size),
        ("upload.more-pixels-than", match.more_pixels_than, facts.pixels),
        ("upload.more-pictures-than", match.more_pictures_than, facts.count),
    ):
        if least is not None:
            yield Check(what, least, number, None if number is None else number > least)


def _shared(seen: frozenset[str] | None, wanted: Iterable[str]) -> bool | None:
    return None if seen is None else not seen.isdisjoint(wanted)


def _on_the_clock_of(match: TimeMatch, at: datetime | None) -> datetime | None:
    if at is None or at.tzinfo is None or match.tz is None:
        return at
    return at.astimezone(ZoneInfo(match.tz))


def _in_time(match: TimeMatch, at: datetime | None) -> bool | None:
    if at is None:
        return None
    clock = at.strftime("%H:%M")
    began = at
    if match.from_ is not None and match.to is not None:
        if match.from_ < match.to:
            if not match.from_ <= clock < match.to:
                return False
        elif clock < match.to:
            began = at - timedelta(days=1)
        elif clock < match.from_:
            return False
    return match.days is None or DAYS[began.weekday()] in match.days

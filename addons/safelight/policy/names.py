"""Names that a policy file gives and uses: a rule for something that is not there never applies,
which is a mistake.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from safelight import documents

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from safelight.documents import Document, Location, Problem
    from safelight.policy.conditions import When
    from safelight.policy.facts import About
    from safelight.policy.model import Policy, Test, TestFile


def problems(
    document: Document[Policy], services: Mapping[str, About], rules: frozenset[str]
) -> Iterator[Problem]:
    """Names in a policy that nothing has, and names that two things have. `services` are those of
    the catalogue, `rules` the ids of all rules that are read together."""
    policy = document.value
    for number, service in enumerate(policy.pass_through):
        yield from _unknown(
            document, ("pass-through", number), "service has the id", service, services
        )
    ids: set[str] = set()
    for number, rule in enumerate(policy.rules):
        where: Location = ("rules", number)
        if rule.id in ids:
            yield document.problem((*where, "id"), f"two rules have the id `{rule.id}`")
        ids.add(rule.id)
        yield from _of_when(document, rule.when, (*where, "when"), services)
        own: set[str] = set()
        for at, exemption in enumerate(rule.except_):
            inside: Location = (*where, "except", at)
            if exemption.id in own:
                message = f"two exceptions to this rule have the id `{exemption.id}`"
                yield document.problem((*inside, "id"), message)
            own.add(exemption.id)
            yield from _of_when(document, exemption.when, (*inside, "when"), services)
    for at, elsewhere in enumerate(policy.exceptions):
        inside = ("exceptions", at)
        yield from _unknown(document, (*inside, "rule"), "rule has the id", elsewhere.rule, rules)
        yield from _of_when(document, elsewhere.when, (*inside, "when"), services)


def _of_when(
    document: Document[Policy], when: When, where: Location, services: Mapping[str, About]
) -> Iterator[Problem]:
    match = when.service
    if match is not None:
        categories = {about.category for about in services.values()}
        for key, values, known in (
            ("id", match.id, services),
            ("category", match.category, categories),
        ):
            for value in values or ():
                inside = (*where, "service", key)
                yield from _unknown(document, inside, f"service has the {key}", value, known)
        for service in (match.id or ()) if match.workspace else ():
            if service in services and not services[service].says_workspace:
                message = f"no request to `{service}` is known to say which workspace it is for"
                yield document.problem((*where, "service", "workspace"), message)
    for value in when.people or ():
        known_people = document.value.people
        inside = (*where, "people")
        yield from _unknown(
            document, inside, "group under `people` has the name", value, known_people
        )
    for key, several in (("any", when.any_), ("all", when.all_)):
        for number, one in enumerate(several or ()):
            yield from _of_when(document, one, (*where, key, number), services)
    if when.not_ is not None:
        yield from _of_when(document, when.not_, (*where, "not"), services)


def of_test(
    document: Document[Policy] | Document[TestFile],
    test: Test,
    where: Location,
    policy: Policy,
    services: Mapping[str, About],
) -> Iterator[Problem]:
    """The same in a test of `policy`, which stands at `where`."""
    given, rules = test.given, {rule.id for rule in policy.rules}
    inside: Location = (*where, "given")
    if given.service is not None:
        yield from _unknown(
            document, (*inside, "service"), "service has the id", given.service, services
        )
    if given.people is not None:
        message = "group under `people` has the name"
        yield from _unknown(document, (*inside, "people"), message, given.people, policy.people)
    if given.from_ is not None and given.people is not None:
        yield document.problem(inside, "`from` and `people` both say from where it comes")
    for key, ids in (
        ("by", test.expect.by),
        ("matched", test.expect.matched),
        ("shadow", test.expect.shadow),
    ):
        for value in ids or ():
            yield from _unknown(document, (*where, "expect", key), "rule has the id", value, rules)


def _unknown(
    document: Document[Policy] | Document[TestFile],
    where: Location,
    what: str,
    value: str,
    known: Mapping[str, object] | set[str] | frozenset[str],
) -> Iterator[Problem]:
    if value not in known:
        hint = documents.did_you_mean(value, known)
        yield document.problem(where, f"no {what} `{value}`{hint}")

"""Read a policy file. Checking it and running it use this one function."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from safelight import documents
from safelight.policy.model import Policy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class LoadedPolicy:
    """A policy and its revision: a hash of what it says, whatever its comments and spacing."""

    policy: Policy
    revision: str


def load(path: Path, services: frozenset[str], categories: frozenset[str]) -> LoadedPolicy:
    """Read the policy at `path`. Raises documents.DocumentError with every problem in it.

    `services` and `categories` are the names the catalogue knows: a rule that names another
    one would never match, which is a mistake.
    """
    document = documents.read_file(path, Policy)
    problems = list(_problems(document, services, categories))
    if problems:
        raise documents.DocumentError(problems)
    revision = hashlib.sha256(document.value.model_dump_json().encode()).hexdigest()
    return LoadedPolicy(document.value, revision[:12])


def _problems(
    document: documents.Document[Policy], services: frozenset[str], categories: frozenset[str]
) -> Iterator[documents.Problem]:
    for number, service in enumerate(document.value.pass_through):
        if service not in services:
            hint = documents.did_you_mean(service, services)
            message = f"no service has the id `{service}`{hint}"
            yield document.problem(("pass_through", number), message)
    first: dict[str, int] = {}
    for number, rule in enumerate(document.value.rules):
        where = ("rules", number)
        if rule.id in first:
            yield document.problem((*where, "id"), f"two rules have the id `{rule.id}`")
        first.setdefault(rule.id, number)
        match = rule.when.service
        if match is None:
            continue
        for key, values, known in (
            ("id", match.id, services),
            ("category", match.category, categories),
        ):
            for value in values or ():
                if value not in known:
                    location = (*where, "when", "service", key)
                    hint = documents.did_you_mean(value, known)
                    yield document.problem(location, f"no service has the {key} `{value}`{hint}")

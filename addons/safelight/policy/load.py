"""Read policy files. Checking them, starting with them and reloading them use this one function."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from safelight import documents
from safelight.policy import names
from safelight.policy.merge import conflicts, merge
from safelight.policy.model import Policy, Test, TestFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from safelight.documents import Document, Location, Problem
    from safelight.policy.facts import About


@dataclass(frozen=True, slots=True)
class LoadedPolicy:
    """A policy and its revision: a hash of what it says, whatever its comments, spacing and order.

    `places` says for each rule in which file and line it stands.
    """

    policy: Policy
    revision: str
    places: Mapping[str, tuple[str, int]] = field(default_factory=dict)


def files(paths: Sequence[Path]) -> list[Path]:
    """The policy files at `paths`: each file itself, and of each folder every `*.yaml` that holds
    no tests. A folder without any stays in the list, as it cannot be read."""
    found: list[Path] = []
    for path in paths:
        inside = [one for one in path.glob("*.yaml") if not one.stem.endswith("_test")]
        found += sorted(inside) or [path]
    return found


def load(paths: Sequence[Path], services: Mapping[str, About]) -> LoadedPolicy:
    """Read the policies at `paths` (at least one; a folder is all in it) and make one of them.
    Raises documents.DocumentError with every problem in them.

    `services` are those the catalogue knows, by their ids: a rule that names another one would
    never match, which is a mistake.
    """
    read: list[Document[Policy]] = []
    problems: list[Problem] = []
    for path in files(paths):
        try:
            read.append(documents.read_file(path, Policy))
        except documents.DocumentError as error:
            problems += error.problems
    rules = frozenset(rule.id for document in read for rule in document.value.rules)
    for document in read:
        problems += names.problems(document, services, rules)
    if not problems:
        found = conflicts([document.value for document in read])
        problems += (read[number].problem(where, message) for number, where, message in found)
    if problems:
        raise documents.DocumentError(set(problems))
    policy = merge([document.value for document in read])
    revision = hashlib.sha256(policy.model_dump_json().encode()).hexdigest()
    places = {
        rule.id: (document.file, document.position(("rules", number))[0])
        for document in reversed(read)
        for number, rule in enumerate(document.value.rules)
    }
    return LoadedPolicy(policy, revision[:12], places)


def load_tests(path: Path, services: Mapping[str, About]) -> list[tuple[str, Test]]:
    """The tests in the policy file at `path` and in NAME_test.yaml beside it, each with its
    file:line. Raises documents.DocumentError."""
    policy = documents.read_file(path, Policy)
    found: list[tuple[str, Test]] = []
    problems: list[Problem] = []
    sources: list[Document[Policy] | Document[TestFile]] = [policy]
    beside = path.with_name(f"{path.stem}_test.yaml")
    if beside.exists():
        sources.append(documents.read_file(beside, TestFile))
    for document in sources:
        for number, test in enumerate(document.value.tests):
            where: Location = ("tests", number)
            problems += names.of_test(document, test, where, policy.value, services)
            found.append((f"{document.file}:{document.position(where)[0]}", test))
    if problems:
        raise documents.DocumentError(problems)
    return found


def expired(path: Path, today: date) -> list[Problem]:
    """Exceptions in the policy at `path` whose last day is over. Raises documents.DocumentError."""
    document = documents.read_file(path, Policy)
    found = []
    for where, exemption in _exemptions(document.value):
        if exemption[1] < today:
            message = f"the exception `{exemption[0]}` ended on {exemption[1]} and has no effect"
            found.append(document.problem((*where, "until"), message))
    return found


def _exemptions(policy: Policy) -> Iterator[tuple[Location, tuple[str, date]]]:
    for number, rule in enumerate(policy.rules):
        for at, one in enumerate(rule.except_):
            yield ("rules", number, "except", at), (one.id, one.until)
    for at, one in enumerate(policy.exceptions):
        yield ("exceptions", at), (one.id, one.until)

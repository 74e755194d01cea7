"""The policies that come with Safelight: they load, their tests pass, editors know their keys."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING

import pytest
import yaml

from safelight import assembly, paths
from safelight.policy import schema
from safelight.policy.conditions import When
from safelight.policy.decide import decide
from safelight.policy.load import expired, load_tests
from safelight.policy.model import Policy, Rule
from safelight.policy.rehearse import facts_of, failures

if TYPE_CHECKING:
    from pathlib import Path

FILES = [paths.policies() / f"{name}.yaml" for name in ("home", "family", "corporate")]
CATALOGUE = assembly.load_catalogue()
SERVICES = assembly.about(CATALOGUE)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_their_tests_pass_and_reach_every_rule(file: Path) -> None:
    policy = assembly.load_policy([file], CATALOGUE).policy
    tests = load_tests(file, SERVICES)
    told = [f"{where}: {text}" for where, one in tests for text in failures(one, policy, SERVICES)]
    assert told == []
    reached: set[str] = set()
    for _, one in tests:
        decision = decide(policy, [facts_of(one.given, policy, SERVICES)])
        reached |= decision.matched | decision.shadow
    assert reached == {rule.id for rule in policy.rules}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_they_point_editors_to_the_schema(file: Path) -> None:
    first, _ = file.read_text().split("\n", 1)
    assert first == "# yaml-language-server: $schema=policy.schema.json"


def test_they_go_together() -> None:
    several = assembly.load_policy([FILES[1], *FILES], CATALOGUE).policy
    assert several.name == "corporate.family.home"


def test_the_schema_is_the_committed_one() -> None:
    assert (paths.policies() / "policy.schema.json").read_text() == schema.text()


def test_the_schema_knows_every_key_and_that_one_may_stand_without_a_list() -> None:
    document = json.loads(schema.text())
    definitions = document["$defs"]
    assert {"any", "all", "not", "people", "time"} <= set(definitions["When"]["properties"])
    for model in (Policy, Rule, When):
        names = {field.alias for field in model.model_fields.values()}
        shown = document if model is Policy else definitions[model.__name__]
        assert set(shown["properties"]) == names
        assert shown["additionalProperties"] is False
    name = definitions["Rule"]["properties"]["do"]["$ref"].rpartition("/")[2]
    single, several = definitions[name]["anyOf"]
    assert several["items"] == single
    assert definitions["Unsure"]["properties"]["engine-error"]["default"] == "block"


def test_nothing_in_them_reads_otherwise_for_older_yaml() -> None:
    """Editors and other programs may still follow YAML 1.1, where 20:30 is a number."""
    for file in FILES:
        for key in ("from", "to"):
            for line in file.read_text().splitlines():
                if line.strip().startswith(f"{key}: "):
                    assert isinstance(yaml.safe_load(line.strip())[key], str), line


def test_exceptions_say_when_they_are_over() -> None:
    assert expired(FILES[1], date(2027, 6, 30)) == []
    [problem] = expired(FILES[1], date(2027, 7, 1))
    assert "school-project" in str(problem)

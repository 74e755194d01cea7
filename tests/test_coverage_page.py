"""docs/coverage.md is current, and names tests and roads that exist."""

from __future__ import annotations

import re
from pathlib import Path

from safelight import paths
from safelight.services import Catalogue
from tests import coverage_page
from tests.proxy import test_roads

ROOT = Path(__file__).parents[1]


def test_the_page_is_current() -> None:
    assert coverage_page.PAGE.read_text() == coverage_page.text(), "run `make docs`"


def test_the_tests_it_names_are_there() -> None:
    named = set(re.findall(r"(tests/[\w/]+\.py)::(\w+)(?:\[([^\]]*)\])?", coverage_page.text()))
    assert named
    for path, function, parameter in named:
        assert f"def {function}(" in (ROOT / path).read_text()
        if function == "test_roads":
            assert parameter in test_roads.ROADS


def test_the_roads_it_names_are_there() -> None:
    services = Catalogue.load(paths.catalogue()).services
    for service, road in coverage_page.CLIENTS:
        assert road in {one.id for one in services[service].roads}

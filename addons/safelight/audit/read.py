"""Read the audit file back, line by line."""

from __future__ import annotations

import functools
import operator
from typing import TYPE_CHECKING, Annotated, Any, get_args

from pydantic import Field, TypeAdapter, ValidationError

from safelight.audit import segments
from safelight.audit.record import Bookkeeping, Decision, End, Record, Release, Told, Unseen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def every(folder: Path) -> Iterator[Record | str]:
    """All records, oldest first; a line that is no record comes back as text.

    Raises OSError when there is no folder or a file in it cannot be read.
    """
    yield from map(parse, _lines(folder))


def told(folder: Path) -> Iterator[Told | str]:
    """As `every`, without what the log says of itself."""
    for record in every(folder):
        if isinstance(record, Decision | End | Release | Unseen | str):
            yield record


def later(folder: Path) -> tuple[dict[str, End], dict[str, Release]]:
    """How uploads ended and were released, by their decisions' ids; only lines that can say that
    are read closely."""
    ends: dict[str, End] = {}
    releases: dict[str, Release] = {}
    for line in _lines(folder):
        record = parse(line) if '"end"' in line or '"release"' in line else None
        if isinstance(record, End):
            ends[record.of] = record
        elif isinstance(record, Release):
            releases[record.of] = record
    return ends, releases


def _lines(folder: Path) -> Iterator[str]:
    for path in segments.present(folder).values():
        with path.open(encoding="utf-8", errors="replace") as file:
            yield from (line for line in file if line.strip())


# One flat union: pydantic does not look for the kind through aliases of unions, and would try them
# all, which takes many times as long.
_MODELS: Any = functools.reduce(
    operator.or_, (*get_args(Told.__value__), *get_args(Bookkeeping.__value__))
)
RECORD: TypeAdapter[Record] = TypeAdapter(Annotated[_MODELS, Field(discriminator="kind")])


def parse(line: str) -> Record | str:
    """The record in `line`, or the line itself when it holds none."""
    try:
        return RECORD.validate_json(line)
    except ValidationError:
        return line.rstrip("\n")

"""Read the audit file back, line by line."""

from __future__ import annotations

import functools
import operator
from typing import TYPE_CHECKING, Annotated, Any, get_args

from pydantic import Field, TypeAdapter, ValidationError

from safelight.audit import segments
from safelight.audit.record import Bookkeeping, Decision, End, Record, Told, Unseen

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
        if isinstance(record, Decision | End | Unseen | str):
            yield record


def ends(folder: Path) -> dict[str, End]:
    """The ends of uploads by their decisions' ids; only lines that can be one are read closely."""
    records = (parse(line) for line in _lines(folder) if '"end"' in line)
    return {record.of: record for record in records if isinstance(record, End)}


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

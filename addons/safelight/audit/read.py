"""Read the audit file back, line by line."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, TypeAdapter, ValidationError

from safelight.audit.log import FILE_NAME
from safelight.audit.record import Decision, End, Record, Unseen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def every(folder: Path) -> Iterator[Record | str]:
    """All records, oldest first; a line that is no record comes back as text.

    Raises OSError when there is no file or it cannot be read.
    """
    with (folder / FILE_NAME).open(encoding="utf-8", errors="replace") as file:
        yield from (parse(line) for line in file if line.strip())


def last(folder: Path, count: int) -> Iterator[Record | str]:
    """The last `count` records, oldest first; a line that is no record comes back as text.

    Raises OSError when there is no file or it cannot be read.
    """
    with (folder / FILE_NAME).open(encoding="utf-8", errors="replace") as file:
        lines = deque((line for line in file if line.strip()), maxlen=count)
    for line in lines:
        yield parse(line)


_RECORD: TypeAdapter[Record] = TypeAdapter(
    Annotated[Decision | End | Unseen, Field(discriminator="kind")]
)


def parse(line: str) -> Record | str:
    """The record in `line`, or the line itself when it holds none."""
    try:
        return _RECORD.validate_json(line)
    except ValidationError:
        return line.rstrip("\n")

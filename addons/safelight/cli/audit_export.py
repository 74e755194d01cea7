"""safelight audit export and schema: the log for other programs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from safelight.audit.events import Span
from safelight.audit.export import Format, exported
from safelight.audit.schema import schema as schema_of_records
from safelight.cli import audit_options

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime


@click.command()
@audit_options.FOLDER
@click.option(
    "--format",
    "form",
    type=click.Choice([str(form) for form in Format]),
    required=True,
    help="The format.",
)
@audit_options.SINCE
@audit_options.UNTIL
@click.option(
    "-o",
    "output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where to write it, instead of here.",
)
def export(
    folder: Path,
    form: str,
    since: datetime | None,
    until: datetime | None,
    output: Path | None,
) -> None:
    """Write decisions for other programs, one a line.

    ocsf: events of the Open Cybersecurity Schema Framework 1.8.0. ecs: documents of the Elastic
    Common Schema 9.4. cef: ArcSight's Common Event Format. syslog: RFC 5424. csv: for spreadsheets.
    """
    lines = exported(audit_options.read(folder, Span(since, until)), Format(form))
    written = (line.encode() for line in lines)
    if output is None:
        sys.stdout.buffer.writelines(written)
    else:
        _replace(output, written)


def _replace(output: Path, lines: Iterator[bytes]) -> None:
    """Put the lines in place of what was there; where they cannot all be read, that stays."""
    passing = output.with_name(f".{output.name}.new")
    try:
        with passing.open("wb") as file:
            file.writelines(lines)
        passing.replace(output)
    except OSError as error:
        raise click.ClickException(f"{output} cannot be written: {error.strerror}") from error
    finally:
        passing.unlink(missing_ok=True)


@click.command()
def schema() -> None:
    """Print the JSON Schema of the log's lines."""
    click.echo(json.dumps(schema_of_records(), indent=2))

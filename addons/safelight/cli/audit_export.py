"""safelight audit export and schema: the log for other programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, BinaryIO

import click

from safelight.audit.events import Span
from safelight.audit.export import Format, exported
from safelight.audit.schema import schema as schema_of_records
from safelight.cli import audit_options

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path


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
    type=click.File("wb", atomic=True),
    default="-",
    metavar="FILE",
    help="Where to write it, instead of here.",
)
def export(
    folder: Path,
    form: str,
    since: datetime | None,
    until: datetime | None,
    output: BinaryIO,
) -> None:
    """Write decisions for other programs, one a line.

    ocsf: events of the Open Cybersecurity Schema Framework 1.8.0. ecs: documents of the Elastic
    Common Schema 9.4. cef: ArcSight's Common Event Format. syslog: RFC 5424. csv: for spreadsheets.
    """
    lines = exported(audit_options.read(folder, Span(since, until)), Format(form))
    output.writelines(line.encode() for line in lines)


@click.command()
def schema() -> None:
    """Print the JSON Schema of the log's lines."""
    click.echo(json.dumps(schema_of_records(), indent=2))

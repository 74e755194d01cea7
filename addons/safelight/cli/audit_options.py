"""What the audit commands have in common: the folder, a stretch of time, and reading them."""

from __future__ import annotations

import contextlib
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from safelight import audit, paths
from safelight.audit.events import Event, Span, events

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = click.option(
    "--audit",
    "folder",
    type=click.Path(path_type=Path, readable=False),
    envvar="SAFELIGHT_AUDIT",
    default=paths.default_audit,
    show_default="your data folder",
    metavar="DIR",
    help="The audit folder.",
)


@contextlib.contextmanager
def reading(folder: Path) -> Iterator[None]:
    """Say in words what keeps the log in `folder` from being read. Raises click.ClickException."""
    if not folder.exists() and folder != paths.default_audit():
        raise click.ClickException(f"There is no folder {folder}.")
    try:
        yield
    except FileNotFoundError:
        click.echo(f"No decision has been recorded in {folder} yet.", err=True)
    except OSError as error:
        raise click.ClickException(f"{folder} cannot be read: {error.strerror}") from error


def keys_of(folder: Path, state: Path) -> Path:
    """The folder of the log's keys on this machine, whether there is one or not.

    Raises OSError.
    """
    keys = paths.audit_keys(state)
    for record in audit.every(folder) if folder.is_dir() else ():
        if isinstance(record, audit.SegmentOpen):
            return keys / record.log
    return keys


def _moment(value: str | None, *, ends: bool) -> datetime | None:
    """A day or a moment of this machine's time zone; a day that ends a span belongs to it."""
    if value is None:
        return None
    try:
        if len(value) == len("2026-11-24"):
            day = date.fromisoformat(value) + timedelta(days=ends)
            return datetime.combine(day, time.min).astimezone()
        return datetime.fromisoformat(value).astimezone()
    except (ValueError, OverflowError) as error:
        raise click.BadParameter(
            f"{value} is no day or moment such as 2026-11-24 or 2026-11-24T18:30."
        ) from error


SINCE = click.option(
    "--since",
    metavar="DAY",
    callback=lambda _context, _option, value: _moment(value, ends=False),
    help="From this day on (2026-11-24, or 2026-11-24T18:30).",
)
UNTIL = click.option(
    "--until",
    metavar="DAY",
    callback=lambda _context, _option, value: _moment(value, ends=True),
    help="Until this day, with it.",
)


def read(folder: Path, span: Span) -> Iterator[Event]:
    """What happened in `span`; lines that are no record are told on the way."""
    with reading(folder):
        for event in events(folder, span):
            if isinstance(event, str):
                click.echo(f"? not a record: {event[:60]!r}", err=True)
            else:
                yield event

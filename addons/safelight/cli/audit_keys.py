"""safelight audit find, erase, retire: what can be asked of a log with its keys, and what of it
can be let go."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from safelight import audit, paths
from safelight.cli import words
from safelight.cli.audit_options import FOLDER, keys_of
from safelight.cli.options import STATE
from safelight.journal import CONTENT


@click.command()
@click.argument("photo", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@FOLDER
@STATE
def find(photo: Path, folder: Path, state: Path) -> None:
    """Did PHOTO ever leave, when, to whom, and what was taken out of it?

    Exit code 1 if it did not. Months whose key was erased cannot be asked.
    """
    keys = audit.Keyring(keys_of(folder, state))
    names = set(keys.pseudonyms(CONTENT, hashlib.sha256(photo.read_bytes()).digest()).values())
    records = list(audit.told(folder)) if folder.is_dir() else []
    approved = {
        record.of
        for record in records
        if isinstance(record, audit.Release) and record.how == "approved"
    }
    decisions: dict[str, audit.Decision] = {}
    found = False
    for record in records:
        if isinstance(record, audit.Decision):
            decisions[record.id] = record
            for picture in record.pictures:
                if picture.content in names:
                    removed = picture.found if picture.removed else ()
                    _say(record, removed, approved=record.id in approved)
                    found = True
        elif isinstance(record, audit.End) and record.content in names:
            _say(decisions[record.of], record.found, approved=record.of in approved)
            found = True
    if not found:
        click.echo("There is no record of this photo.", err=True)
        raise SystemExit(1)


def _say(record: audit.Decision, removed: tuple[str, ...], *, approved: bool) -> None:
    told = words.listed([words.kind(kind) for kind in removed])
    how = f"without {told}" if told else "as it was"
    left = record.verdict in {"allow", "warn"} or approved
    what = f"left, {how}, for" if left else "did not leave for"
    click.echo(f"{record.at}  {record.id}  {what} {record.service}")


@click.command()
@click.argument("month", metavar="YYYY-MM")
@FOLDER
@STATE
def erase(month: str, folder: Path, state: Path) -> None:
    """Make a month's records say nothing of which photos they are about.

    What was decided stays, and the log can still be verified; `find` finds nothing of that month
    any more. This cannot be undone.
    """
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month):
        raise click.BadParameter(f"{month} is not a month such as 2026-11.")
    log = audit.AuditLog(folder, paths.audit_keys(state))
    try:
        done = log.erase(month)
    except audit.AuditError as error:
        raise click.ClickException(str(error)) from error
    if not done:
        raise click.ClickException(f"There is no key of {month} in {keys_of(folder, state)}.")
    click.echo(f"The key of {month} is gone.")


@click.command()
@click.option("--days", type=click.IntRange(min=1), required=True, help="How many days to keep.")
@FOLDER
@STATE
def retire(days: int, folder: Path, state: Path) -> None:
    """Delete records older than some days. What is left can still be verified."""
    before = (datetime.now(UTC) - timedelta(days=days)).date().isoformat()
    try:
        count = audit.AuditLog(folder, paths.audit_keys(state)).retire(before)
    except audit.AuditError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{count} files with records from before {before} were deleted.")

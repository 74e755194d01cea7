"""safelight audit find, erase, retire: what can be asked of a log with its keys, and what of it
can be let go."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from safelight import audit, paths
from safelight.cli import words
from safelight.cli.audit_options import FOLDER, keys_of, reading
from safelight.cli.options import STATE
from safelight.journal import CONTENT, digest


class _UntoldError(click.ClickException):
    """Nobody can tell whether a photo left."""

    exit_code = 2


@click.command()
@click.argument("photo", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@FOLDER
@STATE
def find(photo: Path, folder: Path, state: Path) -> None:
    """Did PHOTO ever leave, when, to whom, and what was taken out of it?

    Exit code 1 if there is no record of it; 2 if nobody can tell: the log cannot be read, or the
    key of a month in it is not here (any more).
    """
    records: list[audit.Record | str] = []
    keys = audit.Keyring(paths.audit_keys(state))
    try:
        with reading(folder):
            keys = audit.Keyring(keys_of(folder, state))
            records.extend(audit.every(folder))
    except click.ClickException as error:
        raise _UntoldError(error.message) from error
    names = set(keys.pseudonyms(CONTENT, digest(photo.read_bytes()).digest()).values())
    if _say_all(records, names):
        return
    decided = {(record.at or "")[:7] for record in records if isinstance(record, audit.Decision)}
    erased = {record.month for record in records if isinstance(record, audit.Erased)}
    # A month that is not over has another key after its own was erased.
    unasked = sorted(decided - (keys.months() - erased))
    if unasked:
        raise _UntoldError(
            f"Nobody can tell of {words.listed(unasked)}: no key of that time is in {keys.folder}."
        )
    click.echo("There is no record of this photo.", err=True)
    raise SystemExit(1)


def _say_all(records: list[audit.Record | str], names: set[str]) -> bool:
    """Say what happened to the file that has these names; was there anything to say?"""
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
            # Its decision may have been deleted for its age, the day before.
            if record.of in decisions:
                _say(decisions[record.of], record.found, approved=record.of in approved)
            else:
                click.echo(f"{record.at}  {record.of}  left; to whom was deleted for its age")
            found = True
    return found


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
    log = _existing(folder, state)
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
    try:
        before = (datetime.now(UTC) - timedelta(days=days)).date().isoformat()
    except OverflowError as error:
        raise click.BadParameter(f"{days} days are longer than there are dates.") from error
    log = _existing(folder, state)
    try:
        count = log.retire(before)
    except audit.AuditError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{count} files with records from before {before} were deleted.")


def _existing(folder: Path, state: Path) -> audit.AuditLog:
    """The log in `folder`; none is begun where there is none. Raises click.ClickException."""
    if folder.is_dir():
        with reading(folder):
            if next(audit.every(folder), None) is None:
                raise click.ClickException(f"There is no log in {folder}.")
            _refuse_to_own(folder)
            return audit.AuditLog(folder, paths.audit_keys(state))
    raise click.ClickException(f"There is no log in {folder}.")


def _refuse_to_own(folder: Path) -> None:
    """New files of root's would keep the proxy from its own log."""
    if hasattr(os, "geteuid") and os.geteuid() == 0 != folder.stat().st_uid:
        raise click.ClickException(
            f"{folder} belongs to {folder.owner()}, and the proxy could not go on with files of "
            f"root's in it. Say it as that user: sudo -u {folder.owner()} safelight ..."
        )

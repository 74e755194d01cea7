"""safelight audit report: a month in words and pictures."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import click

from safelight import assembly
from safelight import audit as audit_log
from safelight.cli import audit_options
from safelight.cli.audit_verify import prove
from safelight.cli.options import STATE
from safelight.cli.report import Trust, count, page, span_of
from safelight.documents import DocumentError

_VERDICTS = {
    audit_log.Result.ALTERED: "No. The log was altered after it was written.",
    audit_log.Result.CUT: "No. A part of the log is missing.",
    audit_log.Result.UNSEALED: "Not proven. The log is not signed as it should be.",
    audit_log.Result.UNREADABLE: "Not known. The log cannot be read.",
}
_MOST_NOTES = 5
_LIMIT = (
    "Who has full control of this computer could still forge what came since a signature that you "
    "keep elsewhere."
)


def _month(_context: click.Context, _parameter: click.Parameter, value: str | None) -> date:
    if value is None:
        return datetime.now(UTC).astimezone().date().replace(day=1)
    try:
        return date.fromisoformat(f"{value}-01")
    except ValueError as error:
        raise click.BadParameter(f"{value} is no month such as 2026-11.") from error


@click.command()
@click.argument("month", required=False, callback=_month)
@audit_options.FOLDER
@STATE
@click.option(
    "-o",
    "output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where to write it (without: safelight-MONTH.html).",
)
def report(month: date, folder: Path, state: Path, output: Path | None) -> None:
    """Write a month (2026-11; without it, this one) as a page for people.

    One HTML file that a browser shows and prints; it loads nothing from anywhere.
    """
    counted = count(month, audit_options.read(folder, span_of(month)))
    made = f"{datetime.now(UTC).astimezone():%d %B %Y}".lstrip("0")
    written = page(counted, _trust(folder, state), _names(), made)
    target = output or Path(f"safelight-{month:%Y-%m}.html")
    try:
        target.write_text(written, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{target} cannot be written: {error.strerror}") from error
    click.echo(f"{target}: open it in a browser.")


def _trust(folder: Path, state: Path) -> Trust:
    try:
        proof = prove(folder, state)
    except audit_log.ProofError as error:
        return Trust(good=False, verdict=_VERDICTS[error.result], details=(str(error),))
    told = (
        f"The log holds {proof.records} records, the first of {proof.began[:10]}. Each holds a "
        "fingerprint of the one before, so none can be changed or taken out without a trace; "
        f"{proof.checkpoints} signatures seal them."
    )
    details = [told, _LIMIT, *(f"Note: {note}." for note in proof.notes[:_MOST_NOTES])]
    if len(proof.notes) > _MOST_NOTES:
        more = len(proof.notes) - _MOST_NOTES
        details.append(f"And {more} more notes, which `safelight audit verify` shows.")
    if proof.first is None:
        details.append("Its public key was not at hand: the signatures may be anybody's.")
    return Trust(
        good=proof.first is not None,
        verdict="Yes. Nothing in the log is missing, and nothing was altered."
        if proof.first
        else "Not for certain. As far as the log itself says, nothing is missing or altered.",
        details=tuple(details),
    )


def _names() -> dict[str, str]:
    """Services' names; where the catalogue has a mistake, their ids must do."""
    try:
        services = assembly.load_catalogue().services
    except DocumentError:
        return {}
    return {id_: service.name for id_, service in services.items()}

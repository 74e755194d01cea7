"""safelight pause: nothing is held or blocked by rules, for a while."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from safelight import pausing
from safelight.cli.options import STATE
from safelight.in_force import LONGEST_PAUSE, clock, is_paused

if TYPE_CHECKING:
    from pathlib import Path

_UNITS = {"m": "minutes", "h": "hours"}


class _DurationType(click.ParamType[timedelta]):
    name = "DURATION"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        match = re.fullmatch(r"(\d{1,4})([mh])", str(value))
        if match is None:
            self.fail("is not of the form 30m or 2h", param, ctx)
        duration = timedelta(**{_UNITS[match[2]]: int(match[1])})
        if not timedelta(0) < duration <= LONGEST_PAUSE:
            self.fail("has to be more than nothing and at most 24h", param, ctx)
        return duration


@click.command()
@click.argument("duration", type=_DurationType(), required=False)
@click.option("--end", is_flag=True, help="End the pause now.")
@STATE
def pause(duration: timedelta | None, state: Path, *, end: bool) -> None:
    """Let rules stop nothing for DURATION (such as 30m or 2h); without it, say how it stands.

    Pictures are still cleaned, every decision is still recorded, and what would have been held or
    blocked is told. Locked rules go on, and so does what `unsure` says: a picture that cannot be
    looked at would leave as it is. The pause ends by itself.
    """
    now = clock()
    try:
        if end:
            pausing.end(state)
        elif duration is not None:
            pausing.write(state, now + duration)
    except OSError as error:
        raise click.ClickException(f"{state} cannot be written: {error.strerror}") from error
    until = pausing.read(state)
    if until is None or not is_paused(until, now):
        click.echo("Nothing is paused.")
    else:
        click.echo(f"Rules that are not locked stop nothing until {_shown(until)}.")


def _shown(until: datetime) -> str:
    return until.astimezone().strftime("%H:%M:%S on %d %B")

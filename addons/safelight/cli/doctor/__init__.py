"""safelight doctor: does everything work, and what mends what does not? safelight status: the same
in three lines."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from safelight import paths
from safelight.cli import audit_options, catalogue
from safelight.cli.doctor import canary, handshake, here
from safelight.cli.doctor.check import Looked
from safelight.cli.options import PROXY, STATE

_POLICY = click.option(
    "--policy",
    "policies",
    type=click.Path(path_type=Path),
    default=lambda: [paths.default_policy()],
    show_default="the home policy that comes with Safelight",
    multiple=True,
    metavar="FILE",
    help="The policy that the proxy was started with. Repeatable.",
)


@click.command()
@PROXY
@_POLICY
@audit_options.FOLDER
@STATE
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def doctor(
    *, proxy: str, policies: tuple[Path, ...], folder: Path, state: Path, as_json: bool
) -> None:
    """Look whether everything works; where it does not, say what mends it.

    Exit code 0: all is well; 1: something has to be mended. What only may concern you is marked
    with `note`.
    """
    looked = Looked(proxy, policies, folder, state, catalogue.load())
    found = [*here.checks(looked), handshake.check(looked), canary.check(looked)]
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found]))
    else:
        for one in found:
            click.echo(f"{one.state:<5} {one.name:<12} {one.says}")
            if one.mends:
                click.echo(f"{'':<19}{one.mends}")
    if any(one.state == "wrong" for one in found):
        raise SystemExit(1)


@click.command()
@PROXY
@audit_options.FOLDER
@STATE
def status(*, proxy: str, folder: Path, state: Path) -> None:
    """Say in three lines whether photos are protected, where, and what happened last."""
    looked = Looked(proxy, (), folder, state, catalogue.load())
    runs = here.proxy(looked)
    places = here.settings(looked)
    protects = runs.state == "ok"
    wholly = all(one.state != "wrong" for one in places)
    how = (
        ("are protected" if wholly else "are protected in part")
        if protects
        else "are NOT protected"
    )
    click.echo(f"Photos {how}.")
    done = sum(one.state == "ok" for one in places)
    settings = f"{done} of {len(places)} settings of this computer lead to it"
    settings += "." if wholly else f"; `{looked.set_up()}` makes the others."
    click.echo(f"{runs.says} {settings if protects else runs.mends}")
    click.echo(here.last(looked))
    if not protects:
        raise SystemExit(1)


__all__ = ["doctor", "status"]

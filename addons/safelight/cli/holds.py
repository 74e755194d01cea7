"""safelight holds: answer uploads that wait for a yes. safelight watch: what happens, as it
happens."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import click

from safelight import broker, paths
from safelight.cli import telling, words
from safelight.cli.options import STATE

if TYPE_CHECKING:
    from pathlib import Path

    from safelight.broker import Held


@click.group()
def holds() -> None:
    """Answer uploads that wait for a yes.

    What nobody answers within ten minutes stays here. A yes also holds for the same pictures
    for an hour, so that a second try passes.
    """


@holds.command("list")
@STATE
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_(state: Path, *, as_json: bool) -> None:
    """Show which uploads wait, oldest first."""
    every = _waiting(state)
    if as_json:
        said = [
            {**held.model_dump(exclude={"content", "workspace"}), "since": since}
            for held, since in every
        ]
        click.echo(json.dumps(said))
        return
    if not every:
        click.echo("Nothing waits.", err=True)
    for held, since in every:
        waited = words.duration(time.time() - since)
        pictures = words.files(held.pictures)
        click.echo(
            f"{held.id}  {pictures} to {held.service}, for {waited}: {telling.reasons(held)}"
        )


@holds.command()
@click.argument("id_", metavar="ID")
@STATE
def show(id_: str, state: Path) -> None:
    """Show one upload that waits."""
    for held, since in _waiting(state):
        if held.id == id_:
            click.echo(f"{words.files(held.pictures)} ({words.size(held.size)}) to {held.service}")
            if held.client is not None:
                click.echo(f"from    {held.client}")
            click.echo(f"waits   {words.duration(time.time() - since)}")
            click.echo(f"says    {_says(held)}")
            click.echo(f"because {telling.reasons(held)}")
            click.echo(f"rules   {words.listed(list(held.rules))}")
            click.echo(f"then    safelight holds approve {id_}, or deny {id_}")
            return
    raise click.ClickException(_GONE.format(id_))


@holds.command()
@click.argument("id_", metavar="ID")
@STATE
def approve(id_: str, state: Path) -> None:
    """Let an upload go on."""
    _answer(state, id_, approve=True)
    click.echo("It goes on.")


@holds.command()
@click.argument("id_", metavar="ID")
@STATE
def deny(id_: str, state: Path) -> None:
    """Refuse an upload."""
    _answer(state, id_, approve=False)
    click.echo("It stays here.")


@click.command()
@STATE
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def watch(state: Path, *, as_json: bool) -> None:
    """Show what happens to uploads, as it happens. Ctrl-C ends it."""
    try:
        for event in broker.watch(_socket(state)):
            click.echo(json.dumps(event) if as_json else "\n".join(telling.lines(event)))
    except broker.NoBrokerError as error:
        raise click.ClickException(str(error)) from error
    click.echo("The proxy has stopped.", err=True)


def _says(held: Held) -> str:
    if held.found is None:
        return "not known yet; what is private is taken out while it leaves"
    if not held.found:
        return "nothing private"
    found = words.listed([words.kind(kind) for kind in held.found])
    return f"{found}; that is taken out before it leaves"


_GONE = "No upload {} waits: it was answered, or its page was left."


def _waiting(state: Path) -> list[tuple[Held, float]]:
    try:
        return broker.waiting(_socket(state))
    except broker.NoBrokerError as error:
        raise click.ClickException(str(error)) from error


def _answer(state: Path, id_: str, *, approve: bool) -> None:
    try:
        found = broker.answer(_socket(state), id_, approve=approve)
    except broker.NoBrokerError as error:
        raise click.ClickException(str(error)) from error
    if not found:
        raise click.ClickException(_GONE.format(id_))


def _socket(state: Path) -> Path:
    return paths.broker_socket(state)

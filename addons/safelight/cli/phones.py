"""safelight phones: let phones in through WireGuard."""

from __future__ import annotations

import contextlib
import io
import os
import socket
from pathlib import Path

import click
import segno

from safelight.cli.options import STATE
from safelight.phones import HOME, PhonesError, add, file, read, remove


@click.group()
def phones() -> None:
    """Let phones and tablets in through WireGuard, each by a key of its own.

    On such a device the apps' traffic to AI services goes through the proxy, at home and wherever
    else this machine can be reached from; everything else goes its usual way. In policies the phone
    NAME is `phone:NAME`.
    """


@phones.command("add")
@click.argument("name")
@click.option(
    "--at",
    "host",
    metavar="HOST",
    envvar="SAFELIGHT_ADDRESS",
    show_default="this machine's address in its network",
    help="Where the phone reaches this machine: an address or a name.",
)
@click.option(
    "--file",
    "path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the configuration to a file instead of showing it.",
)
@STATE
def add_(name: str, host: str | None, path: Path | None, state: Path) -> None:
    """Add a phone, and show the QR code that its WireGuard app scans.

    The code holds the phone's key, and it is shown once: scan it now. A running proxy lets the
    phone in within a second or two.
    """
    at = host or _address_here()
    if path is not None and path.exists():
        raise click.ClickException(f"{path} exists, and is not overwritten.")
    try:
        phone, configuration = add(file(state), name, at)
    except PhonesError as error:
        raise click.ClickException(str(error)) from error
    if path is None:
        _show(configuration)
        click.echo(f"Scan this with the WireGuard app on {name}, and switch the tunnel on. Then")
    else:
        _write(path, configuration)
        click.echo(f"{path} is the tunnel's configuration for {name}. When it is on,")
    click.echo(
        f"open http://{HOME}/ on it, which says how to trust the certificate.\n"
        f"It connects to {at}, UDP port {phone.port}; in policies it is `{phone.identity}`."
    )


@phones.command("list")
@STATE
def list_(state: Path) -> None:
    """Show all phones."""
    try:
        household = read(file(state))
    except PhonesError as error:
        raise click.ClickException(str(error)) from error
    if household is None or not household.phones:
        click.echo("There are no phones; `safelight phones add NAME` adds one.", err=True)
        return
    for phone in household.phones:
        click.echo(f"{phone.identity}  UDP port {phone.port}  {phone.address}")


@phones.command("remove")
@click.argument("name")
@STATE
def remove_(name: str, state: Path) -> None:
    """Let a phone in no longer. Its tunnel then leads nowhere: switch it off on the phone."""
    try:
        remove(file(state), name)
    except PhonesError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{name} is let in no longer.")


def _show(configuration: str) -> None:
    """As a QR code, light upon dark whatever colours the terminal has: few apps read negatives."""
    drawn = io.StringIO()
    segno.make(configuration, error="l", boost_error=False).terminal(drawn, compact=True)
    for line in drawn.getvalue().splitlines():
        click.secho(line, fg="bright_white", bg="black")


def _address_here() -> str:
    """This machine's address on the way to the internet; nothing is sent to find it."""
    with contextlib.suppress(OSError), socket.socket(type=socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        return str(probe.getsockname()[0])
    raise click.ClickException("This machine is in no network; say where it is by --at HOST.")


def _write(path: Path, configuration: str) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(configuration)
    except OSError as error:
        reason = error.strerror or error
        raise click.ClickException(f"{path} cannot be written: {reason}.") from error

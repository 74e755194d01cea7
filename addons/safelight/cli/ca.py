"""safelight ca: the certificate that browsers and devices are asked to trust."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from safelight import paths, trust
from safelight.cli import catalogue
from safelight.trust import company

if TYPE_CHECKING:
    from collections.abc import Iterator

_STATE = click.option(
    "--state",
    "folder",
    type=click.Path(path_type=Path),
    envvar="SAFELIGHT_STATE",
    default=paths.default_state,
    show_default="your data folder",
    metavar="DIR",
    help="The folder of the certificate authority.",
)


@click.group()
def ca() -> None:
    """Show, hand out or replace the certificate that has to be trusted.

    It can only speak for AI services: browsers reject what it says of any other place. The key
    that signs for it stays on this machine. The root's own key was never written down, or is your
    company's (`csr`, `import`).
    """


@ca.command()
@_STATE
@click.option("--names", is_flag=True, help="List every name it may speak for.")
def show(folder: Path, *, names: bool) -> None:
    """Show the certificate: its fingerprint, how long it is good for, whom it may speak for."""
    authority = _existing(folder)
    with _reported():
        card = trust.describe(authority)
    click.echo(f"certificate  {authority.root}")
    click.echo(f"fingerprint  SHA-256 {card.fingerprint}")
    click.echo(f"belongs to   {card.owner}")
    click.echo(f"good until   {card.until}")
    click.echo(f"speaks for   {len(authority.names)} names of AI services, and their subdomains")
    if names:
        for name in sorted(authority.names):
            click.echo(f"             {name}")
    lacking = authority.missing(catalogue.load().permitted_names())
    if lacking:
        advice = "csr` asks the company for" if card.company else "rotate` makes"
        click.echo(
            f"It cannot speak for {', '.join(lacking)}, which came later. "
            f"`safelight ca {advice} one that can."
        )


@ca.command()
@_STATE
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="FILE",
    help="Where to write it: NAME.pem for Linux and macOS, NAME.cer for Windows and phones.",
)
@click.option("--overwrite", is_flag=True, help="Replace FILE if it is there.")
def export(folder: Path, output: Path, *, overwrite: bool) -> None:
    """Write a copy of the certificate for another device. It holds no key."""
    authority = _existing(folder)
    if output.exists() and not overwrite:
        raise click.ClickException(f"{output} is there already; --overwrite replaces it.")
    with _reported():
        certificate = trust.exported(authority, der=output.suffix in {".cer", ".der", ".crt"})
    try:
        output.write_bytes(certificate)
    except OSError as error:
        raise click.ClickException(f"{output} cannot be written: {error.strerror}") from error
    click.echo(f"{output}: trust it as a certificate authority on the device.")


@ca.command()
@_STATE
@click.option("--yes", is_flag=True, help="Do not ask.")
def rotate(folder: Path, *, yes: bool) -> None:
    """Make a new certificate; the old one, and the key that signs for it, are gone.

    Until it is trusted there, AI services cannot be reached from devices that trusted the old one.
    """
    if not yes:
        # What cannot be used is what a new one is made for.
        with suppress(trust.AuthorityError):
            existing = trust.open_existing(folder)
            if existing is not None and trust.describe(existing).company:
                click.echo(
                    "This one was signed by your company; the new one will be signed by itself."
                )
        click.confirm("Every device has to trust the new certificate. Go on?", abort=True)
    names = catalogue.load().permitted_names()
    with _reported():
        authority = trust.rotate(folder, names)
    click.echo(f"{authority.root}: trust it, take the old one out, and restart `safelight run`.")


@ca.command()
@_STATE
@click.option(
    "-o",
    "--output",
    type=click.File("wb", lazy=True, atomic=True),
    default="-",
    metavar="FILE",
    help="Where to write it, instead of to the terminal.",
)
def csr(folder: Path, output: BinaryIO) -> None:
    """Ask a company's certificate authority for a certificate: write a signing request.

    The key stays in the folder. The request asks for an authority that can only speak for AI
    services; `safelight ca import` takes what the company makes of it.
    """
    names = catalogue.load().permitted_names()
    with _reported():
        written = company.request(folder, names)
    try:
        output.write(written)
    except OSError as error:
        raise click.ClickException(f"The request cannot be written: {error}") from error


@ca.command("import")
@_STATE
@click.argument("certificate", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("chain", type=click.Path(path_type=Path, dir_okay=False), required=False)
def import_(folder: Path, certificate: Path, chain: Path | None) -> None:
    """Take the CERTIFICATE that a company made from the request of `safelight ca csr`.

    CHAIN holds the certificates above it, up to the company's root (PEM). A certificate that can
    speak for anything but AI services is refused.
    """
    names = catalogue.load().permitted_names()
    try:
        given = b"\n".join(path.read_bytes() for path in (certificate, chain) if path)
    except OSError as error:
        raise click.ClickException(f"{error.filename} cannot be read: {error.strerror}") from error
    with _reported():
        authority = company.install(folder, given, names)
        owner = trust.describe(authority).owner
    click.echo(f"The certificate of {owner} signs from the next start of `safelight run`.")
    if lacking := authority.missing(names):
        click.echo(f"It cannot speak for {', '.join(lacking)}: there, uploads will not work.")


@contextmanager
def _reported() -> Iterator[None]:
    try:
        yield
    except trust.AuthorityError as error:
        raise click.ClickException(str(error)) from error


def _existing(folder: Path) -> trust.Authority:
    with _reported():
        authority = trust.open_existing(folder)
    if authority is None:
        raise click.ClickException(
            f"There is no certificate in {folder} yet; `safelight run` makes one."
        )
    return authority

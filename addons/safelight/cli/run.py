"""safelight run: the proxy itself."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from safelight import __version__, assembly, paths, trust
from safelight.cli import words
from safelight.documents import DocumentError
from safelight.proxy import master, quiet, resolve
from safelight.proxy.gate import Gate
from safelight.reloading import Reloading

if TYPE_CHECKING:
    from safelight.assembly import Assembly
    from safelight.case import Outcome
    from safelight.proxy.resolve import Address, Resolution
    from safelight.services import Destination
    from safelight.trust import Authority


class _AddressType(click.ParamType["Address"]):
    name = "ADDR:PORT"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Address:
        try:
            return resolve.parse_address(str(value))
        except resolve.ResolveError as error:
            self.fail(str(error), param, ctx)


class _ResolutionType(click.ParamType["Resolution"]):
    name = "HOST:PORT=ADDR:PORT"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Resolution:
        try:
            return resolve.parse(str(value))
        except resolve.ResolveError as error:
            self.fail(str(error), param, ctx)


@click.command()
@click.option(
    "--listen",
    type=_AddressType(),
    default="127.0.0.1:8080",
    show_default=True,
    help="Where programs find the proxy. Port 0 takes any free one.",
)
@click.option(
    "--policy",
    "policy_paths",
    type=click.Path(path_type=Path),
    default=lambda: [paths.default_policy()],
    show_default="the home policy that comes with Safelight",
    multiple=True,
    metavar="FILE",
    help="The rules. Repeatable: what any of the files forbids is forbidden.",
)
@click.option(
    "--audit",
    "audit_folder",
    type=click.Path(path_type=Path),
    default=paths.default_audit,
    show_default="your data folder",
    metavar="DIR",
    help="Where every decision is written down.",
)
@click.option(
    "--state",
    "state_folder",
    type=click.Path(path_type=Path),
    default=paths.default_state,
    show_default="your data folder",
    metavar="DIR",
    help="Where the certificate authority and its key are kept.",
)
@click.option(
    "--upstream-ca",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Further roots (PEM) that services' certificates may come from.",
)
@click.option(
    "--resolve",
    "resolutions",
    type=_ResolutionType(),
    multiple=True,
    help="For trials: connect to ADDR:PORT instead of HOST:PORT. Repeatable.",
)
def run(
    listen: Address,
    policy_paths: tuple[Path, ...],
    audit_folder: Path,
    state_folder: Path,
    upstream_ca: Path | None,
    resolutions: tuple[Resolution, ...],
) -> None:
    """Start the proxy. It runs until Ctrl-C.

    Pictures on their way to AI services are cleaned, or stopped, as the policy says. Everything
    else passes unopened. When the proxy accepts connections, `ready ADDR:PORT` appears on
    standard output; all other messages go to standard error.
    """
    quiet.install()
    reloading = Reloading(policy_paths, state_folder, lambda text: click.echo(text, err=True))
    try:
        assembled = assembly.assemble(policy_paths, audit_folder)
        authority = trust.open_or_create(state_folder, assembled.catalogue.permitted_names())
        roots = trust.bundle(state_folder, upstream_ca)
        settings = master.Settings(listen, state_folder, roots, resolutions)
        start = _Start(assembled, authority, policy_paths)
        gate = Gate(assembled.engine, assembled.catalogue, _tell)
        reloading.start(assembled)
        asyncio.run(master.serve(settings, gate, start.announce))
    except DocumentError as error:
        raise click.ClickException(f"The list of services cannot be used:\n{error}") from error
    except (trust.AuthorityError, master.StartError) as error:
        raise click.ClickException(str(error)) from error
    finally:
        reloading.stop()
        click.echo("Stopped. Pictures are no longer protected.", err=True)


@dataclass(frozen=True, slots=True)
class _Start:
    """What a person needs to know when the proxy has started."""

    assembled: Assembly
    authority: Authority
    policy_paths: tuple[Path, ...]

    def announce(self, address: Address) -> None:
        host, port = address
        where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        services = len(self.assembled.catalogue.services)
        new = "new: trust it once in your browser" if self.authority.created else "trust it once"
        everywhere = host in {"0.0.0.0", "::"}  # noqa: S104 - shown, not listened on
        proxy = f"this machine's address, port {port}" if everywhere else where
        lines = [
            f"Safelight {__version__} cleans pictures on their way to {services} AI services.",
            f"  policy       {', '.join(map(str, self.policy_paths))}",
            f"  certificate  {self.authority.root} ({new})",
            f"  browser      set its HTTP and HTTPS proxy to {proxy}",
            f"  audit file   {self.assembled.log.path}",
            *self._problems(),
            "Ctrl-C stops it.",
        ]
        click.echo("\n".join(lines), err=True)
        click.echo(f"ready {where}")

    def _problems(self) -> list[str]:
        problems = [f"! {problem}" for problem in self.assembled.problems]
        missing = self.authority.missing(self.assembled.catalogue.permitted_names())
        if missing:
            problems.append(
                f"! The certificate was made before these hosts were added: {', '.join(missing)}. "
                f"Move {self.authority.folder} away, start again and trust the new certificate; "
                "until then these services do not load."
            )
        return problems


def _tell(destination: Destination, outcome: Outcome) -> None:
    """One line, or a few, for each upload that held a picture."""
    now = time.strftime("%H:%M:%S")
    service = destination.service.name
    if outcome.refusal is not None:
        click.echo(f"{now}  stopped  {outcome.refusal.message}", err=True)
        return
    removed = words.listed([words.kind(kind) for kind in sorted(outcome.removed)])
    what = f"removed {removed}" if removed else "nothing had to be removed"
    click.echo(f"{now}  sent     {words.files(outcome.pictures)} to {service}: {what}", err=True)
    for warning in outcome.warnings:
        click.echo(f"          note     {warning}", err=True)

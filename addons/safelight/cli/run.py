"""safelight run: the proxy itself."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from safelight import __version__, assembly, audit, broker, paths, phones, trust
from safelight.cli import monitoring, telling
from safelight.cli import workers as several
from safelight.documents import DocumentError
from safelight.proxy import listening, master, quiet, resolve
from safelight.proxy.admission import PRIVATE, Networks
from safelight.proxy.gate import Gate
from safelight.reloading import Reloading
from safelight.users import UserFile, UserFileError

if TYPE_CHECKING:
    from safelight.assembly import Assembly
    from safelight.proxy.admission import Network
    from safelight.proxy.resolve import Address, Resolution
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


class _NetworkType(click.ParamType["Network"]):
    name = "NETWORK"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Network:
        try:
            return ipaddress.ip_network(str(value))
        except ValueError:
            self.fail(
                f"{value} is no address or network such as 192.168.1.7 or 192.168.1.0/24",
                param,
                ctx,
            )


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
    help="The rules; a folder is all files in it. Repeatable: what any of the files forbids is "
    "forbidden.",
)
@click.option(
    "--audit",
    "audit_folder",
    type=click.Path(path_type=Path),
    envvar="SAFELIGHT_AUDIT",
    default=paths.default_audit,
    show_default="your data folder",
    metavar="DIR",
    help="Where every decision is written down.",
)
@click.option(
    "--state",
    "state_folder",
    type=click.Path(path_type=Path),
    envvar="SAFELIGHT_STATE",
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
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="How many processes share the work (Linux). All connections of one client go to the same.",
)
@click.option(
    "--clients",
    type=_NetworkType(),
    multiple=True,
    show_default="this machine and private networks",
    help="Who may use it: an address or a network such as 192.168.1.0/24. Repeatable.",
)
@click.option(
    "--proxy-protocol",
    "balancers",
    type=_NetworkType(),
    multiple=True,
    help="Balancers, which say by the PROXY protocol (1 or 2) for whom they connect. Repeatable. "
    "Several workers then listen at ports that follow each other.",
)
@click.option(
    "--users",
    "users_path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Who may use it, by name and password: a file that `htpasswd -B` writes.",
)
@click.option(
    "--monitor",
    type=_AddressType(),
    help="Show /healthz, /readyz and, for Prometheus, /metrics at this address.",
)
@click.option("--as-worker", type=int, hidden=True)
def run(
    listen: Address,
    policy_paths: tuple[Path, ...],
    audit_folder: Path,
    state_folder: Path,
    upstream_ca: Path | None,
    resolutions: tuple[Resolution, ...],
    workers: int,
    clients: tuple[Network, ...],
    balancers: tuple[Network, ...],
    users_path: Path | None,
    monitor: Address | None,
    as_worker: int | None,
) -> None:
    """Start the proxy. It runs until Ctrl-C.

    Pictures on their way to AI services are cleaned, or stopped, as the policy says. Everything
    else passes unopened. When the proxy accepts connections, `ready ADDR:PORT` appears on
    standard output; all other messages go to standard error.
    """
    quiet.install()
    if monitor is not None and workers > 1:
        monitoring.share_among_processes()
    reloading = Reloading(policy_paths, state_folder, lambda text: click.echo(text, err=True))
    try:
        assembled = assembly.assemble(policy_paths, audit_folder, paths.audit_keys(state_folder))
        users = None if users_path is None else UserFile(users_path)
        authority = trust.open_or_create(state_folder, assembled.catalogue.permitted_names())
        roots = trust.bundle(state_folder, upstream_ca)
        if as_worker is not None:
            several.end_with_parent()
            listeners = [socket.socket(fileno=as_worker)]
        else:
            listeners = listening.listen(listen, workers, apart=bool(balancers))
        listening.allow_many_connections()
        host, port, *_ = listeners[0].getsockname()
        announce = _Start(assembled, authority, policy_paths, (host, port)).announce
        socket_path = paths.broker_socket(state_folder)
        with contextlib.ExitStack() as running:
            watched = monitoring.Monitored(
                assembled.log, partial(_decides, policy_paths, assembled)
            )
            if as_worker is None:
                _open_broker(running, socket_path)
                if monitor is not None:
                    running.enter_context(monitoring.shown(monitor, watched))
            if workers > 1 and as_worker is None:
                _no_phones(state_folder)
                several.run(listeners, watched.ready(announce), watched.leaving)
                return
            settings = master.Settings(
                listeners[0],
                state_folder,
                authority.root,
                assembled.catalogue.host_patterns(),
                roots,
                Networks(clients or PRIVATE, balancers),
                resolutions,
                users,
                phones.file(state_folder) if as_worker is None else None,
            )
            tell = monitoring.counted(telling.Telling(socket_path).tell)
            asks = [partial(one, socket_path) for one in (broker.ask, broker.ask_for_later)]
            gate = Gate(assembled.engine, assembled.catalogue, tell, *asks)
            running.enter_context(audit.looked_after(assembled.log, __version__))
            reloading.start(assembled)
            ready = watched.ready(announce) if as_worker is None else several.say_ready
            asyncio.run(master.serve(settings, gate, ready, watched.leaving))
    except DocumentError as error:
        raise click.ClickException(f"The list of services cannot be used:\n{error}") from error
    except (
        trust.AuthorityError,
        master.StartError,
        listening.ListenError,
        several.WorkersError,
        monitoring.MonitorError,
        UserFileError,
    ) as error:
        raise click.ClickException(str(error)) from error
    finally:
        reloading.stop()
        if as_worker is None:
            click.echo("Stopped. Pictures are no longer protected.", err=True)


def _no_phones(state_folder: Path) -> None:
    try:
        household = phones.read(phones.file(state_folder))
    except phones.PhonesError as error:
        raise click.ClickException(str(error)) from error
    if household is not None and household.phones:
        raise click.ClickException(
            "Phones come to one process: leave out --workers, or `safelight phones remove` them."
        )


def _decides(policy_paths: tuple[Path, ...], assembled: Assembly) -> bool:
    """Is there a policy to decide by? One that was good when it started, or is good by now."""
    if assembled.loaded is not None:
        return True
    try:
        assembly.load_policy(policy_paths, assembled.catalogue)
    except DocumentError:
        return False
    return True


def _open_broker(running: contextlib.ExitStack, path: Path) -> None:
    try:
        running.enter_context(broker.running(path))
    except OSError as error:
        reason = error.strerror or str(error)
        raise click.ClickException(f"{path} cannot be made: {reason}.") from error


@dataclass(frozen=True, slots=True)
class _Start:
    """What a person needs to know when the proxy has started."""

    assembled: Assembly
    authority: Authority
    policy_paths: tuple[Path, ...]
    address: Address

    def announce(self) -> None:
        host, port = self.address
        where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        services = len(self.assembled.catalogue.services)
        new = "new: trust it once in your browser" if self.authority.created else "trust it once"
        everywhere = host in {"0.0.0.0", "::"}  # noqa: S104 - shown, not listened on
        browser = (
            f"HTTP and HTTPS proxy to this machine's address, port {port}"
            if everywhere
            else f"automatic proxy configuration to http://{where}/proxy.pac"
        )
        lines = [
            f"Safelight {__version__} cleans pictures on their way to {services} AI services.",
            f"  policy       {', '.join(map(str, self.policy_paths))}",
            f"  certificate  {self.authority.root} ({new})",
            f"  browser      set its {browser}",
            f"  audit folder {self.assembled.log.folder}",
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
                "`safelight ca show` says what makes one that can; until then these services do "
                "not load."
            )
        return problems

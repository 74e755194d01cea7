"""safelight run: the proxy itself."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from safelight import __version__, assembly, audit, broker, paths, phones, trust
from safelight.cli import metrics, monitoring, telling
from safelight.cli import workers as several
from safelight.cli.addresses import AddressType, NetworkType, ResolutionType
from safelight.directory import Directory
from safelight.documents import DocumentError
from safelight.proxy import event_loops, listening, master, quiet
from safelight.proxy.admission import PRIVATE, Networks
from safelight.proxy.chaining import UpstreamProxyError, upstream_proxy
from safelight.proxy.gate import Gate
from safelight.reloading import Reloading
from safelight.users import UserFile, UserFileError

if TYPE_CHECKING:
    from safelight.assembly import Assembly
    from safelight.proxy.admission import Network
    from safelight.proxy.resolve import Address, Resolution
    from safelight.trust import Authority
    from safelight.users import UserList

logger = logging.getLogger(__name__)


class _Run(click.Command):
    """Where programs read the log, a start that failed is told to them, too."""

    def invoke(self, ctx: click.Context) -> None:
        try:
            super().invoke(ctx)
        except click.ClickException as error:
            if ctx.params["log_format"] != "json":
                raise
            what = error.format_message()
            facts = {"message": what}
            logger.critical(what, extra={"event": "start-failed", "facts": facts})
            ctx.exit(error.exit_code)


@click.command(cls=_Run)
@click.option(
    "--listen",
    type=AddressType(),
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
    type=ResolutionType(),
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
    type=NetworkType(),
    multiple=True,
    show_default="this machine and private networks",
    help="Who may use it: an address or a network such as 192.168.1.0/24. Repeatable.",
)
@click.option(
    "--proxy-protocol",
    "balancers",
    type=NetworkType(),
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
    "--ldap",
    "directory_path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Who may use it, by name and password: the YAML file says which directory to ask.",
)
@click.option(
    "--upstream-proxy",
    "upstream_url",
    metavar="URL",
    help="The company's own proxy: all connections go on through it, none past it.",
)
@click.option(
    "--upstream-login",
    type=click.Path(path_type=Path),
    envvar="SAFELIGHT_UPSTREAM_LOGIN",
    metavar="FILE",
    help="NAME:PASSWORD for that proxy, in one line.",
)
@click.option(
    "--monitor",
    type=AddressType(),
    help="Show /healthz, /readyz and, for Prometheus, /metrics at this address.",
)
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="What standard error gets: words for people, or for programs a JSON object a line.",
)
@click.option("--as-worker", type=int, hidden=True)
@click.option("--with-phones/--without-phones", default=True, hidden=True)
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
    directory_path: Path | None,
    upstream_url: str | None,
    upstream_login: Path | None,
    monitor: Address | None,
    log_format: str,
    as_worker: int | None,
    with_phones: bool,  # noqa: FBT001 - as click calls it
) -> None:
    """Start the proxy. It runs until Ctrl-C.

    Pictures on their way to AI services are cleaned, or stopped, as the policy says. Everything
    else passes unopened. When the proxy accepts connections, `ready ADDR:PORT` appears on
    standard output; all other messages go to standard error.
    """
    quiet.install(log_format)
    if monitor is not None and workers > 1:
        metrics.share_among_processes()
    reloading = Reloading(policy_paths, state_folder)
    try:
        assembled = assembly.assemble(policy_paths, audit_folder, paths.audit_keys(state_folder))
        users = _users(users_path, directory_path)
        upstream = upstream_proxy(upstream_url, upstream_login) if upstream_url else None
        authority = trust.open_or_create(state_folder, assembled.catalogue.permitted_names())
        roots = trust.bundle(state_folder, upstream_ca)
        if as_worker is not None:
            several.end_with_parent()
            listeners = [socket.socket(fileno=as_worker)]
        else:
            listeners = listening.listen(listen, workers, apart=bool(balancers))
        listening.allow_many_connections()
        host, port, *_ = listeners[0].getsockname()
        start = _Start(assembled, authority, policy_paths, (host, port))
        socket_path = paths.broker_socket(state_folder)
        asking = (*PRIVATE, *clients, *balancers)
        with contextlib.ExitStack() as running:

            def announce() -> None:
                start.announce()
                running.callback(_say_stopped)

            watched = monitoring.Monitored(
                assembled.log,
                partial(_decides, policy_paths, assembled),
                state_folder,
                socket_path,
            )
            if as_worker is None:
                _open_broker(running, socket_path)
                if monitor is not None:
                    running.enter_context(monitoring.shown(monitor, watched, asking))
            if upstream is not None:
                _no_phones(state_folder)
            if workers > 1 and as_worker is None:
                several.run(listeners, watched.ready(announce), watched.leaving, metrics.forget)
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
                phones.file(state_folder) if with_phones and upstream is None else None,
                upstream,
            )
            meter = metrics.Meter()
            tell = meter.counted(telling.Telling(socket_path).tell)
            ask, later = (partial(one, socket_path) for one in (broker.ask, broker.ask_for_later))
            gate = Gate(assembled.engine, assembled.catalogue, tell, ask, later, meter)
            running.enter_context(audit.looked_after(assembled.log, __version__))
            reloading.start(assembled)
            ready = watched.ready(announce) if as_worker is None else several.say_ready
            asyncio.run(
                master.serve(settings, gate, ready, watched.leaving),
                loop_factory=event_loops.fastest,
            )
    except DocumentError as error:
        raise click.ClickException(f"The list of services cannot be used:\n{error}") from error
    except (
        trust.AuthorityError,
        master.StartError,
        listening.ListenError,
        several.WorkersError,
        monitoring.MonitorError,
        UserFileError,
        UpstreamProxyError,
    ) as error:
        raise click.ClickException(str(error)) from error
    finally:
        reloading.stop()


def _users(file: Path | None, directory: Path | None) -> UserList | None:
    if file is not None and directory is not None:
        raise click.UsageError("Users come from --users or from --ldap, not from both.")
    if directory is not None:
        return Directory(directory)
    return None if file is None else UserFile(file)


def _say_stopped() -> None:
    logger.info("Stopped. Pictures are no longer protected.", extra={"event": "stopped"})


def _no_phones(state_folder: Path) -> None:
    try:
        household = phones.read(phones.file(state_folder))
    except phones.PhonesError as error:
        raise click.ClickException(str(error)) from error
    if household is not None and household.phones:
        raise click.ClickException(
            "What phones send does not go through another proxy: leave out --upstream-proxy, or "
            "`safelight phones remove` them."
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
        facts = {"version": __version__, "policy": self._revision(), "services": services}
        logger.info("\n".join(lines), extra={"event": "started", "facts": facts})
        click.echo(f"ready {where}")

    def _revision(self) -> str | None:
        loaded = self.assembled.loaded
        return loaded.revision if loaded else None

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

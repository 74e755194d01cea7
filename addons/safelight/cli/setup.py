"""safelight setup: make this computer use the proxy; and take that back."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from safelight import desktop, paths, trust
from safelight.cli import catalogue, words
from safelight.cli.options import STATE, address
from safelight.setting_up import Memory, RememberingError
from safelight.steps import Run, StepError
from safelight.trust import stores

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safelight.services import Catalogue
    from safelight.steps import Part, Step


@click.command()
@click.option("--undo", is_flag=True, help="Take everything back that was set up.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Only print what would be done.")
@click.option(
    "--listen",
    callback=address,
    default="127.0.0.1:8080",
    show_default=True,
    metavar="ADDR:PORT",
    help="Where the proxy will be found on this computer.",
)
@STATE
def setup(*, undo: bool, yes: bool, dry_run: bool, listen: str, state: Path) -> None:
    """Make this computer use Safelight: trust its certificate, send AI services through it, start
    it when you log in.

    Each change is shown first, and made when you say yes. `--undo` takes all of them back.
    """
    try:
        memory = Memory(state)
        if undo:
            _Undoing(memory, state, listen, _Asking(yes=yes, dry_run=dry_run)).run()
        else:
            _SettingUp(memory, state, listen, _Asking(yes=yes, dry_run=dry_run)).run()
    except (RememberingError, trust.AuthorityError) as error:
        raise click.ClickException(str(error)) from error


@dataclass(frozen=True, slots=True)
class _Asking:
    """Whether a change is made."""

    yes: bool
    dry_run: bool

    def may(self, says: str, steps: Sequence[Step]) -> bool:
        """Show it, and ask."""
        click.echo(f"\n{says[0].upper()}{says[1:]}:")
        for step in steps:
            click.echo(f"    {_shortened(str(step))}")
        return not self.dry_run and (self.yes or click.confirm("  Do this?", default=True))


def _shortened(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:120]}[... {len(text) - 120} more letters]"


@dataclass(frozen=True, slots=True)
class Parts:
    """All that can be set up on this machine: what trusts the certificate, what starts the proxy,
    what sends AI services to it."""

    stores: tuple[Part, ...]
    starts: tuple[Part, ...]
    proxies: tuple[Part, ...]

    @property
    def every(self) -> tuple[Part, ...]:
        """In the order in which they are set up: somebody has to listen before anything is sent."""
        return (*self.stores, *self.starts, *self.proxies)


def parts(known: Catalogue, listen: str, state: Path) -> Parts:
    """The parts for a proxy that listens at `listen` (ADDR:PORT)."""
    home = Path.home()
    script = trust.pac.script(known.host_patterns(), listen)
    command = [sys.executable, "-m", "safelight", "run", "--listen", listen]
    if state != paths.default_state():
        command += ["--state", str(state)]
    return Parts(
        tuple(stores.found(state / trust.ROOT_FILE, home)),
        tuple(desktop.start_at_login(command, paths.settings(), home)),
        tuple(desktop.proxy_settings(trust.pac.as_url(script), f"http://{listen}/proxy.pac")),
    )


def _do(steps: Sequence[Step]) -> bool:
    """Do them; where one fails, say so and stop."""
    try:
        for step in steps:
            step.do()
    except StepError as error:
        click.echo(f"  That did not work: {error}")
        return False
    return True


@dataclass(frozen=True, slots=True)
class _SettingUp:
    memory: Memory
    state: Path
    listen: str
    asking: _Asking

    def run(self) -> None:
        """Set up what is not, and say what is left to do. Exits with 1 if something failed."""
        known = catalogue.load()
        self._authority(known)
        left: list[str] = []
        some = parts(known, self.listen, self.state)
        for part in some.every:
            if part.is_done():
                click.echo(f"\nAlready there: {part.says}.")
            else:
                left += self._set_up(part)
        if self.asking.dry_run:
            click.echo("\nNothing was changed.")
            return
        starts = any(part.is_done() for part in some.starts)
        click.echo("\nTo do by hand:" if left or not starts else "\nAll is set up.")
        for one in left:
            click.echo(f"  - {one}")
        if not starts:
            click.echo(f"  - start the proxy: {words.program()} run --listen {self.listen}")
        if not some.proxies:
            click.echo(
                "  - tell your browser: automatic proxy configuration at "
                f"http://{self.listen}/proxy.pac, or the text that "
                f"`{words.program()} pac --url` prints"
            )
        click.echo(
            f"`{words.program()} doctor --proxy {self.listen}` looks whether all of it works; "
            "--undo takes it back."
        )
        if left:
            raise SystemExit(1)

    def _authority(self, known: Catalogue) -> None:
        """Make the certificate on first use, and say what it is for."""
        names = known.permitted_names()
        if self.asking.dry_run:
            authority = trust.open_existing(self.state)
        else:
            authority = trust.open_or_create(self.state, names)
        click.echo(
            f"Safelight opens connections to {len(known.services)} AI services and no others. "
            f"Its certificate can\nspeak for {len(names)} names of theirs: your bank, your mail "
            "and everything else stay closed to it,\neven if somebody stole its key. "
            "`safelight ca show --names` lists them."
        )
        if authority is None:
            click.echo(f"\nMake that certificate:\n    write {self.state / trust.ROOT_FILE}")
        elif authority.missing(names):
            click.echo("It was made before some services were added: see `safelight ca rotate`.")

    def _set_up(self, part: Part) -> list[str]:
        """Do one part; what is left to do by hand."""
        lacking = part.lacks()
        if lacking is not None:
            click.echo(f"\nCannot {part.says}. {lacking}")
            return [] if self.asking.dry_run else [lacking]
        steps = part.do()
        if not self.asking.may(part.says, steps):
            return []
        self.memory.note(part.id, part.before())
        if not _do(steps):
            return [f"{part.says}: " + "; ".join(_shortened(str(step)) for step in steps)]
        click.echo("  Done.")
        return []


@dataclass(frozen=True, slots=True)
class _Undoing:
    memory: Memory
    state: Path
    listen: str
    asking: _Asking

    def run(self) -> None:
        """Take back what was set up, last things first. Exits with 1 if something failed."""
        failed = False
        for part in reversed(parts(catalogue.load(), self.listen, self.state).every):
            if part.id in self.memory:
                failed |= not self._undo(part)
        if not self.memory and not self.asking.dry_run:
            self._remove_the_certificate()
        if self.asking.dry_run:
            click.echo("\nNothing was changed.")
        elif failed or self.memory:
            click.echo("\nSome of it is still there; the same command tries again.")
            raise SystemExit(1)
        else:
            click.echo("\nNothing is left but your audit log and your own policies.")

    def _undo(self, part: Part) -> bool:
        steps = part.undo(self.memory.before(part.id))
        if steps and not self.asking.may(f"take back: {part.says}", steps):
            return True
        if self.asking.dry_run:
            return True
        if not _do(steps):
            return False
        self.memory.forget(part.id)
        return True

    def _remove_the_certificate(self) -> None:
        """Nobody trusts it any more."""
        gone = trust.files(self.state)
        if gone and self.asking.may(
            "remove the certificate and its key", [Run(("rm", *map(str, gone)))]
        ):
            trust.remove(self.state)
            (self.state / trust.PROGRAMS_FILE).unlink(missing_ok=True)
        for folder in (self.state, self.state.parent):
            with contextlib.suppress(OSError):
                folder.rmdir()

"""The `safelight` command."""

from __future__ import annotations

import click

from safelight import __version__
from safelight.cli.audit import audit
from safelight.cli.ca import ca
from safelight.cli.doctor import doctor, status
from safelight.cli.env import env
from safelight.cli.holds import holds, watch
from safelight.cli.inspect import inspect
from safelight.cli.pac import pac
from safelight.cli.pause import pause
from safelight.cli.phones import phones
from safelight.cli.policy import policy
from safelight.cli.run import run
from safelight.cli.services import services
from safelight.cli.setup import setup
from safelight.cli.strip import strip


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="safelight")
def main() -> None:
    """Keep photos from telling AI services more than you mean to.

    Start with `safelight run`. To see what one photo would have told, use `safelight inspect
    PHOTO`; to clean a copy by hand, `safelight strip PHOTO`.
    """


main.add_command(run)
main.add_command(setup)
main.add_command(doctor)
main.add_command(status)
main.add_command(inspect)
main.add_command(strip)
main.add_command(policy)
main.add_command(pause)
main.add_command(services)
main.add_command(audit)
main.add_command(ca)
main.add_command(pac)
main.add_command(env)
main.add_command(phones)
main.add_command(holds)
main.add_command(watch)

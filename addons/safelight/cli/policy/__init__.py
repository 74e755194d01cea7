"""safelight policy: write policies, check and test them, and ask why they decide as they do."""

from __future__ import annotations

import click

from safelight.cli.policy.asking import diff, explain
from safelight.cli.policy.files import check, init, schema, test
from safelight.cli.policy.past import replay


@click.group()
def policy() -> None:
    """Work with policy files."""


for command in (check, test, explain, diff, replay, schema, init):
    policy.add_command(command)

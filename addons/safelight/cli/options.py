"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path

import click

from safelight import paths

STATE = click.option(
    "--state",
    type=click.Path(path_type=Path),
    envvar="SAFELIGHT_STATE",
    default=paths.default_state,
    show_default="your data folder",
    metavar="DIR",
    help="The state folder of the proxy, where its keys are.",
)

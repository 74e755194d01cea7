"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path

import click

from safelight import paths

PROXY = click.option(
    "--proxy",
    default="127.0.0.1:8080",
    show_default=True,
    metavar="HOST:PORT",
    help="Where browsers and other programs find the proxy.",
)
STATE = click.option(
    "--state",
    type=click.Path(path_type=Path),
    envvar="SAFELIGHT_STATE",
    default=paths.default_state,
    show_default="your data folder",
    metavar="DIR",
    help="The state folder of the proxy, where its keys are.",
)

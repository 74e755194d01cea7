"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path

import click

from safelight import paths
from safelight.proxy import resolve


def address(_: click.Context, __: click.Parameter, text: str) -> str:
    """`text`, if it is the address of something to connect to."""
    try:
        resolve.parse_address(text)
    except resolve.ResolveError as error:
        raise click.BadParameter(str(error)) from error
    return text


PROXY = click.option(
    "--proxy",
    callback=address,
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

"""safelight pac: the script that tells browsers what goes through the proxy."""

from __future__ import annotations

import click

from safelight import trust
from safelight.cli import catalogue
from safelight.cli.options import PROXY


@click.command()
@PROXY
@click.option("--url", is_flag=True, help="Print it as one long address for a browser's settings.")
def pac(proxy: str, *, url: bool) -> None:
    """Print a proxy auto-configuration script: only AI services go through the proxy.

    A running proxy shows the same at http://ADDR:PORT/proxy.pac. A browser that cannot reach that
    address when it starts goes past the proxy; with --url the script is in the settings themselves.
    """
    script = trust.pac.script(catalogue.load().host_patterns(), proxy)
    click.echo(trust.pac.as_url(script) if url else script, nl=url)

"""safelight env: programs that go by the environment, in one shell."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from safelight import trust
from safelight.cli.options import PROXY, STATE

if TYPE_CHECKING:
    from pathlib import Path

_PROXY = ("HTTPS_PROXY", "https_proxy")
# They take one file in place of what the system trusts; Node.js adds one to what it trusts.
_ROOTS = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_FURTHER_ROOT = "NODE_EXTRA_CA_CERTS"


@click.command()
@PROXY
@click.option("--undo", is_flag=True, help="Print what takes it back.")
@STATE
def env(*, proxy: str, undo: bool, state: Path) -> None:
    """Print what a shell needs for curl, Python, Node.js and their like to use the proxy.

    In the shell: eval "$(safelight env)". It counts there, until the shell ends. All that such
    programs fetch by HTTPS goes through the proxy then, but only AI services are opened.
    """
    names = (*_PROXY, *_ROOTS, _FURTHER_ROOT)
    if undo:
        click.echo(f"unset {' '.join(names)}")
        return
    try:
        authority = trust.open_existing(state)
        if authority is None:
            raise click.ClickException(f"There is no certificate in {state}: `safelight setup`.")
        bundle = trust.for_programs(state, authority.root)
    except trust.AuthorityError as error:
        raise click.ClickException(str(error)) from error
    values = (*[f"http://{proxy}"] * len(_PROXY), *[str(bundle)] * len(_ROOTS), str(authority.root))
    for name, value in zip(names, values, strict=True):
        click.echo(f"export {name}={shlex.quote(value)}")

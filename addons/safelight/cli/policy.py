"""safelight policy: check policy files."""

from __future__ import annotations

from pathlib import Path

import click

from safelight import assembly, paths
from safelight.documents import DocumentError


@click.group()
def policy() -> None:
    """Work with policy files."""


@policy.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
def check(files: tuple[Path, ...]) -> None:
    """Check policy FILES, or the home policy that comes with Safelight.

    Every mistake is shown with its file, line and column. Exit code 1 if there are any. What
    passes here is accepted by `safelight run`: both read it in the same way.
    """
    catalogue = assembly.load_catalogue()
    failed = False
    for file in files or (paths.default_policy(),):
        try:
            loaded = assembly.load_policy([file], catalogue)
        except DocumentError as error:
            click.echo(str(error), err=True)
            failed = True
        else:
            count = len(loaded.policy.rules)
            rules = "1 rule" if count == 1 else f"{count} rules"
            click.echo(f"{file}: ok, {rules}, revision {loaded.revision}")
    if failed:
        raise SystemExit(1)

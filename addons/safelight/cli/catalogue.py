"""The services, for every command that asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from safelight import assembly
from safelight.documents import DocumentError

if TYPE_CHECKING:
    from safelight.services import Catalogue


def load() -> Catalogue:
    """All services; as an error of the command line if they cannot be read."""
    try:
        return assembly.load_catalogue()
    except DocumentError as error:
        raise click.ClickException(f"The list of services cannot be used:\n{error}") from error

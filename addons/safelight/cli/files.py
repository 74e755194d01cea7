"""Files that people name: read, and named on one line."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import click

from safelight.audit.export.plain import printable

if TYPE_CHECKING:
    from pathlib import Path

TOO_LARGE = "it is too large for this computer's memory"


class FileError(Exception):
    """It cannot be read; the text says why."""


def read(file: Path, most: int = -1) -> bytes:
    """What the file holds, or its first bytes. Raises FileError."""
    try:
        mode = file.stat().st_mode
        if stat.S_ISDIR(mode):
            raise FileError("it is a folder; name the pictures in it")
        if not stat.S_ISREG(mode):
            raise FileError("it is not a file")
        with file.open("rb") as opened:
            return opened.read(most)
    except OSError as error:
        raise FileError(error.strerror or "it cannot be read") from error
    except MemoryError as error:
        raise FileError(TOO_LARGE) from error


def shown(file: Path) -> str:
    """Its name as a line can show it, whatever it is made of."""
    return printable(click.format_filename(file))

"""What reading a damaged picture raises becomes the one error that callers know."""

from __future__ import annotations

import struct
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

from safelight.images.model import ImageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safelight.images.model import Format

_STUMBLES = (IndexError, ValueError, ArithmeticError, RecursionError, struct.error, zlib.error)


@contextmanager
def reading(known: Format) -> Iterator[None]:
    """Whatever a reader of numbers and tables stumbles on is damage in the picture."""
    try:
        yield
    except _STUMBLES as error:
        raise ImageError(f"This {known.upper()} is damaged.") from error

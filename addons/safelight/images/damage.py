"""What reading a damaged picture raises becomes the one error that callers know."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

from safelight.images.model import ImageError

if TYPE_CHECKING:
    from safelight.images.model import Format

_STUMBLES = (IndexError, ValueError, ArithmeticError, RecursionError, struct.error, zlib.error)


class reading:  # noqa: N801 - used as `with reading(known):`
    """Whatever a reader of numbers and tables stumbles on is damage in the picture."""

    def __init__(self, known: Format) -> None:
        self._known = known

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, _STUMBLES):
            raise ImageError(f"This {self._known.upper()} is damaged.") from error

"""What reading a damaged picture raises becomes the one error that callers know."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

from safelight.images.model import ImageError

if TYPE_CHECKING:
    from safelight.images.model import Format

# Whatever a reader of numbers and tables stumbles on is damage in the picture.
STUMBLES = (IndexError, ValueError, ArithmeticError, RecursionError, struct.error, zlib.error)


def damaged(known: Format) -> ImageError:
    """What to raise in place of one of these."""
    return ImageError(f"This {known.upper()} is damaged.")

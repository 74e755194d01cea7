"""Camera RAW that begins as a TIFF does (NEF, ARW, PEF and others): its pixels tell it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safelight.images.model import ImageError

if TYPE_CHECKING:
    from collections.abc import Iterable

# Their maker notes hold both the serial number and what colours are computed from.
REFUSED = "Camera RAW pictures cannot be cleaned; save it as JPEG or DNG first."
# TIFF/EP (ISO 12234-2) and DNG: the colours of a filter on the sensor, or one value for each.
_FILTERED, _LINEAR = 32803, 34892
# Schemes of Nikon, Sony, Pentax, Samsung and Kodak.
_SCHEMES = frozenset({34713, 32767, 65535, 32770, 262, 65000})
_LEAF = 0x8606


def refuse(tags: Iterable[int], photometric: int, compression: int) -> None:
    """Raise ImageError for a page with these tags, of a file that is no DNG, if it is RAW."""
    if photometric in {_FILTERED, _LINEAR} or compression in _SCHEMES or _LEAF in set(tags):
        raise ImageError(REFUSED)

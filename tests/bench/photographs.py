"""Pictures to measure with: as noisy as photographs are, and with metadata."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pillow_heif
from PIL import Image, PngImagePlugin

from tests.support import pictures

if TYPE_CHECKING:
    from collections.abc import Iterator

pillow_heif.register_heif_opener()
# Width in pixels that gives about 50 KB, 3 MB and 25 MB.
_WIDTHS: dict[str, tuple[tuple[str, int], ...]] = {
    "JPEG": (("50 KB", 360), ("3 MB", 2800), ("25 MB", 8100)),
    "progressive JPEG": (("3 MB", 2900),),
    "PNG": (("50 KB", 190), ("3 MB", 1450), ("25 MB", 4200)),
    "WebP": (("50 KB", 360), ("3 MB", 2800), ("25 MB", 4200)),
    "HEIC": (("50 KB", 360), ("3 MB", 2700), ("25 MB", 7000)),
}


@dataclass(frozen=True, slots=True)
class Photograph:
    """A picture to measure with."""

    format: str
    size: str
    ending: str
    data: bytes


def all_of_them() -> Iterator[Photograph]:
    """Every format in every size."""
    for known, widths in _WIDTHS.items():
        for size, width in widths:
            yield Photograph(known, size, _ENDINGS[known], _encoded(known, width))


_ENDINGS = {"JPEG": "jpg", "progressive JPEG": "jpg", "PNG": "png", "WebP": "webp", "HEIC": "heic"}


def _encoded(known: str, width: int) -> bytes:
    image, output = _noisy(width, width * 3 // 4), io.BytesIO()
    if known == "PNG":
        told = PngImagePlugin.PngInfo()
        told.add_text("Author", "CANARY Anna")
        image.save(output, "PNG", compress_level=1, pnginfo=told, exif=pictures.exif()[6:])
    elif known == "WebP":
        # Lossy WebP has no room for as much as this.
        lossless = width > 4000
        image.save(output, "WEBP", quality=97, method=0, exif=pictures.exif(), lossless=lossless)
    elif known == "HEIC":
        fast = {"preset": "ultrafast"}
        image.save(output, "HEIF", quality=80, exif=pictures.exif(), enc_params=fast)
    else:
        progressive = known.startswith("progressive")
        image.save(output, "JPEG", quality=95, exif=pictures.exif(), progressive=progressive)
    return output.getvalue()


def _noisy(width: int, height: int) -> Image.Image:
    """Soft shapes with the noise of a sensor."""
    chance = np.random.default_rng(1)
    shapes = chance.integers(0, 255, (height // 64 + 2, width // 64 + 2, 3), dtype=np.uint8)
    soft = np.asarray(Image.fromarray(shapes).resize((width, height), Image.Resampling.BICUBIC))
    noise = chance.normal(0, 7, (height, width, 3))
    return Image.fromarray((soft + noise).clip(0, 255).astype(np.uint8))

"""libvips as a second decoder, which shares no code with Pillow."""

from __future__ import annotations

from typing import Any

import pyvips


def looks(data: bytes) -> tuple[Any, ...] | None:
    """Every frame as it is shown, upright and in sRGB, with delays and loops; None if it cannot."""
    try:
        image = pyvips.Image.new_from_buffer(data, "")
        if _get(image, "n-pages", 1) > 1:
            image = pyvips.Image.new_from_buffer(data, "", n=-1)
        timing = (_get(image, "delay"), _get(image, "loop"), _get(image, "page-height"))
        image = image.autorot()
        if _get(image, "icc-profile-data") is not None:
            image = _in_srgb(image)
        pixels = bytes(image.write_to_memory())
    except pyvips.Error:
        return None
    return (image.width, image.height, image.bands, image.format, timing, pixels)


def _get(image: pyvips.Image, name: str, default: object = None) -> Any:  # noqa: ANN401
    return image.get(name) if image.get_typeof(name) else default


def _in_srgb(image: pyvips.Image) -> pyvips.Image:
    """Profiles that do not fit the picture are ignored, as viewers do."""
    try:
        converted = image.icc_transform("srgb")
        converted.write_to_memory()
    except pyvips.Error:
        return image
    return converted

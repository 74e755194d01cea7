"""Pictures large enough to be cleaned while they flow."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from tests.support import pictures

if TYPE_CHECKING:
    from tests.support.lab import Answered, Lab

STORAGE = "https://files.oaiusercontent.com/file-1?se=2026&sig=abc"


def large(format_: str) -> bytes:
    """A picture of more than 8 MB with secrets."""
    noise = np.random.default_rng(7).integers(0, 256, (2200, 2200, 3), dtype=np.uint8)
    image, output = Image.fromarray(noise), io.BytesIO()
    options: dict[str, object] = {"exif": pictures.exif(6)}
    if format_ == "PNG":
        options |= {"compress_level": 0, "exif": pictures.exif(6)[6:]}
    if format_ == "JPEG":
        options |= {"quality": 100, "subsampling": 0}
    if format_ == "WEBP":
        options |= {"lossless": True, "quality": 0, "method": 0}
    image.save(output, format_, **options)
    data = output.getvalue()
    assert len(data) > 8_000_000
    return data


def put(lab: Lab, data: bytes, *arguments: str) -> Answered:
    """Upload `data` to a service's storage."""
    photo = lab.folder / f"photo-{len(data)}"
    # Several may send the same one at a time.
    if not photo.exists() or photo.read_bytes() != data:
        photo.write_bytes(data)
    return lab.curl(*arguments, "-T", photo, "-H", "Content-Type: image/x", STORAGE)

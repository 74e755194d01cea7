"""The same tools as functions from bytes to bytes, where they can be called like that."""

from __future__ import annotations

import importlib
import io
from typing import TYPE_CHECKING, Any

import piexif
from PIL import Image

from safelight import images
from safelight.images import Length

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    type Library = Callable[[bytes], bytes]


def available() -> Iterator[tuple[str, Library | None]]:
    """Each library's name, and how to call it; None where it is not installed."""
    yield "memcpy", copy
    yield "safelight, compact", images.strip
    yield "safelight, same length", lambda data: images.strip(data, Length.SAME_LENGTH)
    yield "pyexiv2 clear", _module("pyexiv2", _pyexiv2)
    yield "piexif.remove", _piexif
    yield "magicdispel rebuild", _module("magicdispel.formats", _magicdispel)
    yield "photo-metaclean", _module("photometaclean.__main__", _metaclean)
    yield "Pillow open and save", _pillow


def copy(data: bytes) -> bytes:
    """One allocation and one memcpy."""
    whole = memoryview(data)
    return b"".join((whole[:1], whole[1:]))


def _module(name: str, call: Callable[[Any, bytes], bytes]) -> Library | None:
    try:
        module = importlib.import_module(name)
    except ImportError:
        return None
    return lambda data: call(module, data)


def _pyexiv2(module: Any, data: bytes) -> bytes:  # noqa: ANN401
    with module.ImageData(data) as image:
        image.clear_exif()
        image.clear_iptc()
        image.clear_xmp()
        image.clear_comment()
        cleaned: bytes = image.get_bytes()
    return cleaned


def _piexif(data: bytes) -> bytes:
    if not data.startswith((b"\xff\xd8", b"RIFF")):
        raise ValueError("it would take this for the name of a file")
    output = io.BytesIO()
    piexif.remove(data, output)
    return output.getvalue()


def _magicdispel(module: Any, data: bytes) -> bytes:  # noqa: ANN401
    cleaned: bytes = module.MODULES[module.identify(data)].rebuild(data)
    return cleaned


def _metaclean(module: Any, data: bytes) -> bytes:  # noqa: ANN401
    parse = module.parse_jpeg if data.startswith(b"\xff\xd8") else module.parse_png
    cleaned: bytes = parse(data)[0]
    return cleaned


def _pillow(data: bytes) -> bytes:
    output = io.BytesIO()
    with Image.open(io.BytesIO(data)) as image:
        options = {"quality": "keep"} if image.format == "JPEG" else {}
        image.save(output, image.format, **options)
    return output.getvalue()

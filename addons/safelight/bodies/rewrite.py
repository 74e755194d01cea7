"""Put cleaned images and neutral names back into a body, leaving every other byte as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from safelight.bodies import base64_text
from safelight.bodies.model import Encoding

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from safelight.bodies.model import Name, Site


def content(body: bytes, site: Site) -> bytes:
    """The image at `site`, decoded. Raises ValueError when its base64 is damaged."""
    if site.encoding is Encoding.IDENTITY:
        return body[site.start : site.end]
    return base64_text.decode(memoryview(body)[site.start : site.end])


def stands_at(site: Site, body: bytes, image: bytes) -> bool:
    """Is this the image at `site`?"""
    if site.encoding is Encoding.IDENTITY:
        return site.end - site.start == len(image) and body.startswith(image, site.start)
    try:
        return content(body, site) == image
    except ValueError:
        return False


def rewrite(body: bytes, images: Mapping[Site, bytes], names: Mapping[Name, str]) -> bytes:
    """A copy of `body` with the given images and names in place of those that stood there."""
    replacements = [
        (site.start, site.end, _written(body, site, data)) for site, data in images.items()
    ]
    replacements += [
        (name.start, name.end, _written_name(name, value)) for name, value in names.items()
    ]
    return b"".join(_pieces(body, sorted(replacements)))


def _pieces(
    body: bytes, replacements: Iterable[tuple[int, int, bytes]]
) -> Iterable[bytes | memoryview]:
    view = memoryview(body)
    position = 0
    for start, end, replacement in replacements:
        if start < position:
            raise ValueError("two images or names overlap")
        yield view[position:start]
        yield replacement
        position = end
    yield view[position:]


def _written(body: bytes, site: Site, data: bytes) -> bytes:
    if site.encoding is Encoding.IDENTITY:
        return data
    return base64_text.encode(data, body[site.start : site.end])


def _written_name(name: Name, value: str) -> bytes:
    written = quote(value, safe="")
    return f"UTF-8''{written}".encode() if name.extended else written.encode()

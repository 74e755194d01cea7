"""The names that other systems have for types of files (IANA media types, usual endings)."""

from __future__ import annotations

from typing import NamedTuple


class Media(NamedTuple):
    """A media type, and the usual end of a file's name without the dot."""

    mime: str
    ending: str


_MEDIA = {
    "jpeg": Media("image/jpeg", "jpg"),
    "png": Media("image/png", "png"),
    "webp": Media("image/webp", "webp"),
    "gif": Media("image/gif", "gif"),
    "heif": Media("image/heif", "heic"),
    "avif": Media("image/avif", "avif"),
    "tiff": Media("image/tiff", "tif"),
    "jxl": Media("image/jxl", "jxl"),
    "jp2": Media("image/jp2", "jp2"),
    "bmp": Media("image/bmp", "bmp"),
    "ico": Media("image/vnd.microsoft.icon", "ico"),
    "psd": Media("image/vnd.adobe.photoshop", "psd"),
    "svg": Media("image/svg+xml", "svg"),
    "mp4": Media("video/mp4", "mp4"),
    "pdf": Media("application/pdf", "pdf"),
    "zip": Media("application/zip", "zip"),
}


def of(known: str) -> Media:
    """Those of a type as records name it; of one that has none, something for any file."""
    return _MEDIA.get(known, Media("application/octet-stream", known))

"""File names of pictures beside their bytes: in JSON that announces an upload, in headers, in the
query. Which they are is told by their ending; what they become says nothing but that.

The same name always becomes the same, so all steps of an upload keep agreeing with each other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

if TYPE_CHECKING:
    from collections.abc import Mapping

_ENDINGS = "jpe?g|jfif|png|apng|webp|gif|hei[cf]|avif|tiff?|dng|bmp|jxl|jp2|psd|svg|mp4|mov|pdf"
_PICTURE_NAME = re.compile(rf"[^/\\]*\.({_ENDINGS})", re.IGNORECASE)
_KEYS = (
    "name|title|file_?name|original_?file_?name|origin_?file_?name|display_?name|file_?key|"
    "source_?name|upload_?name"
)
_IN_JSON = re.compile(
    rb'("(?:' + _KEYS.encode() + rb')"\s{0,9}:\s{0,9}")'
    rb'((?:[^"\\\x00-\x1f]|\\u[0-9A-Fa-f]{4}){0,300}?)'
    rb"\.(" + _ENDINGS.encode() + rb')"',
    re.IGNORECASE,
)
_HEADERS = ("x-goog-upload-file-name", "x-fal-file-name", "x-entity-name", "x-file-name", "slug")
_IN_DISPOSITION = re.compile(rf'(filename\s*=\s*"?)[^"/\\;]+\.({_ENDINGS})\b', re.IGNORECASE)
_IN_DISPOSITION_EXTENDED = re.compile(r";\s*filename\*\s*=\s*[^;]+", re.IGNORECASE)
_IN_QUERY = frozenset({"name", "filename", "file_name"})
_SIGNATURES = frozenset({"x-amz-signature", "x-goog-signature", "sig", "signature"})
_NEUTRAL = "image"


@dataclass(frozen=True, slots=True)
class Declaration:
    """A request without the names that were in it. `headers` are only those that change."""

    body: bytes
    path: str
    headers: Mapping[str, str]
    endings: frozenset[str]


def neutral(body: bytes, path: str, headers: Mapping[str, str]) -> Declaration | None:
    """The request with neutral names; None when it names no picture.

    `body` has no content coding left, `headers` has lower-case names, `path` holds the query,
    which changes only if there is a body.
    """
    endings: set[str] = set()

    def in_json(match: re.Match[bytes]) -> bytes:
        if match[2] == _NEUTRAL.encode():
            return match[0]
        endings.add(match[3].decode("ascii").lower())
        return match[1] + _NEUTRAL.encode() + b"." + match[3] + b'"'

    new_body = _IN_JSON.sub(in_json, body) if body.lstrip()[:1] in (b"{", b"[") else body
    new_headers = {
        name: value
        for name, old in headers.items()
        if (value := _header(name, old, endings)) != old
    }
    # A request that brings nothing may be looking for that very name.
    new_path = _path(path, endings) if body else path
    if not endings:
        return None
    return Declaration(new_body, new_path, new_headers, frozenset(endings))


def names_picture(name: str) -> bool:
    """Is this the file name of a picture, by its ending?"""
    return _PICTURE_NAME.fullmatch(name) is not None


def _header(name: str, value: str, endings: set[str]) -> str:
    if name in _HEADERS:
        return _renamed(value, endings)
    if name == "content-disposition":
        match = _IN_DISPOSITION.search(value)
        if match is not None and not match[0].endswith(f"{_NEUTRAL}.{match[2]}"):
            endings.add(match[2].lower())
            plain = _IN_DISPOSITION_EXTENDED.sub("", value)
            return _IN_DISPOSITION.sub(rf"\g<1>{_NEUTRAL}.\g<2>", plain)
    return value


def _renamed(value: str, endings: set[str]) -> str:
    match = _PICTURE_NAME.fullmatch(value)
    if match is None or value == f"{_NEUTRAL}.{match[1]}":
        return value
    endings.add(match[1].lower())
    return f"{_NEUTRAL}.{match[1]}"


def _path(path: str, endings: set[str]) -> str:
    """A signed query cannot be changed; what it names was named before."""
    plain, mark, query = path.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    if not mark or any(key.lower() in _SIGNATURES for key, _ in pairs):
        return path
    renamed = [
        (key, _renamed(value, endings) if key.lower() in _IN_QUERY else value)
        for key, value in pairs
    ]
    return f"{plain}?{urlencode(renamed)}" if renamed != pairs else path

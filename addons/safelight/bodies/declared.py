"""File names of pictures beside their bytes: in JSON that announces an upload, in headers, in the
query. Which they are is told by their ending; what they become says nothing but that.

The same name always becomes the same, so all steps of an upload keep agreeing with each other.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote

import stringzilla

from safelight.bodies import headers as field

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ENDINGS = (
    "jpe?g|jpe|jfif|mpo|png|apng|webp|gif|hei[cf]s?|avifs?|tiff?|dng|bmp|jxl|jp2|psd|svg|mp4|m4v|"
    "mov|pdf|cr[23]|nef|arw|orf|rw2|raf"
)
_PICTURE_NAME = re.compile(rf"[^/\\]*\.({_ENDINGS})", re.IGNORECASE)
_PICTURE_PATH = re.compile(rf".*\.({_ENDINGS})", re.IGNORECASE)
_KEYS = (
    "name|title|file_?name|orig(?:in(?:al)?)?_?(?:file_?)?name|display_?name|file_?key|"
    "source_?name|(?:attachment|client|image|local|media|object|photo|picture|upload)_?(?:file_?)?name"
)
_JSON_BEGINS = re.compile(rb"\s*+[{\[]")
_LONGEST_KEY = 32
_KEY_ENDINGS = (b'ame"', b'AME"', b'tle"', b'TLE"', b'ey"', b'EY"')
# Their last letters are made alike: then one search finds all of them.
_ALIKE = bytes.maketrans(b"EyY", b"eee")
_LAST = b'e"'
_PIECE = 1 << 17
_IN_JSON = re.compile(
    rb'("(?:' + _KEYS.encode() + rb')"\s{0,9}:\s{0,9}")'
    rb'((?:[^"\\\x00-\x1f]|\\[^\x00-\x1f]){0,300}?)'
    rb"\.(" + _ENDINGS.encode() + rb')"',
    re.IGNORECASE,
)
_IN_METADATA = re.compile(rf"{_KEYS}|relative_?path", re.IGNORECASE)
# What storage keeps with a file (`x-amz-meta-…`) is signed, as a rule.
_HEADER = re.compile(
    r"(?!x-(?:amz|goog|ms)-meta-)(?:[a-z]+-){0,5}file-?name|x-entity-name|upload-name|slug"
)
_DISPOSITIONS = ("content-disposition", "x-ms-blob-content-disposition")
_IN_PAIRS = re.compile(
    rf"((?:^|&)(?:{_KEYS})=)([^&/\\]*?)(?:\.|%2E)({_ENDINGS})(?=&|$)", re.IGNORECASE
)
_PAIRS = "application/x-www-form-urlencoded"
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

    new_body = _json(body, endings)
    if headers.get("content-type", "").lower().startswith(_PAIRS):
        new_body = _pairs(new_body.decode("latin-1"), endings).encode("latin-1")
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


def _json(body: bytes, endings: set[str]) -> bytes:
    pieces, position = [], 0
    for match in _named_in_json(body, 0, len(body)):
        if match[2] != _NEUTRAL.encode():
            endings.add(match[3].decode("ascii").lower())
            pieces += [body[position : match.end(1)], _NEUTRAL.encode()]
            position = match.end(2)
    return b"".join((*pieces, body[position:])) if pieces else body


def names_in_json(body: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where names of pictures stand in the JSON that is `body[start:end]`."""
    for match in _named_in_json(body, start, end):
        yield match.start(2), match.end(3)


def _named_in_json(body: bytes, start: int, end: int) -> Iterator[re.Match[bytes]]:
    """Keys with names of pictures, in order. Looking for how keys end is faster than the pattern,
    which is tried only there."""
    if _JSON_BEGINS.match(body, start, end) is None:
        return
    for found in _key_endings(body, start, end):
        key = body.rfind(b'"', max(start, found - _LONGEST_KEY), found)
        match = _IN_JSON.match(body, key, end) if key >= 0 else None
        if match is not None:
            yield match
            start = match.end()


def _key_endings(body: bytes, start: int, end: int) -> Iterator[int]:
    view = memoryview(body)
    for first in range(start, end, _PIECE):
        piece = view[first : min(end, first + _PIECE + 1)]
        if stringzilla.find(piece, b'"') < 0:
            continue
        alike = stringzilla.translate(piece, _ALIKE)
        last = stringzilla.find(alike, _LAST)
        while last >= 0:
            behind = first + last + len(_LAST)
            if body.endswith(_KEY_ENDINGS, start, behind):
                yield behind - len(_LAST)
            last = stringzilla.find(alike, _LAST, last + 1)


def names_picture(name: str) -> bool:
    """Is this the file name of a picture, by its ending?"""
    return _PICTURE_NAME.fullmatch(name) is not None


def _header(name: str, value: str, endings: set[str]) -> str:
    if _HEADER.fullmatch(name):
        renamed = _renamed(unquote(value), endings)
        return value if renamed == unquote(value) else renamed
    if name in _DISPOSITIONS:
        return _disposition(value, endings)
    if name == "upload-metadata":
        return ",".join(_member(member, endings) for member in value.split(","))
    return value


def _disposition(value: str, endings: set[str]) -> str:
    """Content-Disposition (RFC 6266) with neutral names."""
    try:
        parameters = field.parse(value).parameters
    except field.HeaderError:
        return value
    named = [(name, parameters[name]) for name in ("filename", "filename*") if name in parameters]
    for name, parameter in sorted(named, key=lambda one: -one[1].start):
        extended = name.endswith("*")
        written = unquote(parameter.value.rpartition("'")[2] if extended else parameter.value)
        renamed = _renamed(written, endings, _PICTURE_PATH)
        if renamed != written:
            renamed = f"UTF-8''{renamed}" if extended else renamed
            value = value[: parameter.start] + renamed + value[parameter.end :]
    return value


def _member(member: str, endings: set[str]) -> str:
    """One of the things that tus tells of a file: its key, and its value in base64."""
    key, _, encoded = member.strip().partition(" ")
    if _IN_METADATA.fullmatch(key) is None:
        return member
    try:
        value = base64.b64decode(encoded).decode()
    except ValueError:
        return member
    renamed = _renamed(value, endings, _PICTURE_PATH)
    return member if renamed == value else f"{key} {base64.b64encode(renamed.encode()).decode()}"


def _renamed(value: str, endings: set[str], pattern: re.Pattern[str] = _PICTURE_NAME) -> str:
    match = pattern.fullmatch(value)
    if match is None or value == f"{_NEUTRAL}.{match[1]}":
        return value
    endings.add(match[1].lower())
    return f"{_NEUTRAL}.{match[1]}"


def _path(path: str, endings: set[str]) -> str:
    """A signed query cannot be changed; what it names was named before."""
    plain, mark, query = path.partition("?")
    if not query:
        return path
    signed = any(key.lower() in _SIGNATURES for key in parse_qs(query, keep_blank_values=True))
    return path if signed else f"{plain}{mark}{_pairs(query, endings)}"


def _pairs(text: str, endings: set[str]) -> str:
    """`key=value&…`, of which nothing changes but names."""

    def renew(match: re.Match[str]) -> str:
        if match[2] == _NEUTRAL:
            return match[0]
        endings.add(match[3].lower())
        return f"{match[1]}{_NEUTRAL}.{match[3]}"

    return _IN_PAIRS.sub(renew, text)

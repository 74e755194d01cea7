"""Text chunks of PNG (W3C PNG, third edition, section 11.3.3): keywords and what they tell."""

from __future__ import annotations

import zlib

from safelight.images import xmp
from safelight.images.model import Kind

_LARGEST_INFLATED = 16_000_000
XMP_KEYWORD = b"XML:com.adobe.xmp"
_TEXT_KINDS = {
    Kind.AUTHOR: {b"author", b"artist", b"copyright"},
    Kind.SOFTWARE: {b"software", b"creator"},
    Kind.CAPTURE_TIME: {b"creation time", b"date:create", b"date:modify", b"date:timestamp"},
    Kind.AI_PROMPT: {
        b"parameters",
        b"prompt",
        b"workflow",
        b"dream",
        b"sd-metadata",
        b"invokeai_metadata",
        b"generation_data",
    },
    Kind.DEVICE: {b"source", b"raw profile type exif", b"raw profile type app1"},
}


def kinds(type_: bytes, payload: bytes) -> set[Kind]:
    """What kinds of things a text chunk tells, by its keyword."""
    keyword = keyword_of(payload)
    if keyword == XMP_KEYWORD:
        return xmp.kinds(content(type_, payload))
    lower = keyword.lower()
    return {kind for kind, words in _TEXT_KINDS.items() if lower in words} or {Kind.COMMENT}


def read(type_: bytes, payload: bytes) -> tuple[str, str]:
    """Keyword and text of a tEXt, zTXt or iTXt chunk, as far as they can be read."""
    text = content(type_, payload)
    encoding = "utf-8" if type_ == b"iTXt" else "latin-1"
    return keyword_of(payload).decode("latin-1"), text.decode(encoding, "replace")


def keyword_of(payload: bytes) -> bytes:
    """The keyword, or the name, that a chunk begins with."""
    return payload[:80].partition(b"\0")[0]


def content(type_: bytes, payload: bytes) -> bytes:
    """The text of a text chunk, inflated; b"" when it cannot be (sections 11.3.3.2 to 4)."""
    rest = payload.partition(b"\0")[2]
    if type_ == b"tEXt":
        return rest
    if type_ == b"zTXt":
        return inflated(rest[1:]) or b""
    compressed = rest[:1] == b"\1"
    text = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
    return (inflated(text) or b"") if compressed else text


def inflated(data: bytes) -> bytes | None:
    """A whole zlib stream inflated; None when it is damaged or too large."""
    return unpacked(data)[0]


def unpacked(data: bytes) -> tuple[bytes | None, bytes]:
    """A whole zlib stream inflated, None when it is damaged or too large, and what is behind it."""
    stream = zlib.decompressobj()
    try:
        inflated = stream.decompress(data, _LARGEST_INFLATED)
    except zlib.error:
        return None, b""
    return (inflated if stream.eof else None), stream.unused_data

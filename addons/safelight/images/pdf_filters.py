"""Filters of a PDF's streams (ISO 32000-2 section 7.4), undone with bounds on what comes out."""

from __future__ import annotations

import base64
import re
import zlib
from typing import TYPE_CHECKING

from pikepdf import Array, Dictionary, Name

from safelight.images.model import ImageError

if TYPE_CHECKING:
    from pikepdf import Object, Stream

MOST_UNPACKED = 256_000_000


def names(stream: Stream) -> list[str]:
    """The filters of a stream, in the order they are undone."""
    found = stream.get("/Filter")
    if isinstance(found, Name):
        return [str(found)]
    return [str(one) for one in found] if isinstance(found, Array) else []


def unpacked(content: bytes, stream: Stream, filters: list[str]) -> bytes:
    """`content` with the leading `filters` of `stream` undone. Raises ImageError."""
    for position, name in enumerate(filters):
        if _predicts(stream.get("/DecodeParms"), position):
            raise ImageError("A picture in this PDF is packed in a way that cannot be read.")
        content = _undone(content, name)
    return content


def _predicts(parameters: Object | None, position: int) -> bool:
    if isinstance(parameters, Array):
        parameters = parameters[position] if position < len(parameters) else None
    return isinstance(parameters, Dictionary) and int(parameters.get("/Predictor", 1)) != 1


def _undone(content: bytes, name: str) -> bytes:
    if name == "/FlateDecode":
        inflated = zlib.decompressobj().decompress(content, MOST_UNPACKED + 1)
        if len(inflated) > MOST_UNPACKED:
            raise ImageError("This PDF unpacks to more than can be looked at.")
        return inflated
    if name == "/ASCII85Decode":
        text = re.sub(rb"\s", b"", content).removeprefix(b"<~").partition(b"~")[0]
        return base64.a85decode(text)
    if name == "/ASCIIHexDecode":
        digits = re.sub(rb"\s", b"", content).partition(b">")[0]
        return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode("ascii"))
    raise ImageError("A picture in this PDF is packed in a way that cannot be read.")

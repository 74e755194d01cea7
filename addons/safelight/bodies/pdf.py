"""Pictures in a PDF's streams (ISO 32000-2 section 7.3.8). They can be cleaned where they are: a
stream keeps its length, so nothing else in the document changes. What the document says about
itself, and what it keeps compressed, is not looked at.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from safelight.bodies.model import Encoding, Site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safelight.bodies.model import Recogniser

_HEADER = b"%PDF-"
_HEADER_WITHIN = 1024
_STREAM = re.compile(rb"stream(?:\r\n|\n)")
_HEAD = 4096


def is_pdf(body: bytes, start: int, end: int) -> bool:
    """Does a PDF stand in `body[start:end]`? Readers allow some bytes before its header."""
    return body.find(_HEADER, start, min(end, start + _HEADER_WITHIN)) >= 0


def is_encrypted(body: bytes, start: int, end: int) -> bool:
    """Are its streams encrypted, so that no picture can be recognised?"""
    return body.find(b"/Encrypt", start, end) >= 0


def find(
    body: bytes, start: int, end: int, recogniser: Recogniser, part: int = 0
) -> Iterator[Site]:
    """Yield a site for each stream that is a picture; its length must stay."""
    position = start
    while (match := _STREAM.search(body, position, end)) is not None:
        position = match.end()
        stop = body.find(b"endstream", position, end)
        if stop < 0:
            return
        if recogniser.starts_image(body[position : min(stop, position + _HEAD)], stop - position):
            # The line break before the keyword is not part of the stream.
            content_end = stop - 2 if body[stop - 2 : stop] == b"\r\n" else stop
            if content_end == stop and body[stop - 1 : stop] in (b"\n", b"\r"):
                content_end -= 1
            yield Site(position, content_end, Encoding.IDENTITY, part=part, fixed=True)
            position = stop

"""A piece of an upload that stands in a form, as its one file."""

from __future__ import annotations

import re
from dataclasses import dataclass

from safelight.bodies import headers, multipart
from safelight.bodies.model import Encoding, Name, Site

_PATH = re.compile(r"/([\w-]+)/(?:parts|complete)/?(?:\?|$)")


@dataclass(frozen=True, slots=True)
class FormPiece:
    """A piece stands at `site`, under `names`."""

    site: Site
    names: tuple[Name, ...]


def upload_of(path: str) -> str:
    """The name of the upload, which stands before `/parts` and `/complete` in a `path`."""
    match = _PATH.search(path)
    return match[1] if match else ""


def form_piece(body: bytes, content_type: str) -> FormPiece:
    """The piece in a form without anything else. Raises ValueError for any other body."""
    field = headers.parse(content_type)
    if field.value != "multipart/form-data":
        raise ValueError("it is not in a form")
    found = multipart.split(body, 0, len(body), multipart.boundary_of(field))
    if len(found.parts) != 1 or any(body[start:end].strip() for start, end in found.margins):
        raise ValueError("the form holds more than one piece")
    [part] = found.parts
    if part.transfer_encoding not in {"", "7bit", "8bit", "binary"} or part.content_encoding:
        raise ValueError("the piece is encoded")
    return FormPiece(
        Site(part.start, part.end, Encoding.IDENTITY, part=1, fixed=True),
        tuple(Name(name.start, name.end, 1, name.extended) for name in part.names),
    )

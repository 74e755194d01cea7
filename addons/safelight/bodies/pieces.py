"""Uploads in several requests: which piece of which upload is this?

Content-Range (RFC 9110 section 14.4), Google's resumable protocol, tus 1.0 and what the IETF makes
of it, the parts of an S3 multipart upload, and the blocks of an Azure blob.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from collections.abc import Mapping

_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of an upload: `upload` is the same for all of its pieces.

    `position` counts bytes, or pieces where `counts_pieces` is set, and is None where pieces only
    have an `identity`: what `lists` these says in which order they belong. `total` is the size of
    all in bytes, None where this request does not say it.
    """

    upload: str
    position: int | None
    total: int | None = None
    counts_pieces: bool = False
    identity: str = ""
    lists: bool = False

    @property
    def is_first(self) -> bool:
        """Does the upload begin here?"""
        return self.position == (1 if self.counts_pieces else 0)


def piece_of(headers: Mapping[str, str], path: str, size: int) -> Piece | None:
    """The piece that a body of `size` bytes is, or None when it is all of an upload.

    `headers` has lower-case names; `path` holds the query. Raises ValueError when the request
    cannot be understood.
    """
    content_range = headers.get("content-range")
    if content_range is not None:
        return _of_range(content_range.strip(), path, size)
    command = headers.get("x-goog-upload-command", "").lower()
    if "upload" in command:
        start = int(headers.get("x-goog-upload-offset", "0"))
        return None if start == 0 and "finalize" in command else Piece(path, start)
    if is_partial(headers):
        raise ValueError("it does not say which part of the upload it is")
    if "upload-offset" in headers:
        start = int(headers["upload-offset"])
        whole = start == 0 and headers.get("upload-length") == str(size)
        return None if whole else Piece(path, start)
    plain, _, query = path.partition("?")
    parameters = parse_qs(query, keep_blank_values=True)
    if "partNumber" in parameters:
        upload = f"{plain} {parameters.get('uploadId', [''])[0]}"
        return Piece(upload, int(parameters["partNumber"][0]), counts_pieces=True)
    if parameters.get("comp") in (["block"], ["blocklist"]):
        upload = f"{plain} {parameters.get('sig', [''])[0]}"
        identity = parameters.get("blockid", [""])[0]
        return Piece(upload, None, identity=identity, lists=parameters["comp"] == ["blocklist"])
    return None


def is_partial(headers: Mapping[str, str]) -> bool:
    """Does it begin one of several uploads that tus will put together? Their own requests do not
    say so, and begin anywhere in the file."""
    return headers.get("upload-concat", "").strip().lower().startswith("partial")


def _of_range(value: str, path: str, size: int) -> Piece | None:
    match = _CONTENT_RANGE.fullmatch(value)
    if match is None or int(match[2]) - int(match[1]) + 1 != size:
        raise ValueError("the range does not fit the body")
    total = None if match[3] == "*" else int(match[3])
    if match[1] == "0" and total == size:
        return None
    return Piece(path, int(match[1]), total)

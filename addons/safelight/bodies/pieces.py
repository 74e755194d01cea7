"""Uploads in several requests: which piece of which upload is this?

Content-Range (RFC 9110 section 14.4), Google's resumable protocol, tus 1.0 and what the IETF makes
of it, the parts of an S3 multipart upload, the blocks of an Azure blob, and Kuaishou's fragments,
which Kling uses.
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
    all in bytes, None where this request does not say it. Where pieces are counted, `start` is the
    byte at which this one says it begins.
    """

    upload: str
    position: int | None
    total: int | None = None
    counts_pieces: bool = False
    identity: str = ""
    lists: bool = False
    start: int | None = None

    @property
    def is_first(self) -> bool:
        """Does the upload begin here?"""
        return self.position == (1 if self.counts_pieces else 0)


def piece_of(headers: Mapping[str, str], path: str, size: int) -> Piece | None:
    """The piece that a body of `size` bytes is, or None when it is all of an upload.

    `headers` has lower-case names; `path` holds the query. Raises ValueError when the request
    cannot be understood.
    """
    plain, _, query = path.partition("?")
    parameters = parse_qs(query, keep_blank_values=True) if query else {}
    if {"fragment_id", "upload_token"} <= parameters.keys():
        return _of_fragment(headers.get("content-range"), plain, parameters, size)
    content_range = headers.get("content-range")
    if content_range is not None:
        start, total = _range(content_range, size)
        return None if (start, total) == (0, size) else Piece(path, start, total)
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


def _of_fragment(
    content_range: str | None, path: str, parameters: Mapping[str, list[str]], size: int
) -> Piece | None:
    """Fragments are put together by their number, from 0; most clients say their range as well."""
    [number] = map(int, parameters["fragment_id"])
    [token] = parameters["upload_token"]
    start, total = (None, None) if content_range is None else _range(content_range, size)
    if number == 0 and total == size:
        return None
    return Piece(f"{path} {token}", number + 1, total, counts_pieces=True, start=start)


def _range(value: str, size: int) -> tuple[int, int | None]:
    """Where a body of `size` bytes begins, and how large all is. Raises ValueError."""
    match = _CONTENT_RANGE.fullmatch(value.strip())
    if match is None or int(match[2]) - int(match[1]) + 1 != size:
        raise ValueError("the range does not fit the body")
    return int(match[1]), None if match[3] == "*" else int(match[3])

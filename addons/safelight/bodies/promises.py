"""What the headers and the query of a request say about its body beyond the content type:
a length that was promised, a digest that binds the bytes, a body that is only a piece.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from collections.abc import Mapping

_DIGEST_HEADERS = (
    "content-md5",  # RFC 1864
    "digest",  # RFC 3230
    "content-digest",  # RFC 9530
    "repr-digest",
    "content-crc32",
    "x-goog-hash",
    "x-ms-blob-content-md5",
    "x-ms-content-crc64",
    "upload-checksum",  # tus 1.0, checksum extension
)
_RESUMABLE_HEADERS = (
    "content-range",
    "x-goog-upload-command",
    "x-goog-upload-offset",
    "upload-offset",  # tus 1.0
    "tus-resumable",
    "x-entity-length",
    "x-goog-content-length-range",
)
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")


def promises_length(headers: Mapping[str, str], query: str) -> bool:
    """Was the body's length promised, so that it must stay as it is to the byte?"""
    if any(name in headers for name in _RESUMABLE_HEADERS):
        return True
    signed = _signed_headers(query)
    return "content-length" in signed or "x-goog-content-length-range" in signed


def binds_bytes(headers: Mapping[str, str], query: str) -> bool:
    """Does a digest or a signature travel with the body, so that no byte may change?"""
    if any(name in headers for name in _DIGEST_HEADERS):
        return True
    if any(name.startswith("x-amz-checksum-") for name in headers):
        return True
    payload_hash = headers.get("x-amz-content-sha256")
    if payload_hash is not None:
        return payload_hash != "UNSIGNED-PAYLOAD"
    # AWS Signature Version 4 in the header always covers the body's hash.
    if headers.get("authorization", "").startswith("AWS4-HMAC-SHA256"):
        return True
    return any(
        name in {"content-md5", "x-amz-content-sha256"} or name.startswith("x-amz-checksum-")
        for name in _signed_headers(query)
    )


def is_piece(headers: Mapping[str, str], query: str) -> bool:
    """Is the body only a piece of what is being uploaded?"""
    content_range = headers.get("content-range")
    if content_range is not None:
        match = _CONTENT_RANGE.fullmatch(content_range.strip())
        return not (match and match[1] == "0" and match[3] == str(int(match[2]) + 1))
    command = headers.get("x-goog-upload-command", "").lower()
    if "upload" in command:
        return "finalize" not in command or headers.get("x-goog-upload-offset", "0") != "0"
    if "tus-resumable" in headers and "upload-offset" in headers:
        return headers["upload-offset"] != "0" or headers.get("upload-length") != headers.get(
            "content-length"
        )
    return "partNumber" in parse_qs(query, keep_blank_values=True)


def _signed_headers(query: str) -> frozenset[str]:
    parameters = parse_qs(query, keep_blank_values=True)
    names = [
        name.lower()
        for key in ("X-Amz-SignedHeaders", "X-Goog-SignedHeaders")
        for value in parameters.get(key, ())
        for name in value.split(";")
    ]
    return frozenset(names)

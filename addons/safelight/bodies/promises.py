"""What the headers and the query of a request say about its body beyond the content type:
a length that was promised, a signature that covers the bytes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from safelight.bodies import digests

if TYPE_CHECKING:
    from collections.abc import Mapping

_RESUMABLE_HEADERS = (
    "content-range",
    "x-goog-upload-command",
    "x-goog-upload-offset",
    "upload-offset",  # tus 1.0
    "tus-resumable",
    "x-entity-length",
    "x-goog-content-length-range",
)
_SIGNED_IN_HEADER = re.compile(r"SignedHeaders=([A-Za-z0-9;-]+)")


def promises_length(headers: Mapping[str, str], query: str) -> bool:
    """Was the body's length promised, so that it must stay as it is to the byte?"""
    if any(name in headers for name in _RESUMABLE_HEADERS):
        return True
    if headers.get("authorization", "").startswith("SharedKey "):
        return True  # Azure signs the length
    signed = _signed_headers(query)
    return "content-length" in signed or "x-goog-content-length-range" in signed


def is_signed(headers: Mapping[str, str], query: str) -> bool:
    """Does a signature cover the body or a digest of it, so that no byte may change?"""
    payload_hash = headers.get("x-amz-content-sha256") or headers.get("x-oss-content-sha256")
    authorization = headers.get("authorization", "")
    # AWS Signature Version 4 in the header covers the body's hash unless it says otherwise.
    if payload_hash is not None:
        if payload_hash != "UNSIGNED-PAYLOAD":
            return True
    elif authorization.startswith("AWS4-HMAC-SHA256"):
        return True
    travelling = digests.names(headers)
    # Older schemes sign Content-MD5 wherever it is sent; RFC 9421 whatever it lists.
    old = authorization.startswith(("AWS ", "OSS ", "SharedKey ")) or "Signature" in parse_qs(query)
    if travelling and (old or "signature-input" in headers):
        return True
    listed = _SIGNED_IN_HEADER.search(authorization)
    signed = _signed_headers(query) | set(listed[1].lower().split(";") if listed else ())
    return any(name in digests.names(dict.fromkeys(signed, "")) for name in signed) or (
        "x-amz-content-sha256" in signed and payload_hash is None
    )


def _signed_headers(query: str) -> frozenset[str]:
    parameters = parse_qs(query, keep_blank_values=True)
    names = [
        name.lower()
        for key in ("X-Amz-SignedHeaders", "X-Goog-SignedHeaders")
        for value in parameters.get(key, ())
        for name in value.split(";")
    ]
    return frozenset(names)

from __future__ import annotations

import pytest

from safelight.bodies import is_signed, promises_length


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({"content-range": "bytes 0-9/10"}, ""),
        ({"x-goog-upload-command": "upload, finalize"}, ""),
        ({"tus-resumable": "1.0.0"}, ""),
        ({}, "X-Amz-SignedHeaders=content-length%3Bhost&X-Amz-Signature=x"),
        ({}, "X-Goog-SignedHeaders=content-type;host;x-goog-content-length-range"),
    ],
)
def test_a_promised_length_is_seen(headers: dict[str, str], query: str) -> None:
    assert promises_length(headers, query)


@pytest.mark.parametrize("query", ["", "X-Amz-SignedHeaders=host", "sig=abc&se=2026"])
def test_no_length_is_promised(query: str) -> None:
    assert not promises_length({"content-length": "5", "content-type": "image/png"}, query)


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({"x-amz-content-sha256": "e3b0c442"}, ""),
        ({"x-oss-content-sha256": "e3b0c442"}, ""),
        ({"content-md5": "x", "authorization": "AWS key:signature"}, ""),
        ({"content-md5": "x", "authorization": "SharedKey account:signature"}, ""),
        ({"content-md5": "x"}, "OSSAccessKeyId=a&Signature=b"),
        ({"content-digest": "sha-256=:x:", "signature-input": "a=()"}, ""),
        (
            {
                "authorization": "AWS4-HMAC-SHA256 SignedHeaders=content-md5;host, Signature=x",
                "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
            },
            "",
        ),
        ({}, "X-Amz-SignedHeaders=host%3Bx-amz-checksum-crc32"),
        ({"authorization": "AWS4-HMAC-SHA256 Credential=x"}, ""),
        ({}, "X-Amz-SignedHeaders=content-md5;host"),
    ],
)
def test_a_signature_of_the_body_is_seen(headers: dict[str, str], query: str) -> None:
    assert is_signed(headers, query)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer x"},
        {"content-md5": "x", "authorization": "Bearer x"},
        {"content-crc32": "0badcafe"},
        {"authorization": "AWS4-HMAC-SHA256 x", "x-amz-content-sha256": "UNSIGNED-PAYLOAD"},
    ],
)
def test_nothing_signs_the_body(headers: dict[str, str]) -> None:
    assert not is_signed(headers, "X-Amz-SignedHeaders=host")

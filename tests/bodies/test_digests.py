from __future__ import annotations

import base64
import hashlib
import zlib

import pytest

from safelight.bodies import DigestError, renewed_digests, with_md5

BODY = b"the new body"


def b64(algorithm: str) -> str:
    return base64.b64encode(hashlib.new(algorithm, BODY).digest()).decode()


def crc(polynomial: int, width: int) -> str:
    """A reflected CRC, bit by bit; it begins and ends with all ones."""
    ones = (1 << width) - 1
    value = ones
    for byte in BODY:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (polynomial if value & 1 else 0)
    return base64.b64encode((value ^ ones).to_bytes(width // 8)).decode()


CRC32C = crc(0x82F63B78, 32)
CRC64 = crc(0x9A6C9329AC4BC9B5, 64)
CRC64_AZURE = base64.b64encode(base64.b64decode(CRC64)[::-1]).decode()
CRC32 = base64.b64encode(zlib.crc32(BODY).to_bytes(4)).decode()


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("content-md5", "x", b64("md5")),
        ("x-ms-blob-content-md5", "x", b64("md5")),
        ("x-amz-checksum-sha256", "x", b64("sha256")),
        ("x-amz-checksum-crc32", "x", CRC32),
        ("x-amz-checksum-crc32c", "x", CRC32C),
        ("x-goog-hash", "crc32c=abcd", f"crc32c={CRC32C}"),
        ("x-amz-checksum-crc64nvme", "x", CRC64),
        ("x-ms-content-crc64", "x", CRC64_AZURE),
        ("content-crc32", "0badcafe", f"{zlib.crc32(BODY):08x}"),
        ("content-crc32", "Ignore", "Ignore"),
        ("digest", "SHA-256=abc", f"SHA-256={b64('sha256')}"),
        ("digest", "md5=abc,sha=def", f"md5={b64('md5')}, sha={b64('sha1')}"),
        ("content-digest", "sha-512=:abc:", f"sha-512=:{b64('sha512')}:"),
        ("x-goog-hash", "md5=abc", f"md5={b64('md5')}"),
        ("upload-checksum", "sha1 abc=", f"sha1 {b64('sha1')}"),
    ],
)
def test_digests_are_computed_anew(name: str, before: str, after: str) -> None:
    headers = {"content-type": "image/png", name: before}
    assert renewed_digests(headers, BODY) == {name: after}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-ms-structured-body", "XSM/1.0; properties=crc64"),
        ("x-amz-checksum-something", "x"),
        ("x-goog-hash", "crc99=abc,md5=abc"),
        ("content-digest", "sha-256=abc; broken"),
        ("upload-checksum", "sha1"),
    ],
)
def test_what_cannot_be_computed_is_said(name: str, value: str) -> None:
    with pytest.raises(DigestError):
        renewed_digests({name: value}, BODY)


def test_no_digest() -> None:
    assert renewed_digests({"content-type": "image/png", "etag": "x"}, BODY) == {}


def test_md5_in_json() -> None:
    old, new = "a" * 32, "b" * 32
    body = b'{"part_ids": ["md5"], "md5": "' + b"A" * 32 + b'"}'
    assert with_md5(body, old, new) == body.replace(b"A" * 32, b"b" * 32)
    assert with_md5(body, "c" * 32, new) == body
    assert with_md5(body, "", "") == body

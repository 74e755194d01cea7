"""Digests that travel with a body, computed anew when the body changes and nothing signs them."""

from __future__ import annotations

import base64
import hashlib
import importlib
import re
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType


class DigestError(ValueError):
    """A digest cannot be computed anew: nobody here knows its algorithm."""


def _hashed(name: str) -> Callable[[bytes], bytes]:
    return lambda body: hashlib.new(name, body, usedforsecurity=False).digest()


def _crc32(body: bytes) -> bytes:
    return zlib.crc32(body).to_bytes(4)


def _crc32c(body: bytes) -> bytes:
    value: int = _checksums().crc32c(body)
    return value.to_bytes(4)


def _crc64nvme(body: bytes) -> bytes:
    value: int = _checksums().crc64nvme(body)
    return value.to_bytes(8)


def _crc64_azure(body: bytes) -> bytes:
    """The same number with its lowest byte first."""
    return _crc64nvme(body)[::-1]


def _checksums() -> ModuleType:
    # It takes a while to load, and few uploads have such a digest.
    return importlib.import_module("awscrt.checksums")


_ALGORITHMS: dict[str, Callable[[bytes], bytes]] = {
    "md5": _hashed("md5"),
    "sha": _hashed("sha1"),
    "sha1": _hashed("sha1"),
    "sha-256": _hashed("sha256"),
    "sha256": _hashed("sha256"),
    "sha-512": _hashed("sha512"),
    "sha512": _hashed("sha512"),
    "crc32": _crc32,
    "crc32c": _crc32c,
    "crc64nvme": _crc64nvme,
    "crc64azure": _crc64_azure,
}
# Headers whose value is the digest alone, in base64: RFC 1864, Azure Blob, Amazon S3.
_BARE = {
    "content-md5": "md5",
    "x-ms-blob-content-md5": "md5",
    "x-ms-content-crc64": "crc64azure",
    "x-amz-checksum-sha1": "sha1",
    "x-amz-checksum-sha256": "sha256",
    "x-amz-checksum-crc32": "crc32",
    "x-amz-checksum-crc32c": "crc32c",
    "x-amz-checksum-crc64nvme": "crc64nvme",
}
# Headers that list `algorithm=digest`: RFC 3230, RFC 9530, Google Cloud Storage.
_LISTED = ("digest", "content-digest", "repr-digest", "x-goog-hash")
# Azure's structured messages have checksums among the bytes.
_UNKNOWN = ("x-ms-structured-body",)
_MEMBER = re.compile(r"\s*([A-Za-z0-9-]+)=(:?)([A-Za-z0-9+/=_-]+)(:?)\s*")
_MD5_IN_JSON = re.compile(rb'("md5"\s{0,9}:\s{0,9}")([0-9A-Fa-f]{32})"')
_TUS = re.compile(r"\s*([A-Za-z0-9-]+)\s+([A-Za-z0-9+/=]+)\s*")


def names(headers: Mapping[str, str]) -> tuple[str, ...]:
    """The headers (lower-case) that hold a digest of the body."""
    known = {*_BARE, *_LISTED, *_UNKNOWN, "content-crc32", "upload-checksum"}
    return tuple(name for name in headers if name in known or name.startswith("x-amz-checksum-"))


def renewed(headers: Mapping[str, str], body: bytes) -> dict[str, str]:
    """The digest headers as they must be for `body`. Raises DigestError."""
    return {name: _renewed(name, headers[name], body) for name in names(headers)}


def with_md5(body: bytes, old: str, new: str) -> bytes:
    """JSON in which `new` stands for every `md5` that was `old`, both in hexadecimal."""

    def renew(match: re.Match[bytes]) -> bytes:
        fits = match[2].decode("ascii").lower() == old
        return match[1] + new.encode("ascii") + b'"' if fits else match[0]

    return _MD5_IN_JSON.sub(renew, body) if old != new else body


def _renewed(name: str, value: str, body: bytes) -> str:
    if name in _BARE:
        return _base64(_BARE[name], body)
    if name == "content-crc32":
        # ByteDance's storage: 8 hexadecimal digits, or a word that asks for no check.
        return f"{zlib.crc32(body):08x}" if re.fullmatch(r"[0-9A-Fa-f]{8}", value) else value
    if name == "upload-checksum":
        match = _TUS.fullmatch(value)
        if match is not None:
            return f"{match[1]} {_base64(match[1], body)}"
    if name in _LISTED:
        matches = [_MEMBER.fullmatch(member) for member in value.split(",")]
        if all(matches):
            return ", ".join(
                f"{match[1]}={match[2]}{_base64(match[1], body)}{match[4]}"
                for match in matches
                if match
            )
    raise DigestError(f"the header {name} cannot be computed anew")


def _base64(algorithm: str, body: bytes) -> str:
    compute = _ALGORITHMS.get(algorithm.lower())
    if compute is None:
        raise DigestError("its algorithm is not known")
    return base64.b64encode(compute(body)).decode("ascii")

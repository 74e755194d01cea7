from __future__ import annotations

import base64
import bz2
import gzip
import io
import json
import lzma
import random
import zipfile
import zlib

import pytest
import zstandard

from safelight.bodies import Doubt, survey
from tests.bodies.recogniser import MARKED, picture

PICTURE = picture(b"x" * 400)


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def doubts(body: bytes, content_type: str = "application/json") -> set[Doubt]:
    return {found.doubt for found in survey(body, content_type, MARKED).doubts}


def archive(content: bytes) -> bytes:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as written:
        written.writestr("notes.txt", "nothing")
        written.writestr("Anna.jpg", content)
    return output.getvalue()


WRAPPED: dict[str, str | bytes] = {
    "base64 of base64": json.dumps({"a": text(text(PICTURE).encode())}),
    "base64 of base64 of base64": text(text(text(PICTURE).encode()).encode()),
    "base64 of JSON": json.dumps({"a": text(json.dumps({"b": text(PICTURE)}).encode())}),
    "base64 of a message": text(b"\0\0\0\1\2\3" + PICTURE),
    "base64 of gzip": json.dumps([text(gzip.compress(PICTURE + random.Random(1).randbytes(500)))]),
    "gzip": gzip.compress(b"before" + PICTURE),
    "zlib": zlib.compress(PICTURE),
    "zlib, fast": zlib.compress(PICTURE, 1),
    "gzip of gzip": gzip.compress(gzip.compress(PICTURE)),
    "gzip of JSON": gzip.compress(json.dumps({"b": text(PICTURE)}).encode()),
    "gzip in a message": b"\x0a\3abc\x12\x80\x01" + gzip.compress(PICTURE) + b"\x1a\1x",
    "gzip behind other members": gzip.compress(b"{}") * 100 + gzip.compress(PICTURE),
    "bzip2": bz2.compress(PICTURE),
    "xz": lzma.compress(PICTURE),
    "xz of gzip in a message": b"\x0a\3abc" + lzma.compress(gzip.compress(PICTURE)),
    "zstd of JSON": zstandard.compress(json.dumps({"b": text(PICTURE * 5)}).encode()),
    "zstd, far inside": zstandard.compress(bytes((1 << 20) - 5) + PICTURE),
    "base64 of zstd": text(zstandard.compress(text(PICTURE * 5).encode())),
    "bzip2 that breaks off": bz2.compress(PICTURE + random.Random(1).randbytes(2_000_000))[:-9],
    "a ZIP in a message": b"\x0a\3abc\x12\x80\x01" + archive(PICTURE) + b"\x1a\1x",
    "a ZIP behind a program": b"MZ" + bytes(5000) + archive(PICTURE),
    "base64 of a ZIP in a message": text(b"\x0a\3abc" + archive(PICTURE)),
    "gzip, far inside": gzip.compress(bytes((1 << 20) - 5) + PICTURE),
}


@pytest.mark.parametrize("case", WRAPPED)
def test_what_is_wrapped_once_more_is_noticed(case: str) -> None:
    body = WRAPPED[case]
    assert doubts(body if isinstance(body, bytes) else body.encode()) == {Doubt.UNKNOWN_SHAPE}


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"audio": text(random.Random(2).randbytes(3000))}).encode(),
        json.dumps({"text": "A" * 5000}).encode(),
        gzip.compress(b"only text " * 1000),
        gzip.compress(b"text")[:-6] + b"damaged",
        b"\x78\x9c is how this text begins",
        bz2.compress(b"only text " * 1000),
        lzma.compress(b"only text " * 1000),
        zstandard.compress(b"only text " * 1000),
        b"\xfd7zXZ\0 \x28\xb5\x2f\xfd BZh91AY&SY is how they begin",
        b"before" + archive(b"only text"),
        b"\x1f\x8b\x08\0 is how gzip begins" * 100,
        b"x" * 10_000,
    ],
)
def test_other_things_are_not(body: bytes) -> None:
    assert doubts(body) == set()


def test_a_known_picture_is_not_looked_into_again() -> None:
    found = survey(json.dumps({"a": text(PICTURE)}).encode(), "application/json", MARKED)
    assert (len(found.sites), found.doubts) == (1, ())


def test_many_attempts_to_unpack_are_too_much() -> None:
    assert doubts(b"x" + gzip.compress(b"text") * 20_000) == {Doubt.TOO_LARGE}


def test_what_is_read_for_nothing_counts_too() -> None:
    """A name of a file that does not end is read from each beginning."""
    beginnings = b"\x1f\x8b\x08\x08" * 3_000
    assert doubts(b"\0" + beginnings + b"x" * 2_000_000) == {Doubt.TOO_LARGE}
    assert doubts(b"\0" + beginnings + b"x" * 200_000) == set()


@pytest.mark.parametrize("wrap", [lambda bomb: bomb, lambda bomb: text(bomb).encode()])
def test_what_unpacks_too_far_is_said(wrap: object) -> None:
    assert callable(wrap)
    bomb = gzip.compress(bytes(300_000_000), 9)
    assert doubts(wrap(bomb)) == {Doubt.TOO_LARGE}

"""Bodies made to take long: each is finished with soon after it was begun."""

from __future__ import annotations

import base64

import pytest

from safelight.bodies import survey
from safelight.examiner import PICTURES

FORM = "multipart/form-data; boundary=X"
PART = b"--X\r\nA: " + b" " * 16_000 + b"\r\n\r\nx\r\n"
SLOW = {
    "spaces in part headers": (PART * 500 + b"--X--", FORM),
    "short base64 lines": (b"AAAA\n" * 2_000_000, "text/plain"),
    "backslashes": (b"\\" * 5_000_000, "text/plain"),
    "escaped slashes": (b"\\/" * 5_000_000, "text/plain"),
    "numbers": (b"255 , " * 2_000_000, "text/plain"),
    "spaces behind a number": (b"255" + b" " * 5_000_000, "text/plain"),
    "halves of escapes": (b"%2" * 5_000_000 + b"\\u00" * 2_000_000, "text/plain"),
    "zeros": (bytes(20_000_000), "application/octet-stream"),
    "beginnings of pictures": (b"x" + b"\xff\xd8" * 10_000_000, "application/octet-stream"),
    "boundaries": (b"--" * 5_000_000, "multipart/form-data; boundary=-"),
    "words": (b"word " * 4_000_000, "text/plain"),
    "many pictures among other base64": (
        b"%s %s " % (base64.b64encode(b"\xff\xd8\xff" + bytes(300)), b"A1b2" * 100) * 40_000,
        "text/plain",
    ),
    "beginnings of lists": (b"255,216,255,224 " * 600_000, "text/plain"),
    "halves of beginnings of lists": (b"[255,216,255,216]" * 500_000, "text/plain"),
    "comments": (b"<!---->" * 2_000_000, "text/html"),
}


@pytest.mark.timeout(30)
@pytest.mark.parametrize(("body", "content_type"), SLOW.values(), ids=SLOW.keys())
def test_soon_done(body: bytes, content_type: str) -> None:
    survey(body, content_type, PICTURES)

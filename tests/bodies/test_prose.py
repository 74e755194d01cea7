"""Short text of words is told from all in which something can be packed."""

from __future__ import annotations

import base64
import json
import zlib

import pytest

from safelight.bodies import is_prose
from safelight.bodies.prose import LONGEST
from tests.bodies.recogniser import MARKED

WORDS = "The safelight lets you work with a photo without exposing it. "
PACKED = zlib.compress(bytes(range(256)) * 4)


@pytest.mark.parametrize(
    "text",
    ["", WORDS * 200, "Grüße aus dem Süden: 20 °C. " * 100, json.dumps({"content": WORDS * 9})],
)
def test_words_are(text: str) -> None:
    assert is_prose(text.encode(), MARKED)


@pytest.mark.parametrize(
    "body",
    [
        WORDS.encode() * (LONGEST // len(WORDS) + 1),
        WORDS.encode() + base64.b64encode(bytes(300)),
        WORDS.encode() + base64.b64encode(bytes(300)).replace(b"AAAAAAAA", b"AAAAAAA\n"),
        WORDS.encode() + b"\n  ".join([base64.b64encode(bytes(57))] * 8),
        WORDS.encode() + b"A" * 300 + b"\r\n" + b" " * 97 + b"A",
        PACKED,
        b" ".join(PACKED[start : start + 50] for start in range(0, len(PACKED), 50)),
        WORDS.encode("utf-16"),
        WORDS.encode() + b"\xff",
    ],
)
def test_what_can_be_packed_is_not(body: bytes) -> None:
    assert not is_prose(body, MARKED)

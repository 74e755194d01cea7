"""Pictures that programs spelled out are noticed wherever they stand in a long chat."""

from __future__ import annotations

import base64
import json
import quopri
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from safelight.bodies import Doubt, survey
from safelight.examiner import PICTURES
from tests.support import pictures

if TYPE_CHECKING:
    from collections.abc import Callable

PROSE = "Anna asked whether the picture could be a little bluer; 255 times, 80 or -1. " * 300


WAYS: dict[str, Callable[[bytes], str]] = {
    "hexadecimal": bytes.hex,
    "hexadecimal in capitals": lambda data: data.hex().upper(),
    "escapes": lambda data: json.dumps(data.decode("latin-1")),
    "escapes twice": lambda data: json.dumps(json.dumps(data.decode("latin-1"))),
    "letters": lambda data: json.dumps(data.decode("latin-1"), ensure_ascii=False),
    "percents": lambda data: quote(data, safe=""),
    "quoted-printable": lambda data: quopri.encodestring(data).decode(),
    "base32": lambda data: base64.b32encode(data).decode(),
    "Ascii85": lambda data: base64.a85encode(data).decode(),
    "base85": lambda data: base64.b85encode(data).decode(),
}


@pytest.mark.parametrize("offset", [0, 1, 700, 1023])
@pytest.mark.parametrize("make", [pictures.jpeg, pictures.png])
@pytest.mark.parametrize("way", WAYS)
def test_it_is_noticed(way: str, make: Callable[[], bytes], offset: int) -> None:
    body = f"{PROSE[offset:]} {WAYS[way](make())} {PROSE}".encode()
    doubts = {found.doubt for found in survey(body, "application/json", PICTURES).doubts}
    assert doubts == {Doubt.UNKNOWN_SHAPE}


@pytest.mark.parametrize(
    "text",
    [
        PROSE,
        json.dumps({"a": "89504e47 ffd8ff u00ff u00d8 %FF %D8 " * 500}),
    ],
)
def test_other_text_is_not_taken_for_one(text: str) -> None:
    assert survey(text.encode(), "application/json", PICTURES).doubts == ()

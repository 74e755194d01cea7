"""Pictures written as lists of numbers are noticed, and colors are not taken for them."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

import pytest

from safelight.bodies import Doubt, survey
from safelight.examiner import PICTURES
from tests.support import more_pictures, pictures

if TYPE_CHECKING:
    from collections.abc import Callable

PROSE = "Anna asked whether the picture could be a little bluer; 255 times, 80 or -1. " * 300
FORMATS = {
    "JPEG": pictures.jpeg,
    "PNG": pictures.png,
    "WebP": pictures.webp,
    "GIF": pictures.gif,
    "TIFF": more_pictures.tiff,
    "HEIC": more_pictures.heic,
    "AVIF": more_pictures.avif,
    "JPEG XL": more_pictures.jxl,
    "JPEG 2000": more_pictures.jp2,
}


def signed(data: bytes) -> list[int]:
    return [byte - 256 * (byte > 127) for byte in data]


def keyed(data: bytes) -> dict[str, int]:
    return {str(place): byte for place, byte in enumerate(data)}


def told(text: object) -> str:
    """As a string in JSON."""
    return json.dumps({"content": text})


WAYS: dict[str, Callable[[bytes], str]] = {
    "numbers": lambda data: json.dumps(list(data)),
    "without spaces": lambda data: json.dumps(list(data), separators=(",", ":")),
    "in lines": lambda data: json.dumps(list(data), indent=12),
    "in rows": lambda data: json.dumps([list(data[at : at + 3]) for at in range(0, len(data), 3)]),
    "signed": lambda data: json.dumps(signed(data)),
    "a typed array": lambda data: json.dumps(keyed(data), separators=(",", ":")),
    "strings": lambda data: json.dumps([str(byte) for byte in data]),
    "with bars": lambda data: "|".join(str(byte) for byte in data),
    "a list in a string": lambda data: told(json.dumps(list(data))),
    "strings in a string": lambda data: told(json.dumps([str(byte) for byte in data])),
    "lines in a string": lambda data: told("\n".join(str(byte) for byte in data)),
    "tabs in a string in a string": lambda data: told(told("\t".join(map(str, data)))),
    "signed in a string": lambda data: told(json.dumps(signed(data), indent=1)),
    "a typed array in a string": lambda data: told(json.dumps(keyed(data))),
    "in a form": lambda data: "a=" + quote_plus(json.dumps(list(data))),
    "a typed array in a form": lambda data: "a=" + quote_plus(told(json.dumps(keyed(data)))),
}


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("way", WAYS)
def test_it_is_noticed(way: str, format_: str) -> None:
    body = f"{PROSE} {WAYS[way](FORMATS[format_]())} {PROSE}".encode()
    doubts = {found.doubt for found in survey(body, "application/json", PICTURES).doubts}
    assert doubts == {Doubt.UNKNOWN_SHAPE}


@pytest.mark.parametrize("offset", [1, 700, 1023])
def test_it_is_noticed_wherever_it_begins(offset: int) -> None:
    body = f"{PROSE[offset:]} {list(pictures.jpeg())} {PROSE}".encode()
    assert survey(body, "", PICTURES).doubts


CHANCE = random.Random(1)


@pytest.mark.parametrize(
    "text",
    [
        "a { color: rgb(255, 216, 255) } ",
        json.dumps({"palette": [[255, 216, 255], [12, 13, 14]]}),
        json.dumps([[255, 216, 0], [137, 80, 77]] * 2_000),
        json.dumps([255, 255, 255] * 5_000),
        json.dumps([CHANCE.choice([255, 216, 224, 0]) for _ in range(50_000)]),
        "\n".join(f"{line},255,216,255" for line in range(5_000)),
        told("\n".join(f"255\t216\t{line % 256}" for line in range(5_000))),
    ],
)
def test_other_numbers_are_not_taken_for_one(text: str) -> None:
    assert survey(text.encode(), "", PICTURES).doubts == ()


def test_very_many_beginnings_count_as_one() -> None:
    """Each takes time to tell."""
    body = b"[255,216,255,224] " * 2_000
    assert survey(body, "", PICTURES).doubts

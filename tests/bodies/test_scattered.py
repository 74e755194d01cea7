"""Pictures written as text with other things between the letters are noticed, and other text is
not taken for them."""

from __future__ import annotations

import base64
import io
import json
import random
import struct
from urllib.parse import quote

import piexif
import pytest
from PIL import Image

from safelight.bodies import Doubt, survey
from safelight.examiner import PICTURES
from tests.support import pictures

PICTURE = pictures.jpeg()
TEXT = base64.b64encode(PICTURE).decode()


def lines(text: str, width: int) -> list[str]:
    return [text[i : i + width] for i in range(0, len(text), width)]


def chance_escapes(text: str) -> str:
    chance = random.Random(1)
    return "".join(f"\\u{ord(c):04X}" if chance.random() < 0.3 else c for c in text)


def dump(line: str, between: str) -> str:
    rows = [PICTURE[at : at + 16] for at in range(0, len(PICTURE), 16)]
    return "".join(
        line.format(
            at=16 * number,
            bytes=row.hex(between),
            pairs=row.hex(between, -2),
            text="".join(chr(byte) if 32 <= byte < 127 else "." for byte in row),
        )
        for number, row in enumerate(rows)
    )


SCATTERED: dict[str, str | bytes] = {
    "spaces": " ".join(lines(TEXT, 4)),
    "short lines": "\n".join(lines(TEXT, 20)),
    "a letter on each line": "\r\n".join(TEXT),
    "quotes and commas": json.dumps(lines(TEXT, 20)),
    "escaped tabs": json.dumps("\t".join(lines(TEXT, 20))),
    "escapes here and there": '{"a": "' + chance_escapes(TEXT) + '"}',
    "entities": f"<i>{TEXT}</i>".replace("/", "&#x2F;").replace("+", "&#43;"),
    "percents twice": "a=" + quote(quote(TEXT, safe=""), safe=""),
    "every letter a percent": "a=" + "".join(f"%{ord(c):02X}" for c in TEXT),
    "UTF-16": json.dumps({"a": TEXT}).encode("utf-16-le"),
    "a path in front": json.dumps({"a": "/uploads/" + TEXT}),
    "letters in front": json.dumps({"a": "abc" + TEXT}),
    "bytes as Python writes them": repr(PICTURE),
    "bytes as JavaScript writes them": "".join(f"\\x{byte:02x}" for byte in PICTURE),
    "octal": "".join(f"\\{byte:03o}" for byte in PICTURE),
    "raw percents twice": quote(quote(PICTURE, safe=""), safe=""),
    "hexdump -C": dump("{at:08x}  {bytes}  |{text}|\n", " "),
    "xxd": dump("{at:08x}: {pairs}  {text}\n", " "),
    "a dump in JSON": json.dumps({"a": dump("{at:04x}: {bytes}\n", "-")}),
    "a dump behind a long line": base64.b64encode(random.Random(4).randbytes(60_000)).decode()
    + "\n"
    + dump("{at:08x}  {bytes}  |{text}|\n", " "),
    "spaced digits": PICTURE.hex(" "),
    "digits with colons": PICTURE.hex(":").upper(),
    "lines of digits": "\n".join(lines(PICTURE.hex(), 60)),
    "a list of hexadecimal numbers": "[" + ", ".join(f"0x{byte:02x}" for byte in PICTURE) + "]",
    "a PNG with percents": quote(pictures.png(), safe=""),
    "strings in a binary message": b"".join(
        b"\x0a" + bytes([len(line)]) + line.encode() for line in lines(TEXT, 12)
    ),
    "far inside": "so it is " * 700_000 + "\n".join(TEXT),
}


@pytest.mark.parametrize("case", SCATTERED)
def test_it_is_noticed(case: str) -> None:
    text = SCATTERED[case]
    body = text if isinstance(text, bytes) else text.encode()
    assert {one.doubt for one in survey(body, "", PICTURES).doubts} == {Doubt.UNKNOWN_SHAPE}


PROSE = {"text": "This is how it begins, and more is said of it here. " * 100}


def sound(loudness: int) -> bytes:
    chance = random.Random(loudness)
    return b"".join(struct.pack("<h", int(chance.gauss(0, loudness))) for _ in range(50_000))


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"code": "for (i = 0; i < 255; i++) { x[i] = 0xff; }\n" * 2000}),
        json.dumps({"text": "50% of it, 100 %, \\u00e9, https://example.org/9j/4?a=%2F\n" * 2000}),
        json.dumps({"hash": random.Random(2).randbytes(100_000).hex()}),
        json.dumps({"noise": base64.b64encode(random.Random(3).randbytes(300_000)).decode()}),
        *(json.dumps({"sound": base64.b64encode(sound(one)).decode()}) for one in (20, 60, 200)),
        json.dumps(
            {"code": r'if data[:8] == b"\x89PNG\r\n\x1a\n" or b"II*\x00\x08\0\0\0"'} | PROSE
        ),
        json.dumps({"example": "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAA..."} | PROSE),
        json.dumps({"example": "data:image/jpeg;base64,/9j/4AAQSkZJRgABAQ..."} | PROSE),
        "und so weiter, /9j/ ist der Anfang eines JPEG " * 2000,
    ],
)
def test_other_text_is_not_taken_for_one(body: str) -> None:
    assert survey(body.encode(), "application/json", PICTURES).doubts == ()


@pytest.mark.parametrize("offset", [0, 333, 512, 700, 1023])
def test_a_small_one_is_noticed_in_much_text(offset: int) -> None:
    """Only what is written as bytes are is read: a long chat has next to none of that."""
    stream = io.BytesIO()
    place = piexif.dump({"GPS": {1: b"N", 2: ((48, 1), (51, 1), (30, 1))}})
    Image.new("RGB", (8, 8), "red").save(stream, "JPEG", exif=place)
    scattered = " ".join(lines(base64.b64encode(stream.getvalue()).decode(), 4))
    text = "Anna asked whether the picture could be a little bluer. " * 2_000
    body = f"{text[: 50_000 + offset]}\n{scattered}\n{text}".encode()
    assert {one.doubt for one in survey(body, "", PICTURES).doubts} == {Doubt.UNKNOWN_SHAPE}

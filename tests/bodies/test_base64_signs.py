"""Base64 in escaped text of other scripts is found, in whatever way and wherever it is written."""

from __future__ import annotations

import json
import random

import pytest

from safelight.bodies import base64_runs
from safelight.examiner import PICTURES

PIECE = 1 << 17
BASE64 = "/9j/4AAQSkZJRgABAQ+AAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRof"
SCRIPTS = {
    "words": json.dumps("Анна спросила, не мог бы снимок быть чуть синее. "),
    "no spaces": json.dumps("安娜问这张照片能不能再蓝一点。我在五月说可以。\n"),
    "twice": json.dumps(json.dumps("安娜问这张照片。我在五月说可以。\n")),
    "lists": json.dumps("・安娜\n- 说可以\n1. 这张照片\n"),
}
WAYS = {
    "as it is": BASE64,
    "slashes": BASE64.replace("/", r"\/"),
    "code points": BASE64.replace("/", r"\u002f"),
    "code points twice": BASE64.replace("/", r"\\u002F").replace("+", r"\\u002b"),
    "percents": BASE64.replace("/", "%2F").replace("+", "%2b"),
    "short lines": r"\n".join(BASE64[at : at + 20] for at in range(0, len(BASE64), 20)),
    "lines of mail": r"\r\n".join(BASE64[at : at + 31] for at in range(0, len(BASE64), 31)),
    "short lines twice": r"\\r\\n".join(BASE64[at : at + 9] for at in range(0, len(BASE64), 9)),
}


def found(text: str) -> list[str]:
    body = text.encode()
    return [text[first:last] for first, last in base64_runs.runs(body, 0, len(body), PICTURES)]


@pytest.mark.parametrize("between", ["", r"\n", " "])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("script", SCRIPTS)
def test_it_is_found(script: str, way: str, between: str) -> None:
    escaped, written = SCRIPTS[script][1:-1], WAYS[way]
    before = escaped * (PIECE // len(escaped) + 1)
    for edge in (500, PIECE):
        for distance in (-200, -80, -40, -33, -31, -20, -6, -1, 0, 3, 40):
            at = len(before[: before.rindex("\\u", 0, edge + distance)].rstrip("\\"))
            text = before[:at] + between + written + between + escaped * 300
            assert written in found(text)


@pytest.mark.parametrize("script", SCRIPTS)
def test_nothing_else_is(script: str) -> None:
    assert found(SCRIPTS[script][1:-1] * 10_000) == []


def test_many_in_one_row_are_all_found() -> None:
    chance = random.Random(1)
    escaped = SCRIPTS["no spaces"][1:-3]
    text = "".join(escaped * chance.randrange(1, 200) + BASE64 for _ in range(200))
    assert found(text) == [BASE64] * 200

from __future__ import annotations

import base64
import json
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.bodies import Site, base64_runs, base64_text, content, survey
from safelight.examiner import PICTURES
from tests.bodies.recogniser import MARKED, picture
from tests.support import documents, pictures
from tests.support import more_pictures as more

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

PLAIN = base64.b64encode(picture(b"\xfb\xff\xbf" * 9 + b"!")).decode()
assert PLAIN.endswith("=")
URL_SAFE = PLAIN.replace("+", "-").replace("/", "_")

WRITINGS = {
    "bare": json.dumps({"image": PLAIN}),
    "data url": json.dumps({"url": f"data:image/jpeg;base64,{PLAIN}"}),
    "escaped slashes": json.dumps({"image": PLAIN}).replace("/", r"\/"),
    "slashes escaped four times": json.dumps({"image": PLAIN}).replace("/", "\\" * 8 + "/"),
    "escaped plus": json.dumps({"image": PLAIN}).replace("+", r"\u002B"),
    "url alphabet, unpadded": json.dumps({"image": URL_SAFE.rstrip("=")}),
    "json in json": json.dumps({"body": json.dumps({"image": PLAIN})}).replace("/", r"\\/"),
    "html in a prompt": json.dumps({"prompt": f'see <img src="data:image/png;base64,{PLAIN}">'}),
    "after an escaped line break": json.dumps({"prompt": f"look at this:\n{PLAIN}"}),
    "after a word and a line break": json.dumps({"prompt": f"this\n{PLAIN}"}),
    "digits and letters escaped": json.dumps({"image": PLAIN})
    .replace("9", r"\u0039")
    .replace("j", r"\u006a"),
    "escaped padding": json.dumps({"image": PLAIN}).replace("=", r"\u003d"),
    "form": "a=1&image=" + PLAIN.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D"),
    "form with a data url": "u=data%3Aimage%2Fjpeg%3Bbase64%2C"
    + PLAIN.replace("+", "%2B").replace("/", "%2F").replace("=", "%3d"),
    "mime lines": base64.encodebytes(base64.b64decode(PLAIN)).decode(),
    "mime lines with carriage returns": base64.encodebytes(base64.b64decode(PLAIN))
    .decode()
    .replace("\n", "\r\n"),
    "broken off json": '{"image": "' + PLAIN,
}


def found_in(body: bytes) -> list[Site]:
    return list(base64_text.find(body, base64_runs.runs(body, 0, len(body), MARKED), MARKED))


@pytest.mark.parametrize("text", WRITINGS.values(), ids=WRITINGS.keys())
def test_found_decoded_and_written_back_in_every_writing(text: str) -> None:
    body = text.encode()
    [site] = found_in(body)
    run = body[site.start : site.end]
    content = base64_text.decode(run)
    assert content == base64.b64decode(PLAIN)
    again = base64_text.encode(content, run)
    assert base64_text.decode(again) == content
    if b"u0039" not in run:
        assert again == run


def test_several_pictures_in_one_text() -> None:
    texts = [base64.b64encode(picture(bytes([i]))).decode() for i in range(5)]
    body = json.dumps({"images": texts, "note": "x" * 100}).encode()
    sites = found_in(body)
    assert [body[site.start : site.end].decode() for site in sites] == texts


def test_text_without_pictures_has_no_sites() -> None:
    body = json.dumps({"text": "/work/anna/photos/holiday " * 20, "id": PLAIN[100:]}).encode()
    assert found_in(body) == []


@given(st.binary(max_size=400), st.sampled_from(["", "="]), st.booleans())
def test_encoding_follows_the_manner_of_the_original(
    data: bytes, padding: str, url_safe: bool
) -> None:
    text = URL_SAFE if url_safe else PLAIN
    like = (text.rstrip("=") if not padding else text).encode()
    written = base64_text.encode(data, like)
    assert base64_text.decode(written) == data
    if url_safe:
        assert b"+" not in written
        assert b"/" not in written


@given(st.binary(max_size=500))
def test_any_bytes_are_searched_without_complaint(body: bytes) -> None:
    for site in found_in(body):
        assert 0 <= site.start < site.end <= len(body)


PHOTOS = [
    pictures.jpeg()[:2] + b"\xff\xfe\0" + bytes([2 + n]) + b"x" * n + pictures.jpeg()[2:]
    for n in range(3)
]
PHOTOS += [pictures.png(), more.tiff(), documents.pdf()]


@pytest.mark.parametrize(
    "behind", ["\nWhat is this?", "\r\nWhat\r\nis\r\nthat", "\n\tEND:VCARD", "\n"]
)
@pytest.mark.parametrize("write", [base64.b64encode, lambda one: base64.encodebytes(one).strip()])
@pytest.mark.parametrize("photo", PHOTOS)
def test_text_on_the_next_line_is_no_part_of_a_picture(
    photo: bytes, write: Callable[[bytes], bytes], behind: str
) -> None:
    for body in (
        write(photo) + behind.encode(),
        json.dumps(write(photo).decode() + behind).encode(),
    ):
        [site] = survey(body, "", PICTURES).sites
        assert content(body, site) == photo


def test_pictures_on_lines_of_their_own() -> None:
    lines = [base64.b64encode(one) for one in PHOTOS]
    body = b"\n".join([b"These", *lines, b"those"])
    found = survey(body, "", PICTURES)
    assert [content(body, site) for site in found.sites] == PHOTOS
    assert found.doubts == ()


def test_many_lines_that_begin_like_a_picture_are_each_looked_at_once() -> None:
    lines = (b"/9j/4AAQ" * 5 + b"\n") * 3 + rb"\/\/"
    assert _calls(lines * 200) < 3 * _calls(lines * 100)


def _calls(body: bytes) -> int:
    """How many calls it takes to find what is in it."""
    calls = 0

    def count(_: FrameType, event: str, __: object) -> None:
        nonlocal calls
        calls += event.endswith("call")

    sys.setprofile(count)
    try:
        runs = base64_runs.runs(body, 0, len(body), PICTURES)
        sites = list(base64_text.find(body, runs, PICTURES))
    finally:
        sys.setprofile(None)
    assert len(sites) >= 100
    return calls

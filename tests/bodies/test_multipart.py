from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.bodies import headers, multipart


def split(body: bytes, boundary: bytes = b"XX") -> multipart.Multipart:
    return multipart.split(body, 0, len(body), boundary)


FORM = (
    b"preamble\r\n"
    b'--XX\r\nContent-Disposition: form-data; name="prompt"\r\n\r\nhello\r\n'
    b"--XX  \r\ncontent-disposition: form-data; name=f; "
    b"filename=\"a b.jpg\"; filename*=UTF-8''c\r\n"
    b"Content-Type: image/jpeg\r\n\r\n\xff\xd8--XX in the middle\r\n--XXY\r\n\xff\xd9\r\n"
    b"--XX--\r\nepilogue"
)


def test_parts_names_and_margins() -> None:
    found = split(FORM)
    assert [FORM[part.start : part.end] for part in found.parts] == [
        b"hello",
        b"\xff\xd8--XX in the middle\r\n--XXY\r\n\xff\xd9",
    ]
    assert found.parts[1].content_type == "image/jpeg"
    assert [FORM[n.start : n.end] for n in found.parts[1].names] == [b"a b.jpg", b"UTF-8''c"]
    assert [n.extended for n in found.parts[1].names] == [False, True]
    before, after = found.margins
    assert FORM[slice(*before)] == b"preamble"
    assert FORM[slice(*after)] == b"epilogue"


def test_empty_parts_and_parts_without_headers() -> None:
    body = b'--XX\r\nContent-Disposition: form-data; name="e"\r\n\r\n\r\n--XX\r\n\r\nbare\r\n--XX--'
    assert [body[p.start : p.end] for p in split(body).parts] == [b"", b"bare"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "never appears"),
        (b"nothing of the sort", "never appears"),
        (b"--XX\r\nA: b\r\n\r\ntext", "breaks off"),
        (b"--XX\r\nA: b\r\n\r\ntext\r\n--XX", "breaks off"),
        (b"--XX\nA: b\n\ntext\n--XX--\n", "carriage return"),
        (b"--XX\r\nA: b\r\n\r\ntext\n--XX--\r\n", "carriage return"),
        (b"--XX\r\nno header\r\n\r\ntext\r\n--XX--", "malformed header"),
        (b"--XX\r\nA: b\r\n folded\r\n\r\ntext\r\n--XX--", "malformed header"),
        (b"--XX\r\nno end of headers\r\n--XX--", "no end to its headers"),
        (b"--XX\r\nContent-Type: a/b\r\nContent-Type: image/png\r\n\r\nx\r\n--XX--", "twice"),
        (b'--XX\r\nContent-Disposition: x; filename="a"; filename="b"\r\n\r\nx\r\n--XX--', "twice"),
        (b'--XX\r\nContent-Disposition: x; filename*0="a"\r\n\r\nx\r\n--XX--', "in pieces"),
        (b"--XX\r\n\r\ntext\r\n--XX--oops", "followed by other text"),
    ],
)
def test_what_is_ambiguous_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(multipart.MultipartError, match=reason):
        split(body)


@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary="])
def test_a_boundary_is_needed(content_type: str) -> None:
    with pytest.raises(multipart.MultipartError):
        multipart.boundary_of(headers.parse(content_type))


@given(st.lists(st.binary(max_size=60), max_size=6))
def test_whatever_parts_hold_they_come_back(contents: list[bytes]) -> None:
    boundary = b"boundary-that-no-content-holds"
    body = b"".join(b"--" + boundary + b"\r\nA: b\r\n\r\n" + c + b"\r\n" for c in contents)
    body += b"--" + boundary + b"--\r\n"
    parts = split(body, boundary).parts
    assert [body[part.start : part.end] for part in parts] == contents


@given(st.lists(st.sampled_from([b"--XX", b"--", b"\r\n", b"\n", b"A: b", b"x", b"\xff"])))
def test_any_body_is_split_or_refused(pieces: list[bytes]) -> None:
    body = b"".join(pieces)
    try:
        found = split(body)
    except multipart.MultipartError:
        return
    position = found.margins[0][1]
    for part in found.parts:
        assert position <= part.start <= part.end <= len(body)
        position = part.end

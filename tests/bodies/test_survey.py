from __future__ import annotations

import base64
import binascii
import json
import quopri
import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.bodies import Doubt, Encoding, Shape, content, rewrite, survey
from tests.bodies.recogniser import MARKED, MARKER, picture

FORM = "multipart/form-data; boundary=XX"


def form(*parts: tuple[str, bytes], boundary: bytes = b"XX") -> bytes:
    body = b"".join(
        b"--" + boundary + b"\r\n" + head.encode() + b"\r\n\r\n" + data + b"\r\n"
        for head, data in parts
    )
    return body + b"--" + boundary + b"--\r\n"


def file(name: str, content_type: str = "image/jpeg", field: str = "file") -> str:
    return (
        f'Content-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
        f"Content-Type: {content_type}"
    )


TEXT = 'Content-Disposition: form-data; name="prompt"'


def test_files_among_fields_in_any_order_whatever_their_declared_type() -> None:
    body = form(
        (file("a.jpg", "text/plain"), picture(b"1")),
        (TEXT, b"hello"),
        (file("b", "application/octet-stream"), picture(b"2")),
    )
    found = survey(body, FORM, MARKED)
    assert found.shape is Shape.MULTIPART
    assert [content(body, site) for site in found.sites] == [picture(b"1"), picture(b"2")]
    assert [site.part for site in found.sites] == [1, 3]
    assert [body[name.start : name.end] for name in found.names] == [b"a.jpg", b"b"]
    assert found.doubts == ()


def test_nested_parts_preamble_and_epilogue() -> None:
    inner = form((file("in.jpg"), picture(b"in")), boundary=b"YY")
    body = b"hello\r\n" + form(("Content-Type: multipart/mixed; boundary=YY", inner)) + b"bye"
    found = survey(body, FORM, MARKED)
    assert [content(body, site) for site in found.sites] == [picture(b"in")]
    assert found.doubts == ()


def test_a_picture_before_the_first_boundary_is_found() -> None:
    body = picture() + b"\r\n" + form((TEXT, b"x"))
    found = survey(body, FORM, MARKED)
    assert [content(body, site) for site in found.sites] == [picture()]


def test_base64_inside_a_part() -> None:
    text = base64.b64encode(picture())
    body = form((TEXT, b"data:image/png;base64," + text), (file("x.png", "image/png"), text))
    found = survey(body, FORM, MARKED)
    assert [site.encoding for site in found.sites] == [Encoding.BASE64] * 2
    assert [content(body, site) for site in found.sites] == [picture()] * 2
    assert found.doubts == ()


@pytest.mark.parametrize("written", [MARKER + b"x" * 400, base64.b64encode(picture(b"x" * 400))])
def test_a_picture_in_the_header_of_a_part_is_doubtful(written: bytes) -> None:
    body = form((TEXT, b"a"), ("X-Thumbnail: HERE\r\n" + TEXT, b"b")).replace(b"HERE", written)
    assert {one.doubt for one in survey(body, FORM, MARKED).doubts} == {Doubt.UNKNOWN_SHAPE}


@pytest.mark.parametrize("content_type", ["", "image/png", "text/plain", "application/json"])
def test_a_raw_picture_is_found_under_any_type(content_type: str) -> None:
    found = survey(picture(), content_type, MARKED)
    assert [(site.start, site.end) for site in found.sites] == [(0, len(picture()))]


@pytest.mark.parametrize(
    ("body", "content_type", "doubt"),
    [
        (b"no picture", "image/jpeg", Doubt.UNREADABLE),
        (form((file("a.jpg"), b"no picture")), FORM, Doubt.UNREADABLE),
        (b"\x08\x01" * 50 + picture(), "application/x-protobuf", Doubt.UNKNOWN_SHAPE),
        (form((TEXT, b"x"))[:-6], FORM, Doubt.UNKNOWN_SHAPE),
        (form((TEXT, b"x")), "multipart/form-data", Doubt.UNKNOWN_SHAPE),
        (form((TEXT, b"x")), "multipart/form-data; boundary=XX; boundary=YY", Doubt.UNKNOWN_SHAPE),
        (
            form((TEXT + "\r\nContent-Transfer-Encoding: quoted-printable", b"x")),
            FORM,
            Doubt.UNKNOWN_SHAPE,
        ),
        (form((TEXT + "\r\nContent-Encoding: gzip", b"x")), FORM, Doubt.UNKNOWN_SHAPE),
        (b"x", "text/plain; charset=utf-16", Doubt.UNKNOWN_SHAPE),
        ("hello".encode("utf-16"), "application/json", Doubt.UNKNOWN_SHAPE),
        (
            form((file("a.zip", "application/zip"), b"PK" * 50 + picture())),
            FORM,
            Doubt.UNKNOWN_SHAPE,
        ),
    ],
)
def test_what_cannot_be_understood_is_doubtful(
    body: bytes, content_type: str, doubt: Doubt
) -> None:
    assert doubt in {found.doubt for found in survey(body, content_type, MARKED).doubts}


JPEG_HEAD = b"\xff\xd8\xff\xe0\x00\x10JFIF"


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"hex": JPEG_HEAD.hex() * 20}),
        json.dumps({"binary": JPEG_HEAD.decode("latin-1")}),
        json.dumps({"binary": JPEG_HEAD.decode("latin-1")}, ensure_ascii=False),
        json.dumps({"binary": JPEG_HEAD.decode("latin-1")})
        .replace("u00ff", "u00FF")
        .replace("u00d8", "u00D8"),
        "photo=%FF%D8%FF%E0",
        "photo=%ff%d8%ff%e0",
        *(
            json.dumps({"a": write(head + bytes(range(60))).decode()})
            for write in (base64.b32encode, base64.a85encode, base64.b85encode)
            for head in (JPEG_HEAD, b"\x89PNG\r\n\x1a\n")
        ),
        "begin 644 a.jpg\n" + binascii.b2a_uu(JPEG_HEAD + bytes(35)).decode(),
        "begin 644 a.png\n" + binascii.b2a_uu(b"\x89PNG\r\n\x1a\n" + bytes(37)).decode(),
        quopri.encodestring(JPEG_HEAD).decode(),
        quopri.encodestring(b"\x89PNG\r\n\x1a\n").decode(),
    ],
)
def test_pictures_spelled_out_as_text_are_doubtful(text: str) -> None:
    found = survey(text.encode(), "application/json", MARKED)
    assert [doubtful.doubt for doubtful in found.doubts] == [Doubt.UNKNOWN_SHAPE]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"hello", "text/plain; charset=windows-1252"),
        (b"Qm" * 40 + b"77MP7YAAs4IA0" * 20, "text/plain"),
        (b'{"a": 1}', "application/json, application/json"),
        (json.dumps({"sha512": "ffd8ff" + "a" * 122}).encode(), "application/json"),
        (json.dumps({"colour": [255, 216, 254, 1]}).encode(), "application/json"),
    ],
)
def test_ordinary_oddities_are_not_doubtful(body: bytes, content_type: str) -> None:
    assert survey(body, content_type, MARKED).doubts == ()


def test_names_of_a_part_that_holds_parts() -> None:
    inner = form((file("in.jpg"), picture(b"in")), boundary=b"YY")
    head = (
        'Content-Disposition: x; filename="out.jpg"\r\nContent-Type: multipart/mixed; boundary=YY'
    )
    body = form((head, inner))
    found = survey(body, FORM, MARKED)
    assert [body[name.start : name.end] for name in found.names] == [b"out.jpg", b"in.jpg"]


def test_names_that_a_field_says_again() -> None:
    fields = [(TEXT, b"b"), (TEXT, b"a.jpg"), (TEXT, b"a.jpg or b"), (TEXT, b"c.txt")]
    files = [(file("a.jpg"), picture(b"1")), (file("b"), picture(b"2")), (file("c.txt"), b"3")]
    body = form(*fields, *files)
    found = survey(body, FORM, MARKED)
    assert [(body[one.start : one.end], one.part) for one in found.names] == [
        (b"a.jpg", 5),
        (b"a.jpg", 5),
        (b"b", 6),
    ]


def test_names_in_json_beside_a_file() -> None:
    told = b'{"attachments": [{"filename": "b.jpg"}, {"filename": "\\u00e4.png"}], "text": "c.jpg"}'
    body = form((TEXT, told), (file("a.jpg"), picture(b"1")), (file("b.jpg"), picture(b"2")))
    found = survey(body, FORM, MARKED)
    assert [(body[one.start : one.end], one.part) for one in found.names] == [
        (b"b.jpg", 3),
        (b"\\u00e4.png", 2),
        (b"a.jpg", 2),
        (b"b.jpg", 3),
    ]
    assert survey(form((TEXT, told)), FORM, MARKED).names == ()


def test_many_named_parts_are_surveyed_quickly() -> None:
    body = form(*[(file(f"{number}.txt", "text/plain"), b"x") for number in range(9000)])
    assert survey(body, FORM, MARKED).sites == ()


def test_multipart_nested_without_end_is_doubtful() -> None:
    body = b"x"
    for depth in range(6):
        body = form(
            (f"Content-Type: multipart/mixed; boundary=B{depth}", body),
            boundary=f"B{depth + 1}".encode(),
        )
    found = survey(body, "multipart/mixed; boundary=B6", MARKED)
    assert [doubtful.doubt for doubtful in found.doubts] == [Doubt.UNKNOWN_SHAPE]


def test_ordinary_requests_hold_nothing() -> None:
    chat = json.dumps({"messages": [{"role": "user", "content": "Hello there! " * 50}]}).encode()
    found = survey(chat, "application/json", MARKED)
    assert (found.shape, found.sites, found.doubts) == (Shape.JSON, (), ())


def test_names_are_written_in_their_own_form() -> None:
    head = (
        'Content-Disposition: form-data; name=f; filename="Anna\'s passport.jpg"; '
        "filename*=UTF-8''Anna%27s%20passport.jpg"
    )
    body = form((head, picture()))
    found = survey(body, FORM, MARKED)
    renamed = rewrite(body, {}, dict.fromkeys(found.names, "image-1.jpg"))
    assert b'filename="image-1.jpg"' in renamed
    assert b"filename*=UTF-8''image-1.jpg" in renamed
    assert b"passport" not in renamed


fields = st.tuples(st.sampled_from(["a", "b"]), st.binary(max_size=80))
blobs = st.one_of(
    fields.map(lambda field: (TEXT.replace("prompt", field[0]), field[1])),
    st.binary(max_size=80).map(lambda tail: (file("x.jpg"), picture(tail))),
    st.binary(max_size=80).map(lambda tail: (TEXT, base64.b64encode(picture(tail)))),
)


@given(st.lists(blobs, max_size=5), st.binary(max_size=200))
def test_bytes_outside_the_sites_never_change(
    parts: list[tuple[str, bytes]], replacement: bytes
) -> None:
    body = form(*parts, boundary=b"a-boundary-nobody-writes")
    found = survey(body, "multipart/form-data; boundary=a-boundary-nobody-writes", MARKED)
    new = rewrite(body, dict.fromkeys(found.sites, replacement), {})
    _same_outside(body, new, found.sites)


@given(st.binary(max_size=600), st.sampled_from(["", FORM, "application/json", "image/png"]))
def test_any_body_is_surveyed_and_kept(body: bytes, content_type: str) -> None:
    found = survey(body, content_type, MARKED)
    assert rewrite(body, {}, {}) == body
    new = rewrite(body, dict.fromkeys(found.sites, b"new"), {})
    _same_outside(body, new, found.sites)


def _same_outside(before: bytes, after: bytes, sites: tuple[object, ...]) -> None:
    """Walk both bodies: between the sites they are the same."""
    position = shift = 0
    for site in sites:
        start, end = site.start, site.end  # type: ignore[attr-defined]
        assert before[position:start] == after[position + shift : start + shift]
        following = before[end : end + 30]
        new_end = after.find(following, start + shift) if following else len(after)
        assert new_end >= 0
        shift = new_end - end
        position = end
    assert before[position:] == after[position + shift :]


def test_quiet_sound_is_no_text_in_utf_16() -> None:
    chance = random.Random(2)
    for _ in range(300):
        samples = [-257, chance.randrange(32, 127), *(int(chance.gauss(0, 100)) for _ in range(80))]
        assert survey(struct.pack("<82h", *samples), "", MARKED).doubts == ()

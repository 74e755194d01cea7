from __future__ import annotations

import json

import pytest

from safelight.bodies import neutral_declaration


@pytest.mark.parametrize(
    "key",
    [
        "image_name",
        "attachmentFileName",
        "file_name",
        "fileName",
        "filename",
        "name",
        "originFileName",
        "orig_name",
    ],
)
@pytest.mark.parametrize(
    ("name", "becomes"),
    [
        ("Anna at home.JPG", "image.JPG"),
        ("Ännä.heic", "image.heic"),
        ("a.b.png", "image.png"),
        ('C:\\A "x"\\Anna.jpe', "image.jpe"),
        ("Anna.CR2", "image.CR2"),
    ],
)
def test_names_in_json(key: str, name: str, becomes: str) -> None:
    for ascii_only in (True, False):
        document = {"x": [{key: name, "size": 5}], "use_case": "multimodal"}
        body = json.dumps(document, ensure_ascii=ascii_only).encode()
        found = neutral_declaration(body, "/files", {})
        assert found is not None
        document["x"] = [{key: becomes, "size": 5}]
        assert json.loads(found.body) == document
        assert found.endings == {becomes.rpartition(".")[2].lower()}
        assert neutral_declaration(found.body, "/files", {}) is None


@pytest.mark.parametrize("before", range((1 << 17) - 24, (1 << 17) + 2))
def test_names_far_into_json(before: int) -> None:
    body = b'{"x": "' + b"x" * (before - 7) + b'", "file_key": "anna.jpg", "NAME": "anna.png"}'
    found = neutral_declaration(body, "/files", {})
    assert found is not None
    assert found.body == body.replace(b"anna", b"image")


@pytest.mark.parametrize(
    "body",
    [
        b'{"name": "Anna"}',
        b'{"name": "report.docx"}',
        b'{"text": "look at anna.jpg"}',
        json.dumps({"text": 'he wrote {"name": "anna.jpg"}'}).encode(),
        b'name="anna.jpg"',
        b'{"name": "a/b/anna.jpg?',
    ],
)
def test_other_texts_stay(body: bytes) -> None:
    assert neutral_declaration(body, "/files", {}) is None


@pytest.mark.parametrize(
    ("name", "value", "becomes"),
    [
        ("x-goog-upload-file-name", "Anna.jpg", "image.jpg"),
        ("x-fal-file-name", "Anna.png", "image.png"),
        ("x-entity-name", "Anna.webp", "image.webp"),
        ("content-disposition", 'form; filename="Anna.jpg"', 'form; filename="image.jpg"'),
        (
            "content-disposition",
            "inline; filename=Anna.jpg; filename*=UTF-8''%C3%84nna.jpg",
            "inline; filename=image.jpg; filename*=UTF-8''image.jpg",
        ),
        (
            "content-disposition",
            "x; filename*=utf-8'de'%C3%84nna.jpg",
            "x; filename*=UTF-8''image.jpg",
        ),
        (
            "content-disposition",
            r'x; filename="Anna \" and; a/b.jpg"; size=5',
            'x; filename="image.jpg"; size=5',
        ),
        ("x-ms-blob-content-disposition", "x; filename=Anna.jpg", "x; filename=image.jpg"),
        ("x-file-name", "Anna%20at%20home%2Ejpg", "image.jpg"),
        ("x-original-filename", "Anna.mpo", "image.mpo"),
        ("filename", "Anna.jpg", "image.jpg"),
        (
            "upload-metadata",
            "filename QW5uYS5qcGc=,relativePath SG9tZS9Bbm5hLmpwZw==,tag QW5uYS5qcGc=,name !,x",
            "filename aW1hZ2UuanBn,relativePath aW1hZ2UuanBn,tag QW5uYS5qcGc=,name !,x",
        ),
    ],
)  # fmt: skip
def test_names_in_headers(name: str, value: str, becomes: str) -> None:
    found = neutral_declaration(b"", "/", {name: value, "user-agent": "Anna.jpg"})
    assert found is not None
    assert found.headers == {name: becomes}
    assert neutral_declaration(b"", "/", {name: becomes}) is None


def test_names_in_a_form_of_pairs() -> None:
    pairs = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
    body = b"length=5&filename=Anna%20at+home%2Ejpg&x=%c3%a4%20+\xff&text=name%3Danna.jpg"
    found = neutral_declaration(body, "/files", pairs)
    assert found is not None
    assert found.body == b"length=5&filename=image.jpg&x=%c3%a4%20+\xff&text=name%3Danna.jpg"
    assert neutral_declaration(found.body, "/files", pairs) is None


def test_json_that_a_client_calls_a_form_of_pairs() -> None:
    called = {"content-type": "application/x-www-form-urlencoded"}
    found = neutral_declaration(b'{"file_name": "Anna.jpg"}', "/files", called)
    assert found is not None
    assert found.body == b'{"file_name": "image.jpg"}'


def test_the_rest_of_the_query_stays_as_it_was_written() -> None:
    found = neutral_declaration(b"x", "/a?b=%20+%2f&orig_name=Anna.png&c&=;%zz", {})
    assert found is not None
    assert found.path == "/a?b=%20+%2f&orig_name=image.png&c&=;%zz"


def test_names_in_the_query() -> None:
    found = neutral_declaration(b"x", "/upload?name=Anna+at%20home.png&id=5", {})
    assert found is not None
    assert found.path == "/upload?name=image.png&id=5"
    signed = "/upload?filename=Anna.png&X-Amz-Signature=abc"
    assert neutral_declaration(b"x", signed, {}) is None
    assert neutral_declaration(b"", "/search?name=Anna.png", {}) is None


def test_time_is_linear() -> None:
    for body in (
        b'{"name": "' + b"a" * 5_000_000,
        b'{"name":"a' * 500_000,
        b"{" + b'"name"' * 10**6,
        b'{"name":"\\\\' * 500_000,
    ):
        assert neutral_declaration(body, "/", {}) is None
    pairs = {"content-type": "application/x-www-form-urlencoded"}
    for body in (b"name=." * 10**6, b"&name=" * 10**6, b"name=" + b".jp" * 10**6):
        assert neutral_declaration(body, "/", pairs) is None

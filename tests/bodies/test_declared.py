from __future__ import annotations

import json

import pytest

from safelight.bodies import neutral_declaration


@pytest.mark.parametrize(
    "key", ["file_name", "fileName", "filename", "name", "originFileName", "orig_name"]
)
@pytest.mark.parametrize(
    ("name", "becomes"),
    [("Anna at home.JPG", "image.JPG"), ("Ännä.heic", "image.heic"), ("a.b.png", "image.png")],
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
            "inline; filename=image.jpg",
        ),
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
    ):
        assert neutral_declaration(body, "/", {}) is None

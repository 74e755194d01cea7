from __future__ import annotations

import pytest

from safelight.bodies import form_piece, upload_of

FORM = "multipart/form-data; boundary=X"
HEAD = b'--X\r\nContent-Disposition: form-data; name="data"; filename="Anna.jpg"\r\n'
BODY = HEAD + b"\r\nbytes\r\n--X--\r\n"


def test_the_piece_and_its_name() -> None:
    found = form_piece(BODY, FORM)
    assert BODY[found.site.start : found.site.end] == b"bytes"
    assert [BODY[name.start : name.end] for name in found.names] == [b"Anna.jpg"]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (BODY, "text/plain"),
        (BODY, "multipart/mixed; boundary=X"),
        (BODY, "multipart/form-data"),
        (BODY, ""),
        (b"more\r\n" + BODY, FORM),
        (BODY + b"more", FORM),
        (HEAD + b"\r\na\r\n" + BODY, FORM),
        (b"--X--\r\n", FORM),
        (HEAD + b"Content-Transfer-Encoding: base64\r\n\r\nbytes\r\n--X--\r\n", FORM),
        (HEAD + b"Content-Encoding: gzip\r\n\r\nbytes\r\n--X--\r\n", FORM),
    ],
)
def test_what_is_no_piece(body: bytes, content_type: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whichever reason
        form_piece(body, content_type)


def test_the_name_of_an_upload() -> None:
    assert upload_of("/v1/uploads/upload_1-a/parts?x=/y/parts") == "upload_1-a"
    assert upload_of("/v1/uploads/upload_1/parts/") == "upload_1"
    assert upload_of("/v1/files") == ""

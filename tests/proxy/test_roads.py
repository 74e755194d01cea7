"""Every mechanism of the catalogue by which a picture travels, through the proxy: the picture is
cleaned and everything else arrives as it was."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from safelight import images
from safelight.bodies import encode_coding
from safelight.images import Length
from tests.support import lab as labs
from tests.support import pictures

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.lab import Lab
    from tests.support.origin import Received

JPEG = pictures.jpeg()
COMPACT = images.strip(JPEG)
KEPT = images.strip(JPEG, Length.SAME_LENGTH)
CHATGPT = "https://chatgpt.com/upload"
STORAGE = "https://files.oaiusercontent.com/files/abc/raw"
FORM = {"content-type": "multipart/form-data; boundary=XX"}


def text(picture: bytes) -> bytes:
    return base64.b64encode(picture)


def part(name: str, content: bytes, more: str = "") -> bytes:
    head = f'--XX\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
    return head.encode() + content + b"\r\n"


@dataclass(frozen=True, slots=True)
class Road:
    """A request made around a picture; `sent` is the picture that should arrive in it."""

    body: Callable[[bytes], bytes]
    sent: bytes = COMPACT
    url: str = CHATGPT
    headers: dict[str, str] = field(default_factory=dict)
    arriving: dict[str, str] = field(default_factory=dict)


def graphql(picture: bytes) -> bytes:
    operations = b'{"query": "mutation($file: Upload!) { x }", "variables": {"file": null}}'
    file = part("0", picture, '; filename="image-1.jpg"\r\nContent-Type: image/jpeg')
    form = part("operations", operations) + part("map", b'{"0": ["variables.file"]}')
    return form + file + b"--XX--\r\n"


def presigned_form(picture: bytes) -> bytes:
    policy = text(b'{"conditions": [["content-length-range", 0, 9999999]]}')
    fields = part("key", b"uploads/${filename}") + part("policy", policy)
    fields += part("x-amz-signature", b"0f" * 32) + part("Content-Type", b"image/jpeg")
    return fields + part("file", picture, '; filename="image-1.jpg"') + b"--XX--\r\n"


def labelled(picture: bytes) -> bytes:
    """A part that says it is a picture and holds base64."""
    more = '; filename="image-1.jpg"\r\nContent-Type: image/jpeg'
    return part("files", text(picture), more) + b"--XX--\r\n"


def protobuf(picture: bytes) -> bytes:
    size = len(picture)
    return b"\x0a\x04name\x12" + bytes([size & 0x7F | 0x80, size >> 7]) + picture + b"\x18\x05"


ROADS = {
    "multipart_file": Road(
        lambda one: part("a", b"b") + part("f", one, '; filename="image-1.jpg"') + b"--XX--\r\n",
        headers=FORM,
    ),
    "graphql_multipart": Road(graphql, headers=FORM),
    "s3_post_form": Road(presigned_form, headers=FORM),
    "multipart_base64": Road(
        lambda one: part("imageBase64", text(one)) + part("n", b"1") + b"--XX--\r\n", headers=FORM
    ),
    "multipart_base64, data URL": Road(
        lambda one: part("x", b"data:image/jpeg;base64," + text(one)) + b"--XX--\r\n", headers=FORM
    ),
    "multipart_base64, labelled as a picture": Road(labelled, headers=FORM),
    "raw_body_api": Road(
        lambda one: one, KEPT, headers={"content-type": "application/octet-stream"}
    ),
    "raw_put_presigned": Road(lambda one: one, KEPT, STORAGE),
    "raw_put_ranges": Road(
        lambda one: one, KEPT, STORAGE, {"content-range": f"bytes 0-{len(JPEG) - 1}/{len(JPEG)}"}
    ),
    "google_resumable": Road(
        lambda one: one,
        KEPT,
        headers={"x-goog-upload-command": "upload, finalize", "x-goog-upload-offset": "0"},
    ),
    "tus": Road(lambda one: one, KEPT, headers={"tus-resumable": "1.0.0", "upload-offset": "0"}),
    "rupload_raw": Road(lambda one: one, KEPT, headers={"x-entity-length": str(len(JPEG))}),
    "imagex_crc": Road(
        lambda one: one,
        KEPT,
        headers={"content-crc32": f"{zlib.crc32(JPEG):08x}"},
        arriving={"content-crc32": f"{zlib.crc32(KEPT):08x}"},
    ),
    "fragment_upload": Road(lambda one: one, KEPT, url=f"{CHATGPT}?fragment_id=0&upload_token=x"),
    "json_base64": Road(
        lambda one: json.dumps({"image": text(one).decode(), "n": 1}).encode(),
        headers={"content-type": "application/json"},
    ),
    "json_data_url": Road(
        lambda one: json.dumps(
            [{"url": f"data:image/jpeg;base64,{text(one).decode()}", "detail": "auto"}]
        ).encode(),
        headers={"content-type": "application/json"},
    ),
    "json_data_url, in HTML in a prompt": Road(
        lambda one: json.dumps(
            {"prompt": f'see <img src="data:image/jpeg;base64,{text(one).decode()}" />'}
        ).encode(),
        headers={"content-type": "application/json"},
    ),
    "text_plain_json_base64": Road(
        lambda one: json.dumps({"bytes": text(one).decode()}).encode(),
        headers={"content-type": "text/plain;charset=UTF-8"},
    ),
    "urlencoded base64": Road(
        lambda one: urlencode({"a": "b", "image": text(one)}).encode(),
        headers={"content-type": "application/x-www-form-urlencoded"},
    ),
    "protobuf_body": Road(protobuf, KEPT, headers={"content-type": "application/x-protobuf"}),
    "grpc": Road(
        lambda one: b"\0" + len(protobuf(one)).to_bytes(4) + protobuf(one),
        KEPT,
        headers={"content-type": "application/grpc"},
    ),
}


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
@pytest.mark.parametrize("name", ROADS)
def test_roads(lab: Lab, name: str, version: str) -> None:
    road = ROADS[name]
    path = lab.folder / "body"
    path.write_bytes(road.body(JPEG))
    arguments = [
        one for header, value in road.headers.items() for one in ("-H", f"{header}: {value}")
    ]
    if "content-type" not in road.headers:
        arguments += ["-H", "content-type: image/x-odd"]
    answer = lab.curl(version, *arguments, "--data-binary", f"@{path}", road.url)
    assert answer.status == 200
    [received] = lab.arrived
    assert received.body == road.body(road.sent)
    expected = {**road.headers, **road.arriving, "content-length": str(len(received.body))}
    assert expected.items() <= received.headers.items()


STORED = "https://prod-files.s3.us-west-2.amazonaws.com/space/photo.jpg?X-Amz-Signature=0f"


def says_where(received: Received) -> tuple[int, str, bytes]:
    """Notion's answer to a question for an address."""
    document = {"url": "x", "signedPutUrl": STORED} if "getUpload" in received.path else {}
    return 200, "application/json", json.dumps(document).encode()


@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_storage_that_only_an_answer_names(tmp_path: Path, coding: str) -> None:
    def packed(received: Received) -> tuple[int, str, bytes, dict[str, str]]:
        status, content_type, content = says_where(received)
        return status, content_type, encode_coding(content, coding), {"content-encoding": coding}

    with labs.running(tmp_path, answer=packed) as lab:
        photo = tmp_path / "photo"
        photo.write_bytes(JPEG)
        # Before anybody named it, it is a stranger's host: relayed as it is, not even decrypted.
        lab.curl("-T", photo, STORED, root=lab.origin_root)
        question = ["--data-binary", '{"bucket": "secure", "name": "Anna.jpg"}']
        url = "https://www.notion.so/api/v3/getUploadFileUrl"
        answered = lab.curl("--compressed", *question, url)
        assert json.loads(answered.body)["signedPutUrl"] == STORED
        lab.curl("-T", photo, STORED)
        lab.curl("-T", photo, STORED.replace("space", "other"))
        before, _, upload, elsewhere = lab.arrived
        assert before.body == JPEG
        assert upload.body == KEPT
        assert elsewhere.body == JPEG
        records = [one for one in lab.proxy.records() if one["pictures"]]
        assert [(one["service"], one["host"]) for one in records] == [
            ("notion_ai", "*.amazonaws.com")
        ]

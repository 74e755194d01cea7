"""Real clients through a real proxy: what arrives, and what is recorded."""

from __future__ import annotations

import base64
import email
import email.policy
import hashlib
import json
import sys
from typing import TYPE_CHECKING

import pytest

from safelight import images
from safelight.bodies import decode_coding, encode_coding
from safelight.images import Length
from tests.support import exiftool, pictures, programs, records

if TYPE_CHECKING:
    import subprocess
    from email.message import Message
    from pathlib import Path

    from tests.support.lab import Lab
    from tests.support.origin import Received

PICTURES = {
    "anna.jpg": pictures.jpeg(),
    "anna.png": pictures.png(),
    "anna.webp": pictures.webp(),
    "anna.gif": pictures.gif(),
}
EDITS = "https://api.openai.com/v1/images/edits"


def parts(received: Received) -> list[Message]:
    head = f"Content-Type: {received.headers['content-type']}\r\n\r\n".encode()
    message = email.message_from_bytes(head + received.body, policy=email.policy.HTTP)
    return [part for part in message.walk() if not part.is_multipart()]


def content(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload


def write(lab: Lab, name: str, data: bytes) -> Path:
    path = lab.folder / name
    path.write_bytes(data)
    return path


def assert_clean(before: bytes, after: bytes) -> None:
    assert after != before
    assert not pictures.says_secrets(after)
    assert pictures.same_pixels(before, after)
    [report] = exiftool.read({"arrived": after}).values()
    assert exiftool.left_over(report) == set()


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
@pytest.mark.parametrize("name", PICTURES)
def test_multipart_by_curl(lab: Lab, version: str, name: str) -> None:
    before = len(lab.proxy.records())
    photo = write(lab, name, PICTURES[name])
    answer = lab.curl(
        version,
        "-F",
        "prompt=make it blue",
        "-F",
        f"image=@{photo};type=image/x-odd",
        "-F",
        "n=1",
        EDITS,
    )
    assert (answer.status, answer.version) == (200, "2" if version == "--http2" else "1.1")
    [received] = lab.arrived
    assert received.version == answer.version
    prompt, image, number = parts(received)
    assert content(prompt) == b"make it blue"
    assert content(number) == b"1"
    assert image.get_content_type() == "image/x-odd"
    assert image.get_filename() == f"image-1.{name[-4:].lstrip('.')}"
    assert_clean(PICTURES[name], content(image))
    assert received.headers["content-length"] == str(len(received.body))
    [record] = lab.new_records(before)
    assert (record["service"], record["road"]) == ("openai_api", "images_edits")
    assert record["pictures"][0]["removed"] is True
    assert record["pictures"][0]["renamed"] is True


def test_several_files_and_fields_in_one_form(lab: Lab) -> None:
    arguments: list[str] = []
    for number, (name, data) in enumerate(PICTURES.items()):
        photo = write(lab, name, data)
        arguments += ["-F", f"field{number}={number}", "-F", f"image[]=@{photo}"]
    assert lab.curl(*arguments, EDITS).status == 200
    files = [part for part in parts(lab.arrived[0]) if part.get_filename()]
    assert [part.get_filename() for part in files] == [
        "image-1.jpg",
        "image-2.png",
        "image-3.webp",
        "image-4.gif",
    ]
    for part, before in zip(files, PICTURES.values(), strict=True):
        assert_clean(before, content(part))


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("declared", ["image/jpeg", "application/octet-stream", "text/plain"])
def test_raw_bodies_keep_their_promised_length(lab: Lab, name: str, declared: str) -> None:
    photo = write(lab, name, PICTURES[name])
    answer = lab.curl(
        "-X",
        "PUT",
        "-H",
        f"content-type: {declared}",
        "--data-binary",
        f"@{photo}",
        "https://files.oaiusercontent.com/files/abc/raw?sig=x",
    )
    assert answer.status == 200
    [received] = lab.arrived
    assert received.body == images.strip(PICTURES[name], Length.SAME_LENGTH)
    assert_clean(PICTURES[name], received.body)


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_digests_fit_what_arrives(lab: Lab, version: str) -> None:
    photo = write(lab, "photo.jpg", pictures.jpeg())
    digest = hashlib.md5(pictures.jpeg(), usedforsecurity=False).digest()
    headers = ["-H", f"content-md5: {base64.b64encode(digest).decode()}", "-H", "digest: md5=x"]
    lab.curl(version, *headers, "--data-binary", f"@{photo}", EDITS)
    [received] = lab.arrived
    assert_clean(pictures.jpeg(), received.body)
    digest = hashlib.md5(received.body, usedforsecurity=False).digest()
    written = base64.b64encode(digest).decode()
    assert received.headers["content-md5"] == written
    assert received.headers["digest"] == f"md5={written}"


def test_pictures_in_protobuf_messages(lab: Lab) -> None:
    message = write(lab, "message", grpc(pictures.jpeg()))
    lab.curl("-H", "content-type: application/grpc", "--data-binary", f"@{message}", EDITS)
    [received] = lab.arrived
    assert received.body == grpc(images.strip(pictures.jpeg(), Length.SAME_LENGTH))


def test_a_picture_in_two_pieces(lab: Lab) -> None:
    photo = pictures.jpeg(width=640, height=480)
    cut = len(photo) - 5_000
    for start, end in ((0, cut), (cut, len(photo))):
        piece = write(lab, "piece", photo[start:end])
        answer = lab.curl(
            "-X",
            "PUT",
            "-H",
            f"content-range: bytes {start}-{end - 1}/{len(photo)}",
            "--data-binary",
            f"@{piece}",
            "https://files.oaiusercontent.com/files/abc/raw",
        )
        assert answer.status == 200
    arrived = b"".join(received.body for received in lab.arrived)
    assert arrived == images.strip(photo, Length.SAME_LENGTH)
    assert_clean(photo, arrived)


def test_names_in_every_step(lab: Lab) -> None:
    before = len(lab.proxy.records())
    announced = write(lab, "announced", b'{"file_name": "Anna at home.jpg", "file_size": 5}')
    lab.curl("--data-binary", f"@{announced}", "https://chatgpt.com/backend-api/files")
    lab.curl("--data-binary", "x", "https://api.openai.com/v1/files?name=Anna.jpg&limit=5")
    lab.curl("-H", "x-entity-name: Anna.jpg", "https://api.openai.com/v1/files")
    step, listing, probe = lab.arrived
    assert step.body == b'{"file_name": "image.jpg", "file_size": 5}'
    assert listing.path == "/v1/files?name=image.jpg&limit=5"
    assert probe.headers["x-entity-name"] == "image.jpg"
    assert [record["transforms"] for record in lab.new_records(before)] == [
        ["rename", "strip-metadata"]
    ] * 3


def grpc(picture: bytes) -> bytes:
    """A gRPC frame of a message with a text, a picture, the picture as a data URL, a text."""
    url = b"data:image/jpeg;base64," + base64.b64encode(picture)
    message = b""
    for number, text in enumerate((b"make it blue", picture, url, b"end"), 1):
        size = len(text)
        length = [size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14]
        message += bytes([number << 3 | 2, *length]) + text
    return b"\0" + len(message).to_bytes(4) + message


def test_chunked_bodies(lab: Lab) -> None:
    photo = write(lab, "anna.jpg", PICTURES["anna.jpg"])
    for version in ("--http1.1", "--http2"):
        lab.curl(
            version,
            "-T",
            photo,
            "-H",
            "transfer-encoding: chunked",
            "-H",
            "expect:",
            "https://files.oaiusercontent.com/files/abc/raw",
        )
    assert len(lab.arrived) == 2
    for received in lab.arrived:
        assert_clean(PICTURES["anna.jpg"], received.body)


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "deflate"])
def test_compressed_bodies(lab: Lab, coding: str) -> None:
    text = json.dumps({"image": base64.b64encode(PICTURES["anna.png"]).decode()}).encode()
    body = write(lab, "body", encode_coding(text, coding))
    lab.curl(
        "-H",
        f"content-encoding: {coding}",
        "-H",
        "content-type: application/json",
        "--data-binary",
        f"@{body}",
        "https://api.openai.com/v1/responses",
    )
    [received] = lab.arrived
    assert received.headers["content-encoding"] == coding
    arrived = json.loads(decode_coding(received.body, coding, 10**7))
    assert_clean(PICTURES["anna.png"], base64.b64decode(arrived["image"]))


def test_json_at_any_depth_and_nothing_else_changes(lab: Lab) -> None:
    url = "data:image/jpeg;base64," + base64.b64encode(PICTURES["anna.jpg"]).decode()
    document = {"a": [{"b": {"image_url": url}}, "ünïcode", 1.50, None], "text": "x" * 500}
    body = write(lab, "body", json.dumps(document).encode())
    lab.curl(
        "-H",
        "content-type: application/json",
        "--data-binary",
        f"@{body}",
        "https://chatgpt.com/backend-api/conversation",
    )
    arrived = lab.arrived[0].body
    cleaned = json.loads(arrived)["a"][0]["b"]["image_url"]
    assert_clean(PICTURES["anna.jpg"], base64.b64decode(cleaned.partition(",")[2]))
    assert arrived.replace(cleaned.encode(), url.encode()) == json.dumps(document).encode()


def test_requests_without_pictures_pass_unrecorded(lab: Lab) -> None:
    before = len(lab.proxy.records())
    chat = write(lab, "chat", json.dumps({"messages": [{"content": "Hello"}] * 50}).encode())
    lab.curl("https://api.openai.com/v1/models")
    lab.curl("--data-binary", f"@{chat}", "https://api.openai.com/v1/chat/completions")
    assert [received.body for received in lab.arrived] == [b"", chat.read_bytes()]
    assert lab.new_records(before) == []


def test_a_clean_picture_is_not_touched(lab: Lab) -> None:
    before = len(lab.proxy.records())
    photo = write(lab, "clean.jpg", pictures.clean_jpeg())
    lab.curl("--data-binary", f"@{photo}", "https://claude.ai/upload")
    assert lab.arrived[0].body == pictures.clean_jpeg()
    [record] = lab.new_records(before)
    assert record["pictures"][0]["found"] == []
    assert record["pictures"][0]["removed"] is False


OPENAI = """
import base64, sys, openai
photo = open(sys.argv[1], 'rb').read()
client = openai.OpenAI(api_key='x', max_retries=0)
client.images.edit(image=open(sys.argv[1], 'rb'), prompt='p', model='gpt-image-1')
client.files.create(file=open(sys.argv[1], 'rb'), purpose='vision')
url = 'data:image/jpeg;base64,' + base64.b64encode(photo).decode()
client.chat.completions.create(model='m', messages=[{'role': 'user', 'content': [
    {'type': 'text', 'text': 'what is this?'}, {'type': 'image_url', 'image_url': {'url': url}}]}])
client.responses.create(model='m', input=[{'role': 'user', 'content': [
    {'type': 'input_image', 'image_url': url, 'detail': 'auto'}]}])
"""
ANTHROPIC = """
import base64, sys, anthropic
photo = open(sys.argv[1], 'rb').read()
client = anthropic.Anthropic(api_key='x', max_retries=0)
client.messages.create(model='m', max_tokens=9, messages=[{'role': 'user', 'content': [
    {'type': 'image', 'source': {'type': 'base64', 'media_type': 'image/jpeg',
     'data': base64.b64encode(photo).decode()}}]}])
client.beta.files.upload(file=('Anna at home.jpg', photo, 'image/jpeg'))
"""


def call_sdk(lab: Lab, program: str, photo: Path) -> subprocess.CompletedProcess[str]:
    return programs.send(lab, [sys.executable, "-c", program], str(photo))


def embedded_picture(received: Received) -> bytes:
    """The one picture in a request, wherever it stands."""
    if received.headers["content-type"].startswith("multipart/"):
        [part] = [part for part in parts(received) if part.get_filename()]
        assert part.get_filename() == "image-1.jpg"
        return content(part)
    start = received.body.index(b"/9j/")
    return base64.b64decode(received.body[start : received.body.index(b'"', start)])


@pytest.mark.parametrize(("program", "requests"), [(OPENAI, 4), (ANTHROPIC, 2)])
def test_the_sdks(lab: Lab, program: str, requests: int) -> None:
    photo = write(lab, "Anna at home.jpg", PICTURES["anna.jpg"])
    done = call_sdk(lab, program, photo)
    assert done.returncode == 0, done.stderr
    assert len(lab.arrived) == requests
    for received in lab.arrived:
        assert_clean(PICTURES["anna.jpg"], embedded_picture(received))
        assert b"Anna" not in received.body


def test_an_sdk_shows_why_an_upload_was_refused(lab: Lab) -> None:
    broken = write(lab, "broken.jpg", PICTURES["anna.jpg"][:500])
    done = call_sdk(lab, OPENAI, broken)
    assert lab.arrived == []
    assert "openai.PermissionDeniedError" in done.stderr
    assert "Safelight did not send this to OpenAI API" in done.stderr


def test_the_audit_file_holds_nothing_personal(lab: Lab) -> None:
    photo = write(lab, "CANARY-name.jpg", PICTURES["anna.jpg"])
    lab.curl(
        "-F",
        f"image=@{photo}",
        "-F",
        "prompt=CANARY prompt",
        "-H",
        "cookie: CANARY",
        "-H",
        "content-type: multipart/form-data; CANARY=1",
        "https://api.openai.com/v1/images/edits?user=CANARY",
    )
    lab.curl("-F", f"image=@{photo}", "https://api.openai.com/v1/CANARY/path?user=CANARY")
    log = records.text(lab.proxy.audit_folder)
    assert "CANARY" not in log
    assert "48.8584" not in log
    assert "CANARY" not in lab.proxy.output

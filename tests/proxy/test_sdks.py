"""Services' own client libraries through a real proxy, each against what it expects to hear."""

from __future__ import annotations

import base64
import json
import re
import sys
from typing import TYPE_CHECKING

import pytest

from safelight import images
from safelight.images import Length
from tests.support import exiftool, pictures, programs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.lab import Lab
    from tests.support.origin import Received

START = """
import base64, sys
path = sys.argv[1]
photo = open(path, 'rb').read()
url = 'data:image/jpeg;base64,' + base64.b64encode(photo).decode()
"""
GEMINI = """
from google import genai
from google.genai import types
client = genai.Client(api_key='x')
client.models.generate_content(model='m', contents=[
    types.Part.from_bytes(data=photo, mime_type='image/jpeg'), 'what is this?'])
client.files.upload(file=path)
"""
MISTRAL = """
from mistralai.client import Mistral
client = Mistral(api_key='x')
client.chat.complete(model='m', messages=[{'role': 'user', 'content': [
    {'type': 'text', 'text': 'what is this?'}, {'type': 'image_url', 'image_url': url}]}])
client.files.upload(file={'file_name': 'Anna at home.jpg', 'content': photo})
"""
# This library brings its own transport, which does not look for a proxy by itself.
REPLICATE = """
import os, httpx, replicate
transport = httpx.HTTPTransport(proxy=os.environ['HTTPS_PROXY'])
client = replicate.Client(api_token='x', transport=transport)
client.files.create(path)
client.predictions.create(version='v', input={'image': open(path, 'rb')})
"""
FAL = """
import fal_client
print(fal_client.SyncClient(key='x').upload(photo, 'image/jpeg', 'Anna at home.jpg'))
"""
HUGGING_FACE = """
from huggingface_hub import InferenceClient
client = InferenceClient('https://pictures.endpoints.huggingface.cloud', token='x')
client.image_classification(path)
client.image_classification(photo, top_k=1)
client = InferenceClient('https://router.huggingface.co/hf-inference/models/a/b', token='x')
client.image_to_text(photo)
client.chat_completion([{'role': 'user', 'content': [
    {'type': 'text', 'text': 'what is this?'}, {'type': 'image_url', 'image_url': {'url': url}}]}])
"""
DISCORD = """
import discord
address = 'https://discord.com/api/webhooks/' + '1' * 18 + '/' + 'x' * 68
webhook = discord.SyncWebhook.from_url(address)
webhook.send('what is this?', file=discord.File(path))
"""
FILE = {
    "id": "f", "object": "file", "bytes": 1, "created_at": 1, "filename": "f", "purpose": "ocr",
    "sample_type": "pretrain", "source": "upload", "etag": "e", "name": "f", "size": 1,
    "content_type": "image/jpeg", "checksums": {"sha256": "x"}, "metadata": {},
    "expires_at": "2030-01-01T00:00:00Z",
    "urls": {"get": "https://api.replicate.com/v1/files/f"},
}  # fmt: skip
CHAT = {
    "id": "c", "object": "chat.completion", "model": "m", "created": 1,
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "cat"}}
    ],
}  # fmt: skip
PREDICTION: dict[str, object] = {
    "id": "p", "model": "m", "version": "v", "status": "succeeded", "input": {}, "output": None,
    "logs": "", "error": None, "created_at": "2030-01-01T00:00:00Z", "urls": {},
}  # fmt: skip
RESUMABLE = "https://generativelanguage.googleapis.com/upload/v1beta/files?upload_id=u"


def service_says(received: Received) -> tuple[int, str, bytes, dict[str, str]]:
    """What each service says to the requests of its library."""
    path, headers = received.path, {}
    document: object = {}
    if "x-goog-upload-command" in received.headers:
        command = received.headers["x-goog-upload-command"]
        headers = {"x-goog-upload-status": "final" if "finalize" in command else "active"}
        if command == "start":
            headers["x-goog-upload-url"] = RESUMABLE
        document = {"file": {"name": "files/f", "uri": "https://x.example/f"}}
    elif ":generateContent" in path:
        document = {"candidates": [{"content": {"parts": [{"text": "cat"}], "role": "model"}}]}
    elif "/chat/completions" in path:
        document = CHAT
    elif path.startswith("/v1/predictions"):
        document = PREDICTION
    elif "storage/auth/token" in path:
        document = {
            "token": "t",
            "token_type": "Bearer",
            "base_url": "https://v3.fal.media",
            "expires_at": "2030-01-01T00:00:00Z",
        }
    elif "huggingface" in received.headers["host"]:
        document = [{"label": "cat", "score": 1, "generated_text": "cat"}]
    elif received.headers["host"] == "v3.fal.media":
        document = {"access_url": "https://v3.fal.media/files/x/image.jpg"}
    elif path.startswith("/v1/files"):
        document = FILE if "replicate" in received.headers["host"] else FILE | {"expires_at": 1}
    return 200, "application/json", json.dumps(document).encode(), headers


def call(lab: Lab, program: str, photo: bytes) -> None:
    path = lab.folder / "Anna at home.jpg"
    path.write_bytes(photo)
    command = [sys.executable, "-W", "ignore", "-c", START + program]
    done = programs.send(lab, command, str(path))
    assert done.returncode == 0, done.stderr


def found(body: bytes) -> Iterator[bytes]:
    """The pictures in a body: as they are, or as base64."""
    start = body.find(b"\xff\xd8\xff")
    if start >= 0:
        yield body[start : body.rindex(b"\xff\xd9") + 2]
    for match in re.finditer(rb"[/_]9j[/_][A-Za-z0-9+/=_-]{100,}", body):
        yield base64.b64decode(match[0].translate(bytes.maketrans(b"-_", b"+/")))


@pytest.mark.parametrize(
    ("program", "pictures_sent"),
    [(GEMINI, 2), (MISTRAL, 2), (REPLICATE, 2), (FAL, 1), (HUGGING_FACE, 4), (DISCORD, 1)],
    ids=["google-genai", "mistralai", "replicate", "fal-client", "huggingface-hub", "discord.py"],
)
def test_sdks(lab: Lab, program: str, pictures_sent: int) -> None:
    call(lab, program, pictures.jpeg())
    arrived = [one for received in lab.arrived for one in found(received.body)]
    assert len(arrived) == pictures_sent
    reports = exiftool.read({str(number): one for number, one in enumerate(arrived)})
    assert [exiftool.left_over(report) for report in reports.values()] == [set()] * pictures_sent
    for one in arrived:
        assert pictures.same_pixels(pictures.jpeg(), one)
    for received in lab.arrived:
        assert b"Anna" not in received.body
        assert b"CANARY" not in received.body
        assert "Anna" not in received.path + "".join(received.headers.values())


def test_a_resumable_upload_in_several_pieces(lab: Lab) -> None:
    """The library sends 8 MiB at a time."""
    photo = pictures.large_jpeg()
    call(lab, GEMINI.replace("client.models.generate_content", "(lambda **_: 0)"), photo)
    start, *pieces = lab.arrived
    assert start.headers["x-goog-upload-header-content-length"] == str(len(photo))
    assert len(pieces) > 1
    assert b"".join(one.body for one in pieces) == images.strip(photo, Length.SAME_LENGTH)

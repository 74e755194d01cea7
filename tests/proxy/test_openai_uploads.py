"""OpenAI's Uploads by its own library: announced, sent part by part, completed."""

from __future__ import annotations

import contextlib
import email
import email.policy
import hashlib
import itertools
import json
import threading
import time
from typing import TYPE_CHECKING

import httpx
import openai
import pytest

from safelight import images
from safelight.images import Length
from tests.support import more_pictures, pictures
from tests.support.origin import client_context

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai.types import Upload

    from tests.support.lab import Lab
    from tests.support.origin import Received

PHOTO = pictures.jpeg(width=640, height=480)
CLEAN = images.strip(PHOTO, Length.SAME_LENGTH)
PIXELS = PHOTO.rindex(b"\xff\xda") + 900
NUMBERS = itertools.count()


def service_says(received: Received) -> tuple[int, str, bytes]:
    """What OpenAI says to the steps of an upload."""
    if received.path == "/v1/uploads":
        document = {"id": f"upload_{next(NUMBERS)}", "object": "upload", "status": "pending"}
    elif received.path.endswith("/parts"):
        document = {"id": f"part_{next(NUMBERS)}", "object": "upload.part"}
        if "x-fail" in received.headers and received.headers["x-stainless-retry-count"] == "0":
            return 500, "application/json", b"{}"
    else:
        document = {"id": "upload", "object": "upload", "status": "completed"}
    return 200, "application/json", json.dumps(document).encode()


@pytest.fixture
def client(lab: Lab) -> Iterator[openai.OpenAI]:
    context = client_context(lab.proxy.root)
    with openai.DefaultHttpxClient(verify=context, proxy=lab.proxy.url) as connections:
        yield openai.OpenAI(api_key="x", max_retries=2, http_client=connections)


def announce(client: openai.OpenAI, photo: bytes = PHOTO, mime_type: str = "image/jpeg") -> Upload:
    return client.uploads.create(
        bytes=len(photo), filename="Anna at home.jpg", mime_type=mime_type, purpose="vision"
    )


def sent_file(received: Received) -> tuple[bytes, str | None]:
    """The content and the name of the one file in a form."""
    head = f"Content-Type: {received.headers['content-type']}\r\n\r\n".encode()
    message = email.message_from_bytes(head + received.body, policy=email.policy.HTTP)
    [part] = [part for part in message.walk() if not part.is_multipart()]
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert part.get_param("name", header="content-disposition") == "data"
    return payload, part.get_filename()


def parts(lab: Lab) -> list[Received]:
    return [received for received in lab.arrived if received.path.endswith("/parts")]


@pytest.mark.parametrize("size", [PIXELS, PIXELS + 1, 20_000, len(PHOTO) - 1, len(PHOTO)])
def test_a_photo_in_parts(lab: Lab, client: openai.OpenAI, size: int) -> None:
    before = len(lab.proxy.records())
    path = lab.folder / "Anna at home.jpg"
    path.write_bytes(PHOTO)
    client.uploads.upload_file_chunked(
        file=path, mime_type="image/jpeg", purpose="vision", part_size=size
    )
    announced, *sent, completed = lab.arrived
    assert json.loads(announced.body) == {
        "bytes": len(PHOTO),
        "filename": "image.jpg",
        "mime_type": "image/jpeg",
        "purpose": "vision",
    }
    assert len(json.loads(completed.body)["part_ids"]) == len(sent) == -(-len(PHOTO) // size)
    files = [sent_file(received) for received in sent]
    assert b"".join(content for content, _ in files) == CLEAN
    assert {name for _, name in files} == {"image-1.jpg"}
    assert [len(content) for content, _ in files[:-1]] == [size] * (len(files) - 1)
    records = lab.new_records(before)[1:]
    assert {record["road"] for record in records} == {"uploads_parts"}
    assert [record["pictures"][0]["renamed"] for record in records] == [True] * len(sent)


@pytest.mark.parametrize("size", [20_000, len(PHOTO)])
def test_the_digest_of_the_whole_fits_what_left(lab: Lab, client: openai.OpenAI, size: int) -> None:
    client.uploads.upload_file_chunked(
        file=PHOTO,
        filename="a.jpg",
        bytes=len(PHOTO),
        mime_type="image/jpeg",
        purpose="vision",
        part_size=size,
        md5=hashlib.md5(PHOTO, usedforsecurity=False).hexdigest(),
    )
    completed = json.loads(lab.arrived[-1].body)
    assert completed["md5"] == hashlib.md5(CLEAN, usedforsecurity=False).hexdigest()
    assert len(completed["part_ids"]) == len(parts(lab))


@pytest.mark.parametrize("size", [40, 300])
def test_a_cut_through_metadata_is_stopped(lab: Lab, client: openai.OpenAI, size: int) -> None:
    with pytest.raises(openai.PermissionDeniedError, match="Safelight did not send this"):
        client.uploads.upload_file_chunked(
            file=PHOTO,
            filename="a.jpg",
            bytes=len(PHOTO),
            mime_type="image/jpeg",
            purpose="vision",
            part_size=size,
        )
    assert not pictures.says_secrets(b"".join(received.body for received in parts(lab)))
    assert not any(received.path.endswith("/complete") for received in lab.arrived)


def test_a_format_that_is_needed_as_a_whole_is_stopped(lab: Lab, client: openai.OpenAI) -> None:
    photo = more_pictures.heic()
    upload = announce(client, photo, "image/heic")
    with pytest.raises(openai.PermissionDeniedError):
        client.uploads.parts.create(upload.id, data=photo[:-100])
    assert parts(lab) == []


def test_two_uploads_in_turn(lab: Lab, client: openai.OpenAI) -> None:
    uploads = [announce(client), announce(client)]
    for piece in (PHOTO[:PIXELS], PHOTO[PIXELS:]):
        for upload in uploads:
            client.uploads.parts.create(upload.id, data=piece)
    for upload in uploads:
        arrived = [one for one in parts(lab) if upload.id in one.path]
        assert b"".join(sent_file(one)[0] for one in arrived) == CLEAN


def test_a_part_that_is_sent_again(lab: Lab, client: openai.OpenAI) -> None:
    photo = pictures.png()
    cut = photo.index(b"IDAT") + 20
    upload = announce(client, photo, "image/png")
    client.uploads.parts.create(upload.id, data=photo[:cut])
    # The service fails at first; the library sends the same once more.
    client.uploads.parts.create(
        upload.id, data=photo[cut : cut + 9], extra_headers={"x-fail": "once"}
    )
    client.uploads.parts.create(upload.id, data=photo[cut + 9 :])
    first, again, second, third = (sent_file(one)[0] for one in parts(lab))
    assert again == second
    assert pictures.same_pixels(photo, first + second + third)
    assert not pictures.says_secrets(first + second + third)


def test_a_part_in_the_middle_that_comes_first_is_stopped(lab: Lab, client: openai.OpenAI) -> None:
    upload = announce(client)
    for piece in (PHOTO[PIXELS:], PHOTO[:PIXELS]):
        with pytest.raises(openai.PermissionDeniedError):
            client.uploads.parts.create(upload.id, data=piece)
    assert parts(lab) == []


def test_more_than_was_announced_is_stopped(lab: Lab, client: openai.OpenAI) -> None:
    upload = announce(client)
    client.uploads.parts.create(upload.id, data=PHOTO[:PIXELS])
    for piece in (PHOTO[PIXELS:] + b"more", PHOTO[PIXELS:]):
        with pytest.raises(openai.PermissionDeniedError):
            client.uploads.parts.create(upload.id, data=piece)
    assert len(parts(lab)) == 1


def test_another_file_as_a_later_part_is_stopped(lab: Lab, client: openai.OpenAI) -> None:
    photo = pictures.png()
    upload = announce(client, photo, "image/png")
    cut = photo.index(b"IDAT") - 4
    client.uploads.parts.create(upload.id, data=photo[:cut])
    with pytest.raises(openai.PermissionDeniedError):
        client.uploads.parts.create(upload.id, data=pictures.jpeg())
    with pytest.raises(openai.PermissionDeniedError):
        client.uploads.parts.create(upload.id, data=photo[cut:])
    assert len(parts(lab)) == 1


def test_an_upload_that_nobody_announced_is_stopped(lab: Lab, client: openai.OpenAI) -> None:
    with pytest.raises(openai.PermissionDeniedError, match="beginning was not seen"):
        client.uploads.parts.create("upload_unknown", data=PHOTO)
    assert lab.arrived == []


def test_parts_at_the_same_time_are_stopped(lab: Lab, client: openai.OpenAI) -> None:
    """A request whose body takes its time, and another beside it."""
    upload = announce(client)
    client.uploads.parts.create(upload.id, data=PHOTO[:PIXELS])
    halfway, go_on = threading.Event(), threading.Event()
    head = b'--X\r\ncontent-disposition: form-data; name="data"; filename="u"\r\n\r\n'

    def slowly() -> Iterator[bytes]:
        yield head + PHOTO[PIXELS : PIXELS + 500]
        halfway.set()
        assert go_on.wait(10)
        yield PHOTO[PIXELS + 500 : PIXELS + 1000] + b"\r\n--X--\r\n"

    statuses: list[int] = []

    def send() -> None:
        context = client_context(lab.proxy.root)
        url = f"https://api.openai.com/v1/uploads/{upload.id}/parts"
        headers = {"content-type": "multipart/form-data; boundary=X"}
        answer = httpx.post(
            url, content=slowly(), headers=headers, verify=context, proxy=lab.proxy.url
        )
        statuses.append(answer.status_code)

    sender = threading.Thread(target=send)
    sender.start()
    assert halfway.wait(10)
    time.sleep(0.2)
    with pytest.raises(openai.PermissionDeniedError, match="same time"):
        client.uploads.parts.create(upload.id, data=PHOTO[PIXELS + 1000 :])
    go_on.set()
    sender.join()
    assert statuses == [403]
    assert len(parts(lab)) == 1


def test_a_part_whose_connection_is_lost_can_be_sent_again(lab: Lab, client: openai.OpenAI) -> None:
    upload = announce(client)
    client.uploads.parts.create(upload.id, data=PHOTO[:PIXELS])

    def breaks_off() -> Iterator[bytes]:
        yield PHOTO[PIXELS : PIXELS + 100]
        raise ConnectionError

    with contextlib.suppress(ConnectionError):
        httpx.post(
            f"https://api.openai.com/v1/uploads/{upload.id}/parts",
            content=breaks_off(),
            headers={"content-type": "multipart/form-data; boundary=X"},
            verify=client_context(lab.proxy.root),
            proxy=lab.proxy.url,
        )
    time.sleep(0.2)
    client.uploads.parts.create(upload.id, data=PHOTO[PIXELS:])
    assert b"".join(sent_file(one)[0] for one in parts(lab)) == CLEAN


def test_what_is_no_picture_passes_in_any_order(lab: Lab, client: openai.OpenAI) -> None:
    upload = client.uploads.create(
        bytes=3_000, filename="batch.jsonl", mime_type="application/jsonl", purpose="batch"
    )
    before = len(lab.proxy.records())
    for part in (b'{"a": 1}\n' * 100, b'{"b": 2}\n' * 100):
        client.uploads.parts.create(upload.id, data=part)
    assert [sent_file(one) for one in parts(lab)] == [
        (b'{"a": 1}\n' * 100, "upload"),
        (b'{"b": 2}\n' * 100, "upload"),
    ]
    assert lab.new_records(before) == []


def test_after_a_part_that_was_refused_none_passes(lab: Lab, client: openai.OpenAI) -> None:
    """Announced as something else, so that the second half by itself looks like anything."""
    for photo in (PHOTO, pictures.png()):
        upload = client.uploads.create(
            bytes=len(photo) // 2, filename="data", mime_type="x/y", purpose="user_data"
        )
        half = len(photo) // 2
        for piece in (photo[:half], photo[half:]):
            with pytest.raises(openai.PermissionDeniedError):
                client.uploads.parts.create(upload.id, data=piece)
    assert parts(lab) == []

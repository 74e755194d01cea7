"""Uploads to object storage as Amazon's own library signs them, to moto, which stores them as
Amazon does: what may change does, and what a signature covers is stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from boto3.exceptions import S3UploadFailedError
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from moto.server import ThreadedMotoServer

from safelight import images
from safelight.images import Length
from tests.support import lab as labs
from tests.support import pictures

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.lab import Lab

JPEG = pictures.jpeg()
KEPT = images.strip(JPEG, Length.SAME_LENGTH)
BUCKET = "ppl-ai-file-upload"
HOST = f"{BUCKET}.s3.amazonaws.com"


PART = 5 << 20  # Amazon takes no smaller ones, save the last


@pytest.fixture(scope="module")
def module_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A stand-in for Amazon's storage plays the services."""
    storage = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    storage.start()
    host, port = storage.get_host_and_port()
    behind = f"http://{host}:{port}"
    try:
        with labs.running(tmp_path_factory.mktemp("storage"), behind=behind) as lab:
            stored(lab).create_bucket(Bucket=BUCKET)
            yield lab
    finally:
        storage.stop()


def signer(config: Config | None = None, **options: str) -> Any:  # noqa: ANN401 - made as it runs
    signs = Config(signature_version="s3v4", s3={"addressing_style": "virtual"})
    return boto3.client(
        "s3",
        region_name="us-east-1",
        aws_access_key_id="AKIAEXAMPLE",
        aws_secret_access_key="secret",  # noqa: S106 - it opens nothing
        config=signs.merge(config) if config else signs,
        **options,
    )


def stored(lab: Lab) -> Any:  # noqa: ANN401 - likewise
    """A client that asks the storage itself."""
    return signer(Config(s3={"addressing_style": "path"}), endpoint_url=lab.origin.behind)


def content(lab: Lab, key: str) -> bytes:
    body: bytes = stored(lab).get_object(Bucket=BUCKET, Key=key)["Body"].read()
    return body


def photo(lab: Lab) -> Path:
    path = lab.folder / "photo.jpg"
    path.write_bytes(JPEG)
    return path


def test_a_presigned_put(lab: Lab) -> None:
    parameters = {"Bucket": BUCKET, "Key": "a/photo.jpg", "ContentType": "image/jpeg"}
    url = signer().generate_presigned_url("put_object", Params=parameters)
    assert HOST in url
    lab.curl("-T", photo(lab), "-H", "content-type: image/jpeg", url)
    [received] = lab.arrived
    assert received.body == KEPT
    assert f"https://{HOST}{received.path}" == url
    assert content(lab, "a/photo.jpg") == KEPT


def test_a_presigned_put_that_signs_a_digest_is_stopped(lab: Lab) -> None:
    parameters = {"Bucket": BUCKET, "Key": "a", "ContentMD5": "eB5eJF1ptWaXm4bijSPyxw=="}
    url = signer().generate_presigned_url("put_object", Params=parameters)
    header = "content-md5: eB5eJF1ptWaXm4bijSPyxw=="
    assert lab.curl("-T", photo(lab), "-H", header, url).status == 403
    assert lab.arrived == []


def test_a_presigned_form(lab: Lab) -> None:
    made = signer().generate_presigned_post(
        BUCKET, "uploads/${filename}", Conditions=[["content-length-range", 1, 10_000_000]]
    )
    fields = [one for key, value in made["fields"].items() for one in ("-F", f"{key}={value}")]
    lab.curl(*fields, "-F", f"file=@{photo(lab)}", f"https://{HOST}/")
    [received] = lab.arrived
    boundary = received.headers["content-type"].partition("boundary=")[2].encode()
    *before, last, _ = received.body.split(b"--" + boundary)
    assert b'name="file"' in last
    assert not pictures.says_secrets(last)
    for (key, value), part in zip(made["fields"].items(), before[1:], strict=True):
        assert part.endswith(f'name="{key}"\r\n\r\n{value}\r\n'.encode())
    assert content(lab, "uploads/image-1.jpg") == KEPT


def test_parts_by_presigned_puts(lab: Lab) -> None:
    whole = pictures.large_jpeg() + b"CANARY behind the picture"
    named = {"Bucket": BUCKET, "Key": "large.jpg"}
    named["UploadId"] = stored(lab).create_multipart_upload(**named)["UploadId"]
    parts = []
    for number, start in enumerate(range(0, len(whole), PART), 1):
        part = lab.folder / "part"
        part.write_bytes(whole[start : start + PART])
        url = signer().generate_presigned_url("upload_part", {**named, "PartNumber": number})
        answer = lab.curl("-T", part, url)
        etag = answer.headers.partition("etag: ")[2].split()[0]
        parts.append({"PartNumber": number, "ETag": etag})
    assert len(parts) > 2
    stored(lab).complete_multipart_upload(**named, MultipartUpload={"Parts": parts})
    assert content(lab, "large.jpg") == images.strip(whole, Length.SAME_LENGTH)


@pytest.mark.parametrize("large", [False, True], ids=["whole", "in parts"])
def test_a_body_that_the_library_signs_is_stopped(lab: Lab, large: bool) -> None:
    path = lab.folder / "signed.jpg"
    path.write_bytes(pictures.large_jpeg() if large else JPEG)
    behind_the_proxy = Config(proxies={"https": lab.proxy.url}, retries={"max_attempts": 1})
    client = signer(behind_the_proxy, verify=str(lab.proxy.root))
    with pytest.raises(S3UploadFailedError, match="Safelight did not send this to Perplexity"):
        client.upload_file(str(path), BUCKET, "signed.jpg", Config=TransferConfig(PART))
    assert not any(pictures.says_secrets(received.body) for received in lab.arrived)
    assert stored(lab).list_objects_v2(Bucket=BUCKET, Prefix="signed")["KeyCount"] == 0

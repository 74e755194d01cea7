"""Uploads to object storage as Amazon's own library signs them: what may change does, and what a
signature covers is stopped."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from safelight import images
from safelight.images import Length
from tests.support import pictures

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.lab import Lab

JPEG = pictures.jpeg()
KEPT = images.strip(JPEG, Length.SAME_LENGTH)
BUCKET = "ppl-ai-file-upload"
HOST = f"{BUCKET}.s3.amazonaws.com"


def signer() -> Any:  # noqa: ANN401 - made by the library as it runs
    config = Config(signature_version="s3v4", s3={"addressing_style": "virtual"})
    return boto3.client(
        "s3",
        region_name="us-east-1",
        aws_access_key_id="AKIAEXAMPLE",
        aws_secret_access_key="secret",  # noqa: S106 - it opens nothing
        config=config,
    )


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


PUT = """
import sys, boto3
from botocore.config import Config
client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="A",
    aws_secret_access_key="b", config=Config(retries={"max_attempts": 1}))
client.upload_file(sys.argv[1], "ppl-ai-file-upload", "photo.jpg")
"""


def test_a_body_that_the_library_signs_is_stopped(lab: Lab) -> None:
    root = str(lab.proxy.root)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PUT, str(photo(lab))],
        env={"HTTPS_PROXY": lab.proxy.url, "AWS_CA_BUNDLE": root, "HOME": str(lab.folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert "S3UploadFailedError" in done.stderr
    assert all(JPEG not in received.body for received in lab.arrived)

"""Azure's own library for blobs, to Azurite: Microsoft's stand-in for the service, which checks
what is signed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import (
    BlobClient,
    BlobSasPermissions,
    ContainerClient,
    generate_blob_sas,
)

from safelight import images
from safelight.images import Length
from tests.support import exiftool, pictures, programs
from tests.support import lab as labs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.lab import Lab

ACCOUNT = "genspark"
FOLDER = "somebody/1/file_upload"
KEY = "c2VjcmV0"
PHOTO = pictures.jpeg(width=640, height=480) + b"CANARY behind the picture"
KEPT = images.strip(PHOTO, Length.SAME_LENGTH)
BLOCKS: dict[str, Any] = {"max_single_put_size": 1, "max_block_size": 16_000}


@pytest.fixture(scope="module")
def module_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Azurite plays the services."""
    command = [
        *(programs.node("azurite"), "node_modules/azurite/dist/src/blob/main.js"),
        *("--blobPort", "0", "--inMemoryPersistence", "--disableTelemetry"),
        *("--silent", "--skipApiVersionCheck"),
    ]
    with (
        programs.serving(command, {"AZURITE_ACCOUNTS": f"{ACCOUNT}:{KEY}"}) as behind,
        labs.running(tmp_path_factory.mktemp("azure"), behind=behind) as lab,
    ):
        container = ContainerClient(f"{behind}/{ACCOUNT}", "personal", credential=KEY)
        container.create_container()
        yield lab


def blob(
    lab: Lab, name: str, *, signs: bool = False, options: dict[str, Any] | None = None
) -> BlobClient:
    """The client of a blob, behind the proxy: with a signed address, as services hand them out,
    or with a key that `signs` each request."""
    address = f"https://{ACCOUNT}.blob.core.windows.net/personal/{FOLDER}/{name}"
    signature = generate_blob_sas(
        ACCOUNT,
        "personal",
        f"{FOLDER}/{name}",
        account_key=KEY,
        permission=BlobSasPermissions(read=True, write=True, create=True),
        expiry=datetime.now(UTC) + timedelta(hours=1),
    )
    return BlobClient.from_blob_url(
        address if signs else f"{address}?{signature}",
        KEY if signs else None,
        proxies={"https": lab.proxy.url},
        connection_verify=str(lab.proxy.root),
        retry_total=0,
        **(options or {}),
    )


def assert_stored(client: BlobClient) -> None:
    stored = client.download_blob().readall()
    assert stored == KEPT
    [report] = exiftool.read({"stored": stored}).values()
    assert exiftool.left_over(report) == set()


@pytest.mark.parametrize("signs", [False, True])
def test_a_blob_at_once(lab: Lab, signs: bool) -> None:
    client = blob(lab, "once.jpg", signs=signs)
    client.upload_blob(PHOTO, overwrite=True)
    [received] = lab.arrived
    assert received.body == KEPT
    assert_stored(client)


@pytest.mark.parametrize(("signs", "digests"), [(False, False), (False, True), (True, False)])
def test_a_blob_in_blocks(lab: Lab, signs: bool, digests: bool) -> None:
    client = blob(lab, "blocks.jpg", signs=signs, options=BLOCKS)
    client.upload_blob(PHOTO, overwrite=True, validate_content=digests)
    *blocks, _ = lab.arrived
    assert len(blocks) == len(range(0, len(PHOTO), 16_000))
    assert b"".join(one.body for one in blocks) == KEPT
    assert all(("content-md5" in one.headers) is digests for one in lab.arrived)
    assert_stored(client)


@pytest.mark.parametrize("options", [{}, BLOCKS])
def test_what_signs_a_digest_is_stopped(lab: Lab, options: dict[str, Any]) -> None:
    client = blob(lab, "signed.jpg", signs=True, options=options)
    with pytest.raises(HttpResponseError, match="Safelight did not send this to Genspark"):
        client.upload_blob(PHOTO, overwrite=True, validate_content=True)
    assert lab.arrived == []


def test_something_else_passes_in_blocks(lab: Lab) -> None:
    client = blob(lab, "notes.txt", options=BLOCKS)
    client.upload_blob(b"text " * 9_999, overwrite=True)
    assert client.download_blob().readall() == b"text " * 9_999

"""Writes docs/coverage.md: `make docs`. A test checks that it was done, and that tests it names
are there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from safelight import paths
from safelight.services import Catalogue, Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from safelight.services import Road, Service

PAGE = Path(__file__).parents[1] / "docs" / "coverage.md"
_ROADS = "tests/proxy/test_roads.py::test_roads"
_SDKS = "tests/proxy/test_sdks.py::test_sdks"
_SOCKET = "tests/proxy/test_websocket.py::test_pictures_are_cleaned"
# What is done to a picture that travels in this way, and the test of that mechanism.
MECHANISMS: dict[str, tuple[str, str]] = {
    **{
        encoding: ("cleaned", f"{_ROADS}[{encoding}]")
        for encoding in (
            "multipart_file multipart_base64 graphql_multipart s3_post_form json_base64 "
            "json_data_url text_plain_json_base64"
        ).split()
    },
    **{
        encoding: ("cleaned, length kept", f"{_ROADS}[{encoding}]")
        for encoding in (
            "raw_body_api raw_put_presigned raw_put_ranges rupload_raw google_resumable "
            "protobuf_body"
        ).split()
    },
    "grpc": (
        "cleaned, length kept; stopped if it is cut into several messages",
        f"{_ROADS}[grpc]",
    ),
    "imagex_crc": ("cleaned, length kept, checksum renewed", f"{_ROADS}[imagex_crc]"),
    "fragment_upload": (
        "cleaned, length kept, also in several fragments if the cuts are between pixels",
        f"{_ROADS}[fragment_upload]",
    ),
    "multipart_pieces": (
        "cleaned, length kept, also in several parts one after the other if the cuts are between "
        "pixels",
        "tests/proxy/test_openai_uploads.py::test_a_photo_in_parts",
    ),
    "json_or_grpc": ("cleaned", f"{_ROADS}[json_base64]"),
    "websocket_json": ("cleaned in each message", f"{_SOCKET}[base64]"),
    "websocket_binary": (
        "cleaned, length kept, also over several messages",
        "tests/proxy/test_websocket_pieces.py::test_as_yandex_alice_sends_it",
    ),
}
# Roads on which a client that others wrote was sent through the proxy.
CLIENTS = {
    ("openai_api", "images_edits"): "openai: tests/proxy/test_uploads.py::test_the_sdks",
    ("openai_api", "files"): "openai: tests/proxy/test_uploads.py::test_the_sdks",
    ("openai_api", "uploads_parts"): (
        "openai: tests/proxy/test_openai_uploads.py::test_a_photo_in_parts"
    ),
    ("openai_api", "chat"): "openai: tests/proxy/test_uploads.py::test_the_sdks",
    ("openai_api", "responses"): "openai: tests/proxy/test_uploads.py::test_the_sdks",
    ("anthropic_api", "messages"): "anthropic: tests/proxy/test_uploads.py::test_the_sdks",
    ("anthropic_api", "files"): "anthropic: tests/proxy/test_uploads.py::test_the_sdks",
    ("gemini_api", "inline"): f"google-genai: {_SDKS}",
    ("gemini_api", "files_data"): (
        "google-genai, in pieces: "
        "tests/proxy/test_sdks.py::test_a_resumable_upload_in_several_pieces"
    ),
    ("mistral_api", "chat"): f"mistralai: {_SDKS}",
    ("mistral_api", "files"): f"mistralai: {_SDKS}",
    ("replicate", "files"): f"replicate: {_SDKS}",
    ("replicate", "inline"): f"replicate: {_SDKS}",
    ("discord", "bot_multipart"): f"discord.py: {_SDKS}",
    ("fal", "cdn"): f"fal-client: {_SDKS}",
    ("hf_inference", "task"): f"huggingface_hub: {_SDKS}",
    ("hf_inference", "chat"): f"huggingface_hub: {_SDKS}",
    ("hf_spaces", "gradio"): (
        "gradio_client and Gradio's page: tests/clients/test_gradio.py::test_the_client"
    ),
    ("genspark", "blob"): (
        "azure-storage-blob, to Azurite: tests/clients/test_azure.py::test_a_blob_at_once"
    ),
    ("perplexity", "s3"): (
        "boto3's form, to moto: tests/proxy/test_storage.py::test_a_presigned_form"
    ),
    ("kling", "fragment"): "curl: tests/proxy/test_pieces.py::test_fragments",
    ("chatgpt_web", "put"): "curl: tests/proxy/test_uploads.py::test_a_picture_in_two_pieces",
}
# Ways of uploading that services may use without the catalogue knowing.
OTHER_WAYS = (
    (
        "tus, resumable uploads in pieces",
        "cleaned, length kept; stopped if the parts are uploads of their own",
        "tus-js-client, Uppy: tests/clients/test_tus.py::test_the_client_of_tus",
    ),
    (
        "parts at Amazon's storage, at addresses that are signed",
        "cleaned, length kept",
        "boto3's addresses, to moto: tests/proxy/test_storage.py::test_parts_by_presigned_puts",
    ),
    (
        "requests that Amazon's library signs with the body",
        "stopped",
        "boto3, to moto: "
        "tests/proxy/test_storage.py::test_a_body_that_the_library_signs_is_stopped",
    ),
    (
        "blobs of Azure in blocks",
        "cleaned, length kept; stopped if the blocks are not sent in their order",
        "azure-storage-blob, to Azurite: tests/clients/test_azure.py::test_a_blob_in_blocks",
    ),
    (
        "forms made by an upload widget",
        "cleaned",
        "Uppy: tests/clients/test_tus.py::test_uppy_by_a_form",
    ),
)
_TEXT = """\
# Which roads are covered

Written by `make docs` from the catalogue and `tests/coverage_page.py`.

For each service and each way in which it takes pictures: what is done, and which test shows it. A
road *by its mechanism* is tested with a request of the same build, not with the service's own
client. No test talks to a real service. Where only a service's answer names the storage, the
address is learnt from it if the certificate may speak for its host: Amazon, Google, Azure,
Cloudflare R2, Alibaba and Volcengine.

{count} services; {roads} roads that carry pictures, {clients} of them tested with a client that
others wrote, {none} not covered or not known.

| service | road | how it travels | what is done | tested |
|---|---|---|---|---|
{rows}

Pages and programs upload in further ways, which any of these services may use:

| way | what is done | tested |
|---|---|---|
{others}
"""


_NO_TEST = "**no test**"
_NOT_COVERED = "**not covered**: nothing tells the storage host from anybody else's"
_LEARNT = "tests/proxy/test_roads.py::test_storage_that_only_an_answer_names"
_TO_STORAGE = {"raw_put_presigned", "s3_post_form"}


def _row(service: Service, road: Road) -> tuple[str, str, str, str, str]:
    done, test = MECHANISMS.get(road.encoding, ("not known", _NO_TEST))
    if service.body_change == "body_signed":
        done = "stopped: the client signs the body"
    if road.encoding in _TO_STORAGE and not road.hosts:
        asks = any(road.role is Role.DECLARE for road in service.roads)
        done = f"{done}, once the service's answer has named the address" if asks else _NOT_COVERED
        test = f"by its mechanism: {_LEARNT}" if asks else _NO_TEST
        return service.name, road.id, road.encoding, done, test
    client = CLIENTS.get((service.id, road.id))
    tested = client or (f"by its mechanism: {test}" if test != _NO_TEST else test)
    return service.name, road.id, road.encoding, done, tested


def _rows() -> Iterator[tuple[str, str, str, str, str]]:
    for service in Catalogue.load(paths.catalogue()).services.values():
        roads = [road for road in service.roads if road.role.carries_bytes]
        yield from (_row(service, road) for road in roads)
        if not roads:
            yield service.name, "", "no road for pictures is known", "", _NO_TEST


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def text() -> str:
    """The page as it should be."""
    rows = list(_rows())
    return _TEXT.format(
        count=len({row[0] for row in rows}),
        roads=sum(bool(row[1]) for row in rows),
        clients=len(CLIENTS),
        none=sum(row[4] == _NO_TEST for row in rows),
        rows=_table(rows),
        others=_table(OTHER_WAYS),
    )


if __name__ == "__main__":
    PAGE.write_text(text())

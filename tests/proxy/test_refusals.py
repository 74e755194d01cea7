"""What cannot be judged stays here: nothing arrives, the client is told, the record says why."""

from __future__ import annotations

import base64
import gzip
import html
import json
from typing import TYPE_CHECKING

import pytest

from safelight.bodies import encode_coding
from tests.support import lab as labs
from tests.support import pictures

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.lab import Answered, Lab

JPEG = pictures.jpeg()
URL = "https://api.openai.com/v1/files"
FORM = (
    b'--XX\r\nContent-Disposition: form-data; name="f"; filename="a.jpg"\r\n\r\n'
    + JPEG
    + b"\r\n--XX--\r\n"
)
MULTIPART = "content-type: multipart/form-data; boundary=XX"

STAYS_HERE: dict[str, tuple[bytes, list[str], str, int]] = {
    "truncated picture": (JPEG[:700], [], "unreadable", 403),
    "not a picture at all": (b"no picture", ["content-type: image/png"], "unreadable", 403),
    "a kind that cannot be cleaned yet": (b"II*\0" + bytes(99), [], "unreadable", 403),
    "truncated form": (FORM[:-9], [MULTIPART], "unknown-shape", 403),
    "form without a boundary": (FORM, ["content-type: multipart/form-data"], "unknown-shape", 403),
    "form with another boundary": (
        FORM,
        ["content-type: multipart/form-data; boundary=YY"],
        "unknown-shape",
        403,
    ),
    "form with bare line feeds": (FORM.replace(b"\r\n", b"\n"), [MULTIPART], "unknown-shape", 403),
    "picture inside something else": (b"\x0a\x05hello" * 10 + JPEG, [], "unknown-shape", 403),
    "unknown coding": (JPEG, ["content-encoding: sdch"], "unknown-shape", 403),
    "stacked codings": (
        gzip.compress(JPEG),
        ["content-encoding: gzip, gzip"],
        "unknown-shape",
        403,
    ),
    "damaged coding": (b"\x1f\x8b" + JPEG, ["content-encoding: gzip"], "unknown-shape", 403),
    "gzip bomb": (
        gzip.compress(bytes(200_000_000), 9),
        ["content-encoding: gzip"],
        "too-large",
        413,
    ),
    "brotli bomb": (
        encode_coding(bytes(200_000_000), "br"),
        ["content-encoding: br"],
        "too-large",
        413,
    ),
    "zstd bomb": (
        encode_coding(bytes(200_000_000), "zstd"),
        ["content-encoding: zstd"],
        "too-large",
        413,
    ),
    "checksum that nobody here can compute": (
        JPEG,
        ["x-ms-structured-body: XSM/1.0; properties=crc64"],
        "unalterable",
        403,
    ),
    "signed body": (JPEG, ["authorization: AWS4-HMAC-SHA256 Credential=x"], "unalterable", 403),
    "a piece of something": (
        JPEG[900:],
        [f"content-range: bytes 900-{len(JPEG) - 1}/{len(JPEG)}"],
        "unknown-shape",
        403,
    ),
    "unusual character set": (
        base64.b64encode(JPEG).decode().encode("utf-16"),
        ["content-type: text/plain; charset=utf-16"],
        "unknown-shape",
        403,
    ),
    "one good and one broken picture": (
        json.dumps(
            {"a": base64.b64encode(JPEG).decode(), "b": base64.b64encode(JPEG[:900]).decode()}
        ).encode(),
        ["content-type: application/json"],
        "unreadable",
        403,
    ),
}


def send(lab: Lab, body: bytes, headers: list[str], *more: str, url: str = URL) -> Answered:
    path = lab.folder / "body"
    path.write_bytes(body)
    arguments = [argument for header in headers for argument in ("-H", header)]
    if not any(header.startswith("content-type") for header in headers):
        arguments += ["-H", "content-type: application/octet-stream"]
    return lab.curl(*arguments, *more, "--data-binary", f"@{path}", url)


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
@pytest.mark.parametrize("case", STAYS_HERE)
def test_nothing_leaves_and_everybody_is_told(lab: Lab, case: str, version: str) -> None:
    body, headers, cause, status = STAYS_HERE[case]
    before = len(lab.proxy.records())
    answer = send(lab, body, headers, version)
    assert lab.arrived == []
    assert answer.status == status
    told = json.loads(answer.body)
    assert told["error"]["code"] == told["safelight"]["cause"] == cause
    [record] = lab.new_records(before)
    assert (record["verdict"], record["refusal"]) == ("block", cause)
    assert record["id"] == told["safelight"]["record"]
    # The proxy is as good as before.
    assert send(lab, JPEG, []).status == 200


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
@pytest.mark.parametrize("length", [["-H", "transfer-encoding: chunked"], []])
def test_an_upload_over_the_size_cap(lab: Lab, version: str, length: list[str]) -> None:
    before = len(lab.proxy.records())
    answer = send(lab, bytes(50_000_001), [], version, *length)
    assert answer.status == 413
    assert lab.arrived == []
    assert [record["refusal"] for record in lab.new_records(before)] == ["too-large"]


def test_polyglots_lose_their_second_nature(lab: Lab) -> None:
    for tail in (b"PK\3\4CANARY", b"<?php CANARY ?>"):
        assert send(lab, JPEG + tail, []).status == 200
    for received in lab.arrived:
        assert not pictures.says_secrets(received.body)
        assert pictures.same_pixels(JPEG, received.body)


def test_a_person_gets_a_page(lab: Lab) -> None:
    answer = send(lab, JPEG[:700], ["accept: text/html,application/xhtml+xml"])
    assert "content-type: text/html" in answer.headers
    page = html.unescape(answer.body)
    assert "Safelight stopped this upload" in page
    assert "This JPEG is cut off" in page


def test_a_page_of_another_origin_may_read_the_answer(lab: Lab) -> None:
    answer = send(lab, JPEG[:700], ["origin: https://chatgpt.com", "accept: */*"])
    assert "access-control-allow-origin: https://chatgpt.com" in answer.headers
    assert "access-control-allow-credentials: true" in answer.headers
    assert "content-type: application/json" in answer.headers


def test_a_policy_that_fails_to_load(tmp_path: Path) -> None:
    policy = tmp_path / "broken.yaml"
    policy.write_text("version: 1\nname: broken\nrules:\n  - id: x\n    do: [strip]\n")
    with labs.running(tmp_path, policy) as lab:
        answer = send(lab, JPEG, [])
        assert json.loads(answer.body)["error"]["code"] == "policy-unusable"
        assert answer.status == 503
        assert lab.curl("https://api.openai.com/v1/models").status == 200
        assert len(lab.arrived) == 1
        assert [record["refusal"] for record in lab.proxy.records()] == ["policy-unusable"]
        assert "broken.yaml:5:10: rules.0.do.0" in lab.proxy.output


def test_an_audit_file_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "audit").write_text("a file where the folder should be")
    with labs.running(tmp_path) as lab:
        answer = send(lab, JPEG, [])
        assert json.loads(answer.body)["error"]["code"] == "audit-unwritable"
        assert lab.arrived == []
        assert lab.curl("https://api.openai.com/v1/models").status == 200
        (tmp_path / "audit").unlink()
        assert send(lab, JPEG, []).status == 200
        assert len(lab.proxy.records()) == 1


def test_a_full_disk(tmp_path: Path) -> None:
    limit = (
        "import resource, signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "import safelight.audit.writer as writer\n"
        "real = writer.write_and_sync\n"
        "def full(descriptor, line):\n"
        "    if b'decision' in line:\n"
        "        resource.setrlimit(resource.RLIMIT_FSIZE, (100, -1))\n"
        "    real(descriptor, line)\n"
        "writer.write_and_sync = full\n"
    )
    with labs.running(tmp_path, before=limit) as lab:
        answer = send(lab, JPEG, [])
        assert json.loads(answer.body)["error"]["code"] == "audit-unwritable"
        assert lab.arrived == []
        assert lab.proxy.records() == []

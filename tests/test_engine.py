"""The engine without a proxy: what policies make of uploads, and what the record says."""

from __future__ import annotations

import base64
import gzip
import io
import json
from typing import TYPE_CHECKING, Any

import pikepdf
import pytest

from safelight import assembly, images
from safelight.audit import AuditError
from safelight.bodies import decode_coding, encode_coding
from safelight.engine import Engine, Outcome, Upload
from safelight.images import Length
from safelight.refusals import Cause
from tests.support import documents, pictures

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from safelight.assembly import Assembly

    type Policy = Callable[..., Assembly]

JPEG = pictures.jpeg()
CLEAN = {"id": "clean", "do": ["strip-metadata", "rename"], "because": "always"}


@pytest.fixture
def policy(tmp_path: Path) -> Policy:
    def assemble(*rules: dict[str, Any], **more: object) -> Assembly:
        path = tmp_path / "policy.yaml"
        # JSON is YAML.
        path.write_text(json.dumps({"version": 1, "name": "test", "rules": rules, **more}))
        return assembly.assemble(path, tmp_path / "audit")

    return assemble


def records(tmp_path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (tmp_path / "audit/audit.jsonl").read_text().splitlines()]


def send(
    assembled: Assembly,
    body: bytes = JPEG,
    headers: dict[str, str] | None = None,
    url: str = "api.openai.com/v1/files",
) -> Outcome:
    assert assembled.problems == ()
    host, _, path = url.partition("/")
    destination = assembled.catalogue.find(host, 443, "POST", f"/{path}")
    assert destination is not None
    return assembled.engine.process(Upload(destination, f"/{path}", headers or {}, body))


def test_a_rule_can_block(policy: Policy, tmp_path: Path) -> None:
    block = {"id": "no-places", "when": {"metadata": "location"}, "do": "block", "because": "No."}
    outcome = send(policy(CLEAN, block))
    assert outcome.refusal is not None
    assert (outcome.refusal.cause, outcome.refusal.reason) == (Cause.POLICY, "No.")
    [record] = records(tmp_path)
    assert (record["verdict"], record["by"]) == ("block", ["no-places"])
    assert "sent" not in record["pictures"][0]
    assert send(policy(CLEAN, block), pictures.clean_jpeg()).refusal is None


def test_a_rule_can_be_for_one_service(policy: Policy) -> None:
    when = {"service": {"id": "openai_api"}}
    assembled = policy(CLEAN, {"id": "x", "when": when, "do": "block", "because": "No."})
    assert send(assembled).refusal is not None
    assert send(assembled, url="claude.ai/api/upload").refusal is None


def test_a_rule_can_warn(policy: Policy, tmp_path: Path) -> None:
    warn = {"id": "tell", "when": {"upload": {"type": "jpeg"}}, "do": "warn", "because": "Told."}
    outcome = send(policy(CLEAN, warn))
    assert outcome.warnings == ("Told.",)
    assert outcome.refusal is None
    assert records(tmp_path)[0]["verdict"] == "warn"


def test_without_a_rule_to_clean_nothing_is_changed(policy: Policy, tmp_path: Path) -> None:
    other = {"id": "tell", "do": "warn", "because": "Told."}
    assert send(policy(other)).body == JPEG
    [record] = records(tmp_path)
    assert record["pictures"][0]["removed"] is False


def test_doubt_can_be_allowed_in_writing(policy: Policy, tmp_path: Path) -> None:
    broken = JPEG[:700]
    assert send(policy(CLEAN), broken).refusal is not None
    outcome = send(policy(CLEAN, unsure={"unreadable": "allow"}), broken)
    assert outcome.body == broken
    assert [record["doubts"] for record in records(tmp_path)] == [["unreadable"]] * 2


def test_what_cannot_be_changed_can_be_allowed_as_it_is(policy: Policy) -> None:
    headers = {"x-amz-checksum-crc64nvme": "x"}
    assert send(policy(CLEAN), headers=headers).refusal is not None
    assert send(policy(CLEAN, unsure={"unalterable": "warn"}), headers=headers).body == JPEG
    clean = pictures.clean_jpeg()
    assert send(policy(CLEAN), clean, headers).body == clean


@pytest.mark.parametrize(
    ("url", "headers", "length"),
    [
        ("files.oaiusercontent.com/files/abc/raw?sig=x", {}, Length.SAME_LENGTH),
        ("api.openai.com/v1/nobody/knows", {}, Length.SAME_LENGTH),
        ("api.openai.com/v1/chat/completions", {}, Length.COMPACT),
        ("api.openai.com/v1/chat/completions", {"tus-resumable": "1"}, Length.SAME_LENGTH),
        (
            "api.openai.com/v1/chat/completions?X-Amz-SignedHeaders=content-length",
            {},
            Length.SAME_LENGTH,
        ),
    ],
)
def test_the_length_stays_where_it_may_have_been_promised(
    policy: Policy, url: str, headers: dict[str, str], length: Length
) -> None:
    assert send(policy(CLEAN), headers=headers, url=url).body == images.strip(JPEG, length)


def test_the_size_limit_is_the_policys(policy: Policy) -> None:
    assembled = policy(CLEAN, **{"largest-upload": "20 KB"})
    assert assembled.engine.largest_upload == 20_000


def test_pictures_of_one_upload_are_decided_together(policy: Policy) -> None:
    block = {"id": "x", "when": {"upload": {"type": "png"}}, "do": "block", "because": "No."}
    texts = [base64.b64encode(data).decode() for data in (JPEG, pictures.png())]
    outcome = send(policy(CLEAN, block), json.dumps(texts).encode())
    assert outcome.refusal is not None
    assert outcome.pictures == 2


def test_no_record_no_upload(policy: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    assembled = policy(CLEAN)

    def fail(*_: object) -> None:
        raise AuditError("the disk is full")

    monkeypatch.setattr(assembled.log, "append", fail)
    outcome = send(assembled)
    assert outcome.refusal is not None
    assert (outcome.refusal.cause, outcome.body) == (Cause.AUDIT_UNWRITABLE, b"")


def test_without_a_policy_only_pictures_stay(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("version: 1")
    assembled = assembly.assemble(broken, tmp_path / "audit")
    assert "broken.yaml:1:1: `name` is missing" in assembled.problems[0]
    destination = assembled.catalogue.find("claude.ai", 443, "POST", "/")
    assert destination is not None
    engine: Engine = assembled.engine
    assert engine.process(Upload(destination, "/", {}, b"hello")).body == b"hello"
    refusal = engine.process(Upload(destination, "/", {}, JPEG)).refusal
    assert refusal is not None
    assert refusal.cause is Cause.POLICY_UNUSABLE


@pytest.mark.parametrize("body", [b'{"a": 1}', json.dumps(["x"] * 99).encode()])
def test_packed_bodies_are_packed_anew(policy: Policy, body: bytes) -> None:
    """A name in a gzip header, a zstd frame that readers skip: both would leave as they are."""
    named = io.BytesIO()
    with gzip.GzipFile("CANARY.jpg", "wb", fileobj=named) as file:
        file.write(body)
    skipped = b"\x50\x2a\x4d\x18\x06\0\0\0CANARY"
    for coding, packed in [
        ("gzip", named.getvalue()),
        ("zstd", encode_coding(body, "zstd") + skipped),
        ("zstd", skipped + encode_coding(body, "zstd")),
    ]:
        assert b"CANARY" in packed
        sent = send(policy(CLEAN), packed, {"content-encoding": coding}).body
        assert b"CANARY" not in sent
        assert decode_coding(sent, coding, 10_000) == body


def test_documents_are_cleaned_and_named_by_their_kind(policy: Policy) -> None:
    for ending, document in (("docx", documents.word()), ("pdf", documents.pdf())):
        body = b"".join(
            [
                b'--B\r\nContent-Disposition: form-data; name="f"; filename="Anna.',
                ending.encode() + b'"\r\n\r\n' + document + b"\r\n--B--\r\n",
            ]
        )
        sent = send(policy(CLEAN), body, {"content-type": "multipart/form-data; boundary=B"}).body
        assert sent == body.replace(document, images.strip(document)).replace(
            b"Anna.", b"document-1."
        )


def test_a_signed_pdf_is_stopped_as_unalterable(policy: Policy) -> None:
    document = documents.page(JPEG)
    document.Root.Perms = pikepdf.Dictionary(DocMDP=pikepdf.Dictionary(ByteRange=[0, 1]))
    outcome = send(policy(CLEAN), documents.saved(document))
    assert outcome.refusal is not None
    assert outcome.refusal.cause is Cause.UNALTERABLE

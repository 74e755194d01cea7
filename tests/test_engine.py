"""The engine without a proxy: what policies make of uploads, and what the record says."""

from __future__ import annotations

import base64
import gzip
import io
import itertools
import json
import struct
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import piexif
import pikepdf
import pytest

from safelight import assembly, bodies, images
from safelight.audit import AuditError, AuditLog
from safelight.bodies import decode_coding, encode_coding
from safelight.case import Outcome, Upload
from safelight.engine import Engine
from safelight.images import Length
from safelight.in_force import clock
from safelight.refusals import Cause
from tests.support import documents, pictures
from tests.support import more_pictures as more
from tests.support.records import told

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from safelight.assembly import Assembly
    from safelight.passage import Passage

    type Policy = Callable[..., Assembly]

JPEG = pictures.jpeg()
CLEAN = {"id": "clean", "do": ["strip-metadata", "rename"], "because": "always"}


@pytest.fixture
def policy(tmp_path: Path) -> Policy:
    def assemble(*rules: dict[str, Any], **more: object) -> Assembly:
        path = tmp_path / "policy.yaml"
        # JSON is YAML.
        path.write_text(json.dumps({"version": 1, "name": "test", "rules": rules, **more}))
        return assembly.assemble([path], tmp_path / "audit", tmp_path / "keys")

    return assemble


def records(tmp_path: Path) -> list[dict[str, Any]]:
    return told(tmp_path / "audit")


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
    headers = {"x-ms-structured-body": "XSM/1.0; properties=crc64"}
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
    assembled = assembly.assemble([broken], tmp_path / "audit", tmp_path / "keys")
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


LARGE = pictures.jpeg(width=400, height=300)
# Behind the head, so that only pixels are cut.
CUTS = (LARGE.rindex(b"\xff\xda") + 900, len(LARGE) - 700)


def in_pieces(loaded: Assembly, whole: bytes, cuts: tuple[int, ...]) -> list[Outcome]:
    """Send `whole` in ranges."""
    edges = [0, *cuts, len(whole)]
    return [
        send(
            loaded,
            whole[start:end],
            {"content-range": f"bytes {start}-{end - 1}/{len(whole)}"},
        )
        for start, end in itertools.pairwise(edges)
    ]


def test_pieces_are_cleaned_as_they_come(policy: Policy) -> None:
    outcomes = in_pieces(policy(CLEAN), LARGE, CUTS)
    assert [outcome.refusal for outcome in outcomes] == [None] * 3
    assert b"".join(outcome.body for outcome in outcomes) == images.strip(LARGE, Length.SAME_LENGTH)
    assert "location" in outcomes[0].removed


def test_a_rule_that_blocks_stops_the_first_piece_and_all_later_ones(policy: Policy) -> None:
    rule = {"id": "no", "do": "block", "when": {"metadata": "location"}, "because": "no places"}
    causes = [
        outcome.refusal.cause
        for outcome in in_pieces(policy(rule), LARGE, CUTS)
        if outcome.refusal is not None
    ]
    assert causes == [Cause.POLICY, Cause.UNKNOWN_SHAPE, Cause.UNKNOWN_SHAPE]


@pytest.mark.parametrize("cut", [40, 300])
def test_pieces_that_cut_through_metadata_are_stopped(policy: Policy, cut: int) -> None:
    first, second = in_pieces(policy(CLEAN), LARGE, (cut,))
    assert first.refusal is not None or first.body == LARGE[:cut]
    assert second.refusal is not None


def test_pieces_out_of_order_or_unknown_are_stopped(policy: Policy) -> None:
    loaded = policy(CLEAN)
    ranges = {"content-range": f"bytes 900-999/{len(LARGE)}"}
    outcome = send(loaded, LARGE[900:1000], ranges)
    assert outcome.refusal is not None
    assert "beginning was not seen" in outcome.refusal.reason


def test_a_piece_may_be_sent_again(policy: Policy) -> None:
    loaded = policy(CLEAN)
    cut = CUTS[0]
    headers = {"content-range": f"bytes 0-{cut - 1}/{len(LARGE)}"}
    assert send(loaded, LARGE[:cut], headers).body == send(loaded, LARGE[:cut], headers).body


def test_pieces_of_two_senders_are_not_mixed_up(policy: Policy) -> None:
    loaded = policy(CLEAN)
    destination = loaded.catalogue.find("api.openai.com", 443, "PUT", "/u")
    assert destination is not None
    cut = LARGE.rindex(b"\xff\xda") + 900
    first = {"content-range": f"bytes 0-{cut - 1}/{2 * cut}"}
    second = {"content-range": f"bytes {cut}-{2 * cut - 1}/{2 * cut}"}
    # The head of Anna's picture is longer than her first piece.
    hers = JPEG[:2] + b"\xff\xe1" + (60_000).to_bytes(2) + bytes(59_998) + JPEG[2:]

    def sent(client: str, headers: dict[str, str], piece: bytes) -> Outcome:
        return loaded.engine.process(Upload(destination, "/u", headers, piece, client=client))

    sent("192.0.2.1", first, hers[:cut])
    assert sent("192.0.2.2", first, LARGE[:cut]).refusal is None
    assert sent("192.0.2.1", second, hers[cut : 2 * cut]).refusal is not None


def test_what_is_no_picture_passes_in_pieces(policy: Policy) -> None:
    text = b"just text, " * 100
    outcomes = in_pieces(policy(CLEAN), text, (100, 200))
    assert b"".join(outcome.body for outcome in outcomes) == text
    hiding = in_pieces(policy(CLEAN), text + JPEG, (len(text),))
    assert hiding[1].refusal is not None


@pytest.mark.parametrize("size", [1, 2, 30, 100])
@pytest.mark.parametrize("before", [b"", b"\0", b"\0" * 70_000])
def test_a_picture_in_tiny_pieces_is_stopped_at_its_beginning(
    policy: Policy, size: int, before: bytes
) -> None:
    assembled = policy(CLEAN)
    all_of_it = before + JPEG
    left = b""
    starts = [0, *range(max(1, len(before)), len(before) + 300, size)]
    for start, end in itertools.pairwise(starts):
        headers = {"content-range": f"bytes {start}-{end - 1}/{len(all_of_it)}"}
        outcome = send(assembled, all_of_it[start:end], headers)
        left += b"" if outcome.refusal else outcome.body
    assert len(left) < len(before) + size + 40
    assert pictures.CANARY not in left


def test_formats_that_need_the_whole_are_stopped_in_pieces(policy: Policy) -> None:
    photo = more.heic()
    first, *_ = in_pieces(policy(CLEAN), photo, (len(photo) // 2,))
    assert first.refusal is not None
    assert first.refusal.cause is Cause.UNALTERABLE
    whole = send(policy(CLEAN), photo, {"tus-resumable": "1.0.0", "upload-offset": "0"})
    assert whole.body == images.strip(photo, Length.SAME_LENGTH)


def test_names_of_pictures_go_from_every_step_of_an_upload(policy: Policy) -> None:
    loaded = policy(CLEAN)
    announced = json.dumps({"file_name": "Anna at home.jpg", "file_size": len(JPEG)}).encode()
    outcome = send(loaded, announced)
    assert json.loads(outcome.body) == {"file_name": "image.jpg", "file_size": len(JPEG)}
    sent = send(loaded, JPEG, {"x-entity-name": "Anna at home.jpg"})
    assert sent.headers["x-entity-name"] == "image.jpg"
    assert sent.body == images.strip(JPEG)
    inside = {"fileName": "Anna.jpg", "content": base64.b64encode(JPEG).decode()}
    arrived = json.loads(send(loaded, json.dumps(inside).encode()).body)
    assert arrived["fileName"] == "image.jpg"
    assert base64.b64decode(arrived["content"]) == images.strip(JPEG)


def test_names_stay_where_the_policy_does_not_rename(policy: Policy) -> None:
    announced = b'{"file_name": "Anna.jpg"}'
    rule = {"id": "c", "do": "strip-metadata", "because": "x"}
    assert send(policy(rule), announced).body == announced
    only_png = {**CLEAN, "when": {"upload": {"type": "png"}}}
    assert send(policy(only_png), announced).body == announced


def test_a_rule_can_hold(policy: Policy, tmp_path: Path) -> None:
    hold = {"id": "ask", "when": {"metadata": "location"}, "do": "hold", "because": "Ask."}
    assembled = policy(CLEAN, hold)
    outcome = send(assembled)
    assert outcome.refusal is not None
    assert outcome.waits is not None
    assert (outcome.refusal.cause, outcome.refusal.status) == (Cause.HELD, 403)
    assert outcome.body == b""
    [record] = records(tmp_path)
    assert (record["verdict"], record["refusal"], record["by"]) == ("hold", "held", ["ask"])


@pytest.mark.parametrize("how", ["approved", "denied", "timed-out"])
def test_what_waited_leaves_only_after_a_yes(policy: Policy, tmp_path: Path, how: str) -> None:
    hold = {"id": "ask", "when": {"metadata": "location"}, "do": "hold", "because": "Ask."}
    assembled = policy(CLEAN, hold)
    destination = assembled.catalogue.find("api.openai.com", 443, "POST", "/v1/files")
    assert destination is not None
    upload = Upload(destination, "/v1/files", {}, JPEG)
    outcome = assembled.engine.released(upload, assembled.engine.process(upload), how)
    assert (outcome.refusal is None) is (how == "approved")
    assert outcome.body == (images.strip(JPEG, Length.COMPACT) if how == "approved" else b"")
    decided, released = records(tmp_path)
    assert (released["of"], released["how"]) == (decided["id"], how)


def test_a_doubt_can_be_held(policy: Policy) -> None:
    refusal = send(policy(CLEAN, unsure={"unreadable": "hold"}), JPEG[:700]).refusal
    assert refusal is not None
    assert refusal.cause is Cause.HELD


def test_a_rule_that_monitors_is_only_recorded(policy: Policy, tmp_path: Path) -> None:
    block = {"id": "no", "do": "block", "mode": "monitor", "because": "No."}
    assert send(policy(CLEAN, block)).body == images.strip(JPEG)
    [record] = records(tmp_path)
    assert (record["shadow"], record["matched"]) == (["no"], ["clean"])


@pytest.mark.parametrize(
    ("when", "applies"),
    [
        ({"upload": {"more-pixels-than": 3000}}, True),
        ({"upload": {"more-pixels-than": 4000}}, False),
        ({"upload": {"shape": "json", "more-pictures-than": 1}}, True),
        ({"upload": {"shape": "raw"}}, False),
        ({"service": {"trains-on-uploads": "not-by-default"}}, True),
        ({"time": {"from": "20:30", "to": "07:00", "tz": "UTC"}}, True),
        ({"time": {"days": "tue", "tz": "UTC"}}, False),
        ({"people": "kids"}, True),
        ({"not": {"people": "kids"}}, False),
    ],
)
def test_rules_see_the_upload_and_the_moment(
    tmp_path: Path, when: dict[str, Any], *, applies: bool
) -> None:
    path = tmp_path / "policy.yaml"
    rule = {"id": "no", "when": when, "do": "block", "because": "No."}
    people = {"kids": "10.0.0.16/28"}
    path.write_text(json.dumps({"version": 1, "name": "t", "people": people, "rules": [rule]}))
    catalogue = assembly.load_catalogue()
    engine = Engine(
        assembly.load_policy([path], catalogue),
        AuditLog(tmp_path / "audit", tmp_path / "keys"),
        lambda: datetime(2026, 11, 23, 21, tzinfo=UTC),
    )
    destination = catalogue.find("api.openai.com", 443, "POST", "/v1/chat/completions")
    assert destination is not None
    two = json.dumps([base64.b64encode(JPEG).decode()] * 2).encode()
    upload = Upload(destination, "/v1/chat/completions", {}, two, client="10.0.0.17")
    assert (engine.process(upload).refusal is not None) is applies


def test_what_breaks_inside_stays_here_unless_the_policy_says_else(
    policy: Policy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("safelight.engine.transform", fail)
    refusal = send(policy(CLEAN)).refusal
    assert refusal is not None
    assert refusal.cause is Cause.ENGINE_ERROR
    assert send(policy(CLEAN, unsure={"engine-error": "warn"})).body == JPEG
    assert records(tmp_path)[1]["doubts"] == ["engine-error"]


IN_JSON = json.dumps({"image": base64.b64encode(JPEG).decode()}).encode()


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (JPEG, lambda clean: clean[:-1]),
        (JPEG, lambda clean: clean.replace(b"\xff\xda", b"\xff\xdb")),
        (JPEG, lambda clean: clean[:2] + JPEG[2:]),
        (JPEG, lambda clean: clean + JPEG),
        (IN_JSON, lambda clean: clean + JPEG),
        (IN_JSON, lambda clean: clean + clean),
        (IN_JSON, lambda _: IN_JSON),
        (IN_JSON, lambda clean: clean.replace(b"AAAA", b"AAAB", 1)),
    ],
)
def test_a_body_that_was_put_together_wrongly_stays_here(
    policy: Policy, monkeypatch: pytest.MonkeyPatch, body: bytes, wrong: Callable[[bytes], bytes]
) -> None:
    rewrite = bodies.rewrite
    monkeypatch.setattr(bodies, "rewrite", lambda *given: wrong(rewrite(*given)))
    refusal = send(policy(CLEAN), body).refusal
    assert refusal is not None
    assert refusal.cause is Cause.ENGINE_ERROR


def question(
    assembled: Assembly, body: bytes, path: str = "/v1/chat/completions", **headers: str
) -> Upload:
    destination = assembled.catalogue.find("api.openai.com", 443, "POST", path)
    assert destination is not None
    return Upload(destination, path, headers, body)


def test_a_short_question_is_plain(policy: Policy) -> None:
    assembled = policy(CLEAN)
    asked = question(assembled, b'{"messages": [{"role": "user", "content": "How are you?"}]}')
    assert assembled.engine.is_plain(asked)
    outcome = assembled.engine.process(asked)
    assert (outcome.body, outcome.headers, outcome.refusal) == (asked.body, {}, None)


def test_what_has_to_be_judged_changed_or_recorded_is_not_plain(policy: Policy) -> None:
    assembled = policy(CLEAN)
    small = base64.b64encode(pictures.jpeg()).decode()
    words = b'{"messages": []}'
    announced = b'{"filename": "CANARY.jpg", "purpose": "vision", "bytes": 9, "mime_type": "a/b"}'
    for upload in (
        question(assembled, json.dumps({"image": small}).encode()),
        question(assembled, " ".join(map(str, JPEG)).encode()),
        question(assembled, gzip.compress(words), **{"content-encoding": "gzip"}),
        question(assembled, words, **{"content-range": "bytes 0-15/99"}),
        question(assembled, announced, "/v1/uploads"),
        question(assembled, b"<svg xmlns='http://www.w3.org/2000/svg'><!--CANARY--></svg>"),
    ):
        assert not assembled.engine.is_plain(upload), upload.body


def test_a_piece_is_given_its_place_only_where_it_is_judged(policy: Policy) -> None:
    assembled = policy(CLEAN)
    words = b'--b\r\nContent-Disposition: form-data; name="data"\r\n\r\nHow are you?\r\n--b--\r\n'
    piece = question(
        assembled,
        words,
        "/v1/uploads/u/parts",
        **{"content-type": "multipart/form-data; boundary=b"},
    )
    turn = assembled.engine.pieces.begin(piece.destination, piece.path)
    assert turn is not None
    assembled.engine.pieces.announced(
        piece.destination,
        b'{"bytes": 12, "mime_type": "text/plain", "filename": "a"}',
        b'{"id": "u"}',
    )
    piece = replace(piece, turn=turn)
    assert not assembled.engine.is_plain(piece)
    assert not turn.placed
    assert assembled.engine.process(piece).refusal is None
    assert turn.placed


def test_what_breaks_while_it_is_looked_at_is_not_plain(
    policy: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError

    assembled = policy(CLEAN)
    monkeypatch.setattr(bodies, "survey", fail)
    assert not assembled.engine.is_plain(question(assembled, b"How are you?"))


def passage_of(assembled: Assembly, path: str = "/file-1") -> Passage | None:
    destination = assembled.catalogue.find("files.oaiusercontent.com", 443, "PUT", path)
    assert destination is not None
    upload = Upload(destination, path, {}, JPEG, client="192.0.2.1")
    return assembled.engine.flow(upload, len(JPEG))


def flows(assembled: Assembly) -> bool:
    return passage_of(assembled) is not None


def test_the_name_in_the_query_goes_from_what_flows(policy: Policy) -> None:
    passage = passage_of(policy(CLEAN), "/file-1?name=Anna.jpg&size=1")
    assert passage is not None
    assert passage.path == "/file-1?name=image.jpg&size=1"


IN_URL = base64.urlsafe_b64encode(JPEG).decode()


@pytest.mark.parametrize("body", [b"", b"{}", JPEG])
@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (f"/v1/files?image=data:image/jpeg;base64,{IN_URL}", {}),
        (f"/v1/files/{IN_URL}", {}),
        ("/v1/files", {"x-thumbnail": IN_URL}),
        ("/v1/files", {"cookie": f"a=b; draft={IN_URL}"}),
        ("/v1/files", {"content-range": "bytes 0-4/9000", "x-thumbnail": IN_URL}),
    ],
)
def test_a_picture_beside_the_body_is_stopped(
    policy: Policy, body: bytes, path: str, headers: dict[str, str]
) -> None:
    assembled = policy(CLEAN)
    destination = assembled.catalogue.find("api.openai.com", 443, "POST", path)
    assert destination is not None
    upload = Upload(destination, path, headers, body)
    assert assembled.engine.concerns(upload)
    refusal = assembled.engine.process(upload).refusal
    assert refusal is not None
    assert refusal.cause is Cause.UNKNOWN_SHAPE
    assert not headers or assembled.engine.flow(upload, len(JPEG)) is None


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_what_a_signature_keeps_packed_is_looked_at_as_it_is(policy: Policy, coding: str) -> None:
    plain = encode_coding(b"{}", coding)
    skipped = {
        "gzip": plain[:3] + b"\4" + plain[4:10] + struct.pack("<H", len(JPEG)) + JPEG + plain[10:],
        "zstd": b"\x50\x2a\x4d\x18" + struct.pack("<I", len(JPEG)) + JPEG + plain,
    }[coding]
    headers = {"content-encoding": coding}
    assert decode_coding(skipped, coding, 100) == b"{}"
    assert send(policy(CLEAN), skipped, headers).body == plain
    signed = headers | {"x-amz-content-sha256": "0" * 64}
    assert send(policy(CLEAN), plain, signed).body == plain
    refusal = send(policy(CLEAN), skipped, signed).refusal
    assert refusal is not None
    assert refusal.cause is Cause.UNALTERABLE


@pytest.mark.parametrize(
    ("when", "do", "may_flow"),
    [
        ({"metadata": "location"}, "warn", True),
        ({"metadata": "location"}, "block", False),
        ({"metadata": "location"}, "hold", False),
        ({"metadata": "location"}, "rename", False),
        ({"not": {"metadata": "location"}}, "block", False),
        ({"not": {"metadata": "location"}}, "warn", True),
        # Who looks only at nothing found, and at everything found, sees neither of the two match.
        ({"metadata": "location", "not": {"metadata": "device"}}, "block", False),
        ({"any": [{"metadata": "location"}, {"service": {"id": "luma"}}]}, "block", False),
        ({"all": [{"metadata": "location"}, {"service": {"id": "luma"}}]}, "block", True),
        ({"upload": {"more-pixels-than": 5}}, "warn", False),
        ({"upload": {"larger-than": "1 GB"}}, "block", True),
    ],
)
def test_what_may_flow_is_the_same_whatever_will_be_found(
    policy: Policy, when: dict[str, Any], do: str, *, may_flow: bool
) -> None:
    clean = {"id": "clean", "do": "strip-metadata", "because": "always"}
    rule = {"id": "x", "when": when, "do": do, "because": "x"}
    assert flows(policy(clean, rule)) is may_flow


def test_the_policy_can_be_exchanged_and_paused(tmp_path: Path, policy: Policy) -> None:
    block = {"id": "no", "do": "block", "because": "No."}
    assembled = policy(CLEAN, block)
    in_force = assembled.engine.in_force
    before = assembled.loaded
    assert send(assembled).refusal is not None
    in_force.pause(clock() + timedelta(minutes=1))
    outcome = send(assembled)
    assert outcome.body == images.strip(JPEG)
    assert outcome.warnings == ("No.",)
    for until in (clock() - timedelta(seconds=1), clock() + timedelta(days=2), None):
        in_force.pause(until)
        assert send(assembled).refusal is not None
    in_force.adopt(policy(CLEAN).loaded)
    assert send(assembled).refusal is None
    in_force.adopt(before)
    assert send(assembled).refusal is not None
    assert [one["paused"] for one in records(tmp_path)] == [[], ["no"], [], [], [], [], []]


def test_names_go_wherever_the_picture_might_be_renamed(policy: Policy, tmp_path: Path) -> None:
    rule = {"id": "r", "do": ["rename", "block"], "when": {"metadata": "location"}, "because": "x"}
    announced = b'{"file_name": "Anna.jpg"}'
    assert send(policy(rule), announced).body == b'{"file_name": "image.jpg"}'
    [record] = records(tmp_path)
    assert (record["verdict"], record["matched"]) == ("allow", [])
    assert record["transforms"] == ["rename"]


def test_the_size_of_a_picture_in_pieces_is_that_of_the_whole(policy: Policy) -> None:
    size = f"{len(LARGE) - 1} B"
    rule = {"id": "x", "when": {"upload": {"larger-than": size}}, "do": "block", "because": "x"}
    first, *_ = in_pieces(policy(CLEAN, rule), LARGE, CUTS)
    assert first.refusal is not None
    assert first.refusal.cause is Cause.POLICY


def test_a_rule_keeps_the_copyright(policy: Policy, tmp_path: Path) -> None:
    keeping = {**CLEAN, "keep": "copyright"}
    stream = io.BytesIO()
    piexif.insert(piexif.dump({"0th": {0x8298: b"(c) Anna", 0x010F: b"SECRET"}}), JPEG, stream)
    noted = stream.getvalue()
    sent = send(policy(keeping), noted).body
    kept = frozenset({images.Keep.COPYRIGHT})
    assert sent == images.strip(noted, keep=kept) != images.strip(noted)
    assert records(tmp_path)[0]["kept"] == ["copyright"]
    other = {"id": "all", "do": "strip-metadata", "because": "all of it"}
    assert send(policy(keeping, other), noted).body == images.strip(noted)
    in_base64 = json.dumps({"image": base64.b64encode(noted).decode()}).encode()
    outcome = send(policy(keeping), in_base64, {"content-type": "application/json"})
    assert b"(c) Anna" in base64.b64decode(json.loads(outcome.body)["image"])

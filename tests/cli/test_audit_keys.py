"""safelight audit find, erase and retire; policy replay and explain: on a log of a real engine."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from safelight import assembly, audit, paths
from safelight.case import Upload
from safelight.cli import main
from safelight.journal import CONTENT, digest
from tests.support import pictures
from tests.support.records import told

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with a log in which one photo left."""
    assembled = assembly.assemble(
        [paths.default_policy()], tmp_path / "audit", paths.audit_keys(tmp_path / "state")
    )
    destination = assembled.catalogue.find("api.openai.com", 443, "POST", "/v1/files")
    assert destination is not None
    assembled.engine.process(Upload(destination, "/v1/files", {}, pictures.jpeg()))
    assembled.log.sign()
    assembled.log.close()
    (tmp_path / "photo.jpg").write_bytes(pictures.jpeg())
    return tmp_path


def own(home: Path) -> list[object]:
    return ["--audit", home / "audit", "--state", home / "state"]


def test_find(home: Path) -> None:
    result = call("audit", "find", home / "photo.jpg", *own(home))
    assert result.exit_code == 0
    assert "left, without" in result.output
    assert "where it was taken" in result.output
    other = home / "other.jpg"
    other.write_bytes(b"another")
    result = call("audit", "find", other, *own(home))
    assert (result.exit_code, result.output) == (1, "There is no record of this photo.\n")


def test_find_says_no_only_where_it_can_tell(home: Path) -> None:
    photo = home / "photo.jpg"
    (home / "file").write_text("")
    (home / "odd" / "audit-000001.jsonl").mkdir(parents=True)
    for folder, state, why in (
        ("audit", "other-state", "no key of that time"),
        ("no-folder", "state", "There is no folder"),
        ("file", "state", "Not a directory"),
        ("odd", "state", "Is a directory"),
    ):
        result = call("audit", "find", photo, "--audit", home / folder, "--state", home / state)
        assert (result.exit_code, why in result.stderr) == (2, True), result.output


def test_an_end_whose_decision_was_retired(home: Path) -> None:
    log = audit.AuditLog(home / "audit", paths.audit_keys(home / "state"))
    content = digest(b"film").digest()
    name = log.pseudonym(CONTENT, content)
    log.append(audit.End(of="d_000000000000", how="whole", sent=4, content=name))
    log.close()
    (home / "film.jpg").write_bytes(b"film")
    result = call("audit", "find", home / "film.jpg", *own(home))
    assert (result.exit_code, "to whom was deleted for its age" in result.stdout) == (0, True)


@pytest.mark.parametrize("command", [("erase", "2026-11"), ("retire", "--days", 1)])
def test_no_log_is_begun_by_letting_go_of_one(tmp_path: Path, command: tuple[object, ...]) -> None:
    (tmp_path / "empty").mkdir()
    for folder in ("empty", "missing"):
        place = ["--audit", tmp_path / folder, "--state", tmp_path / "state"]
        result = call("audit", *command, *place)
        assert (result.exit_code, "There is no log in" in result.stderr) == (1, True)
    assert [path.name for path in tmp_path.rglob("*")] == ["empty"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")
def test_root_leaves_no_file_of_its_own_in_a_log_of_somebody_else(home: Path) -> None:
    for path in (home / "audit", *(home / "audit").iterdir()):
        os.chown(path, 1, 1)
    result = call("audit", "retire", "--days", 1, *own(home))
    assert (result.exit_code, "sudo -u" in result.stderr) == (1, True)


def test_erase(home: Path) -> None:
    [key] = (home / "state").rglob("*.pseudonyms")
    assert call("audit", "erase", "2026-13", *own(home)).exit_code == 2
    assert call("audit", "erase", "1999-01", *own(home)).exit_code == 1
    assert call("audit", "erase", key.stem, *own(home)).exit_code == 0
    result = call("audit", "find", home / "photo.jpg", *own(home))
    assert (result.exit_code, f"Nobody can tell of {key.stem}" in result.stderr) == (2, True)
    assert call("audit", "verify", home / "audit", "--state", home / "state").exit_code == 0
    log = audit.AuditLog(home / "audit", paths.audit_keys(home / "state"))
    assert log.pseudonym(CONTENT, b"another key")
    log.close()
    assert call("audit", "find", home / "photo.jpg", *own(home)).exit_code == 2


def test_verify(home: Path) -> None:
    state = ["--state", home / "state"]
    result = call("audit", "verify", home / "audit", *state)
    assert (result.exit_code, "none altered" in result.output) == (0, True)
    told = json.loads(call("audit", "verify", home / "audit", *state, "--json").output)
    assert (told["result"], told["unsigned"]) == ("good", 0)
    [public] = (home / "state").rglob("public-key")
    copy = home / "copy"
    shutil.copytree(home / "audit", copy)
    assert call("audit", "verify", copy, "--key", public, "--state", home / "no").exit_code == 0
    [file] = copy.glob("*.jsonl")
    lines = file.read_text().splitlines(keepends=True)
    for kept, code, told_of in (
        ([lines[0], *lines[2:]], 2, "record 2 is missing"),
        ([lines[0].replace("lg_", "lg-"), *lines[1:]], 1, "was altered"),
        (lines[:2], 2, "a checkpoint over"),
        ([], 4, "no record here"),
    ):
        file.write_text("".join(kept))
        result = call("audit", "verify", copy, *state)
        assert (result.exit_code, told_of in result.output) == (code, True), result.output
    wrong = home / "wrong"
    wrong.write_text("nonsense")
    assert call("audit", "verify", home / "audit", "--key", wrong).exit_code == 3


def test_retire(home: Path) -> None:
    result = call("audit", "retire", "--days", 1, *own(home))
    assert (result.exit_code, result.output[:8]) == (0, "0 files ")


def test_replay_of_no_log(home: Path) -> None:
    (home / "odd" / "audit-000001.jsonl").mkdir(parents=True)
    for folder, why in (("missing", "There is no folder"), ("odd", "Is a directory")):
        result = call("policy", "replay", paths.default_policy(), "--audit", home / folder)
        assert (result.exit_code, why in result.stderr) == (1, True), result.output


def test_replay_and_explain(home: Path) -> None:
    folder = ["--audit", home / "audit"]
    [record] = told(home / "audit")
    same = call("policy", "replay", paths.default_policy(), *folder)
    assert (same.exit_code, same.output) == (0, "1 uploads, 0 decided otherwise.\n")
    strict = home / "strict.yaml"
    strict.write_text(
        "version: 1\nname: strict\nrules:\n"
        "  - {id: no-places, when: {metadata: location}, do: block, because: No places.}\n"
    )
    other = call("policy", "replay", strict, *folder)
    assert other.exit_code == 1
    assert f"{record['id']}  openai_api: warn rename strip-metadata -> block" in other.output
    assert "by no-places" in other.output
    said = json.loads(call("policy", "replay", strict, *folder, "--json").output)
    assert said["would-be"] == {
        "verdict": "block",
        "transforms": [],
        "kept": [],
        "by": ["no-places"],
    }
    explained = call("policy", "explain", record["id"], *folder)
    assert explained.exit_code == 0
    assert "recorded as: warn" in explained.output
    assert "tell-about-places" in explained.output
    assert "another one" not in explained.output
    explained = call("policy", "explain", record["id"], strict, *folder)
    assert "it was decided by another one: home" in explained.output
    shown = json.loads(call("audit", "show", record["id"], "--json", *folder).output)
    common = {name: shown["decision"][name] for name in ("service", "host", "policy", "revision")}
    log = audit.AuditLog(home / "audit", paths.audit_keys(home / "state"))
    for id_, fields in (
        ("d_000000000001", {"verdict": "hold", "pictures": shown["decision"]["pictures"]}),
        ("d_000000000002", {"verdict": "block", "refusal": "ambiguous-request"}),
    ):
        log.append(audit.Decision.model_validate({"id": id_, **common, **fields}))
    log.append(audit.Release(of="d_000000000001", how="denied"))
    log.close()
    waited = call("policy", "explain", "d_000000000001", *folder)
    assert "denied, so it stayed here" in waited.stdout
    unasked = call("policy", "explain", "d_000000000002", *folder)
    assert (unasked.exit_code, "no rule was asked" in unasked.stdout) == (0, True)
    missing = call("policy", "explain", "d_000000000000", *folder)
    assert (missing.exit_code, "There is no decision" in missing.output) == (1, True)

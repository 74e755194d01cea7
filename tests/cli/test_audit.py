"""safelight audit search, show, export and schema, over a real log."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from safelight.audit import AuditLog
from safelight.audit.export import Format
from safelight.audit.schema import schema
from safelight.cli import words
from safelight.refusals import Cause
from tests.audit.events import decided, ended, unseen
from tests.cli.test_commands import call

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The audit folder of a log of three days."""
    made = tmp_path_factory.mktemp("log")
    now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    log = AuditLog(made / "audit", made / "keys", lambda: now)
    log.append(decided(id="d_1"))
    log.append(unseen("uninspected"))
    now = now.replace(day=22)
    log.append(decided(id="d_2", service="claude_web", host="claude.ai", flowing=True))
    log.append(ended("stopped", "voice-or-video", of="d_2", refusal="unreadable"))
    now = now.replace(day=23)
    log.append(decided(id="d_3", verdict="block", refusal="too-large", pictures=()))
    log.close()
    return made / "audit"


def found(folder: Path, *arguments: str) -> list[str]:
    """The ids of what `search` finds, or the service of a connection."""
    result = call("audit", "search", "--audit", folder, "--json", *arguments)
    assert result.exit_code == 0, result.output
    records = map(json.loads, result.stdout.splitlines())
    return [one.get("id") or one.get("of") or one["service"] for one in records]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("", ["d_1", "grok_app", "d_2", "d_2", "d_3"]),
        ("--service claude_web", ["d_2", "d_2"]),
        ("--service claude_web --service grok_app", ["grok_app", "d_2", "d_2"]),
        ("--verdict block", ["d_3"]),
        ("--verdict block --verdict allow", ["d_1", "d_2", "d_2", "d_3"]),
        ("--verdict hold", []),
        ("--found voice-or-video", ["d_2", "d_2"]),
        ("--found location --service chatgpt_web", ["d_1"]),
        ("--refusal unreadable", ["d_2", "d_2"]),
        ("--refusal unreadable --verdict block", []),
        ("--since 2026-11-22", ["d_2", "d_2", "d_3"]),
        ("--until 2026-11-22", ["d_1", "grok_app", "d_2", "d_2"]),
        ("--since 2026-11-22 --until 2026-11-22", ["d_2", "d_2"]),
        ("--since 2026-11-22T12:00:01+00:00", ["d_3"]),
        ("--until 2026-11-22T12:00+00:00", ["d_1", "grok_app"]),
    ],
)
def test_search(folder: Path, arguments: str, expected: list[str]) -> None:
    assert found(folder, *arguments.split()) == expected


def test_search_in_words(folder: Path) -> None:
    lines = call("audit", "search", "--audit", folder).stdout.splitlines()
    assert len(lines) == 5
    assert "d_1  sent  chatgpt_web: 1 file, saying which device took it and where" in lines[0]
    assert "d_2  ended stopped because of unreadable" in lines[3]
    nothing = call("audit", "search", "--audit", folder, "--service", "nobody")
    assert (nothing.exit_code, nothing.stdout) == (0, "")
    assert "Nothing of that kind" in nothing.stderr


@pytest.mark.parametrize("day", ["yesterday", "2026-13-01", "24.11.2026", "9999-12-31"])
def test_a_day_that_is_none(folder: Path, day: str) -> None:
    result = call("audit", "search", "--audit", folder, "--until", day)
    assert result.exit_code == 2
    assert "no day or moment such as" in result.stderr


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    result = call("audit", "search", "--audit", tmp_path / "none")
    assert (result.exit_code, "There is no folder" in result.stderr) == (1, True)
    (tmp_path / "audit-000001.jsonl").write_text('{"v":1,"kind":"release","of":"d_1"}\n')
    result = call("audit", "search", "--audit", tmp_path)
    assert (result.exit_code, "? not a record" in result.stderr) == (0, True)


def test_show(folder: Path) -> None:
    shown = call("audit", "show", "d_2", "--audit", folder)
    assert shown.exit_code == 0
    for said in (
        "service      claude_web",
        "The AI service, as the catalogue calls it.",
        "File 1",
        "found        device, location (which device took it and where it was taken)",
        "received     5000 (5 KB)",
        "Its end",
        "refusal      unreadable (it was damaged, or of a kind that cannot be looked into)",
    ):
        assert said in shown.stdout, shown.stdout
    explained = "Its number in the log. None is missing and none comes twice."
    assert shown.stdout.count(explained) == 1
    told = json.loads(call("audit", "show", "d_2", "--audit", folder, "--json").stdout)
    assert (told["decision"]["id"], told["end"]["of"]) == ("d_2", "d_2")
    assert "end" not in json.loads(call("audit", "show", "d_3", "--audit", folder, "--json").stdout)
    unknown = call("audit", "show", "d_9", "--audit", folder)
    assert (unknown.exit_code, "No decision d_9 is recorded" in unknown.stderr) == (1, True)


@pytest.mark.parametrize("form", Format)
def test_export(folder: Path, tmp_path: Path, form: Format) -> None:
    arguments = ("audit", "export", "--audit", folder, "--format", str(form))
    result = call(*arguments)
    assert result.exit_code == 0, result.output
    expected = {Format.OCSF: 6, Format.CSV: 5}.get(form, 4)
    assert len(result.stdout.splitlines()) == expected
    target = tmp_path / "exported"
    assert call(*arguments, "-o", target).exit_code == 0
    assert target.read_bytes() == result.stdout_bytes
    one = call(*arguments, "--since", "2026-11-23").stdout.splitlines()
    assert len(one) == {Format.OCSF: 2, Format.CSV: 2}.get(form, 1)
    assert "d_3" in one[-1]


def test_schema() -> None:
    assert json.loads(call("audit", "schema").stdout) == schema()


def test_there_are_words_for_every_cause() -> None:
    for cause in Cause:
        assert " " in words.cause(cause)
        assert words.cause(cause) != cause.replace("-", " ")
    assert words.cause("of-a-later-version") == "of a later version"


def test_an_export_that_fails_leaves_the_last_one(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "events.csv"
    export = ("audit", "export", "--format", "csv", "-o", output)
    assert call(*export, "--audit", folder).exit_code == 0
    before = output.read_bytes()
    assert b"chatgpt" in before
    odd = tmp_path / "odd"
    (odd / "audit-000001.jsonl").mkdir(parents=True)
    for other in (tmp_path / "missing", odd):
        assert call(*export, "--audit", other).exit_code == 1
        assert output.read_bytes() == before
    assert not list(tmp_path.glob(".*.new"))
    nowhere = call(*export[:-1], tmp_path / "no" / "x.csv", "--audit", folder)
    assert (nowhere.exit_code, "cannot be written" in nowhere.stderr) == (1, True)

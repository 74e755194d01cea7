"""safelight policy and safelight pause, as people call them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from safelight import paths, pausing
from safelight.cli import main
from safelight.in_force import LONGEST_PAUSE, clock

if TYPE_CHECKING:
    from pathlib import Path

HOME = paths.policies() / "home.yaml"
FAMILY = paths.policies() / "family.yaml"
SMALL = """\
version: 1
name: small
rules:
  - {id: clean, do: strip-metadata, because: Clean.}
tests:
  - {name: cleaned, given: {service: luma}, expect: {verdict: allow, transforms: strip-metadata}}
"""


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    small = tmp_path / "small.yaml"
    small.write_text(SMALL)
    return small


@pytest.mark.parametrize("name", ["", "check", "test", "explain", "diff", "schema", "init"])
def test_every_command_has_help(name: str) -> None:
    for flag in ("--help", "-h"):
        result = call("policy", *name.split(), flag)
        assert (result.exit_code, "Usage:" in result.output) == (0, True)


def test_check(tmp_path: Path) -> None:
    assert call("policy", "check").exit_code == 0
    bad = tmp_path / "bad.yaml"
    bad.write_text("version: 1\nname: bad\nrules:\n  - {id: a, do: blok, because: x}\n")
    result = call("policy", "check", bad)
    assert result.exit_code == 1
    assert f"{bad}:4:17: rules.0.do.0: " in result.stderr


def test_check_each_or_together(file: Path) -> None:
    other = file.with_name("other.yaml")
    exception = "{rule: clean, id: old, when: {people: me}, until: 2026-01-01, why: x}"
    other.write_text(
        "version: 1\nname: other\npeople: {me: 10.0.0.1}\n"
        "rules: [{id: tell, do: warn, because: x}]\n"
        f"exceptions: [{exception}]\n"
    )
    alone = call("policy", "check", file, other)
    assert alone.exit_code == 1
    assert f"{file}: ok, 1 rule, revision " in alone.stdout
    assert f"{other}:5:21: no rule has the id `clean`" in alone.stderr
    together = call("policy", "check", "--together", file, other)
    assert together.exit_code == 0
    assert f"{file} {other}: ok, 2 rules" in together.stdout
    assert f"note: {other}:5:64: the exception `old` ended on 2026-01-01" in together.stderr


def test_tests_in_the_file_and_beside_it(file: Path) -> None:
    assert call("policy", "test", file).output == f"{file}: 1 of 1 tests passed\n"
    beside = file.with_name("small_test.yaml")
    beside.write_text(
        "tests:\n  - {name: fine, given: {}, expect: {verdict: allow}}\n"
        "  - name: wrong\n    given: {}\n    expect: {verdict: hold, by: clean, matched: []}\n"
    )
    result = call("policy", "test", file)
    assert result.exit_code == 1
    assert f"{beside}:3: wrong: the verdict is allow, not hold" in result.stderr
    assert f"{beside}:3: wrong: by: none, not clean" in result.stderr
    assert f"{beside}:3: wrong: matched: clean, not none" in result.stderr
    assert "2 of 3 tests passed" in result.stdout


@pytest.mark.parametrize(
    ("test", "message"),
    [
        ("{name: a, given: {service: lumma}, expect: {by: clean}}", "did you mean `luma`?"),
        ("{name: a, given: {people: kids}, expect: {by: clean}}", "no group under `people`"),
        ("{name: a, given: {from: 10.0.0.1, people: kids}, expect: {by: clean}}", "both say from"),
        ("{name: a, given: {from: home}, expect: {by: clean}}", "must be an address such as"),
        ("{name: a, given: {}, expect: {by: cleen}}", "did you mean `clean`?"),
        ("{name: a, given: {}, expect: {}}", "small_test.yaml:2:34: tests.0.expect: expects noth"),
        ("{name: a, given: {size: 5}, expect: {by: clean}}", "must be a size such as 20 MB"),
        ("{name: a, given: {colour: 5}, expect: {by: clean}}", "`colour` is not a key"),
    ],
)
def test_mistakes_in_tests_say_where(file: Path, test: str, message: str) -> None:
    file.with_name("small_test.yaml").write_text(f"tests:\n  - {test}\n")
    result = call("policy", "test", file)
    assert result.exit_code == 1
    assert message in result.stderr
    assert "small_test.yaml:2:" in result.stderr
    assert call("policy", "check", file).stderr == result.stderr


def test_explain_in_words() -> None:
    result = call(
        *("policy", "explain", FAMILY, "--service", "luma", "--from", "192.168.1.40"),
        *("--at", "2026-11-23T21:00", "--found", "location"),
    )
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[0] == "BLOCK"
    assert lines[1].startswith(f"decided by    kids-bedtime   {FAMILY}:")
    assert (
        "time = sun mon tue wed thu 20:30 to 07:00 Europe/Berlin, seen Mon 21:00" in result.output
    )
    assert "also matched  tell-about-places" in result.output
    assert "nearly        try-no-albums" in result.output
    assert "not: upload.more-pictures-than = 5, seen 1" in result.output
    assert "instead       warn (rename, strip-metadata): from anybody else" in result.output
    assert "instead       without that rule: an exception to kids-bedtime in its own file" in lines
    assert lines[-1].startswith("policy        family, revision ")


def test_explain_for_programs() -> None:
    result = call("policy", "explain", "--found", "location", "--json")
    told = json.loads(result.output)
    assert told["decision"]["verdict"] == "warn"
    assert told["decision"]["deciding"] == ["tell-about-places"]
    assert told["accounts"][0]["part"] == "decided"
    assert ["without metadata", "allow (rename, strip-metadata)"] in told["changes"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--service", "grok"], "it could be grok_web or grok_x"),
        (["--service", "chatpgt_web"], "did you mean `chatgpt_web`?"),
        (["--people", "kids"], "no group is called `kids`"),
        (["--found", "gps"], "--found: must be one of location, "),
        (["--from", "home"], "--from: must be an address such as 192.168.1.20"),
        (["--at", "tonight"], "--at: must be a moment such as 2026-11-23T21:00"),
        (["--at", "2026-02-30T25:00"], "--at: must be a moment such as 2026-11-23T21:00"),
        (["--type", "jpg"], "did you mean `jpeg`?"),
        (["--workspace", "our company"], "--workspace: must be the id of a workspace"),
        (["--pictures", "0"], "--pictures: "),
    ],
)
def test_explain_with_mistakes(options: list[str], message: str) -> None:
    result = call("policy", "explain", HOME, *options)
    assert (result.exit_code, message in result.stderr) == (2, True), result.output


def test_a_moment_that_is_none_in_a_test(file: Path) -> None:
    file.write_text(SMALL.replace("{service: luma}", "{at: 2026-02-30T25:00}"))
    result = call("policy", "test", file)
    assert (result.exit_code, "must be a moment such as" in result.stderr) == (1, True)


def test_a_file_without_tests_is_told_where_they_go(file: Path) -> None:
    file.write_text(SMALL.partition("tests:")[0])
    assert "no tests; they go into small_test.yaml beside it" in call("policy", "test", file).output


@pytest.mark.parametrize("command", ["replay", "explain"])
def test_before_anything_was_recorded(file: Path, command: str) -> None:
    given = ["d_0123456789ab"] if command == "explain" else []
    result = call("policy", command, *given, file, "--audit", file.with_name("none"))
    assert result.exit_code == 1
    assert "There is no folder" in result.output


def test_diff(file: Path) -> None:
    assert call("policy", "diff", file, file).exit_code == 0
    other = file.with_name("other.yaml")
    rule = "  - {id: no, do: block, because: x, when: {metadata: location}}\n"
    text = SMALL.replace("tests:", f"{rule}unsure: {{unreadable: warn}}\ntests:")
    other.write_text(text.replace("name: small", "name: other\nlargest-upload: 5 MB"))
    result = call("policy", "diff", file, other)
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        "allow (strip-metadata) -> block   1 combination",
        "    with location",
        "    for example with location",
        "unsure unreadable: block -> warn",
        "largest-upload: 50000000 -> 5000000",
        "Tried 2 combinations.",
    ]
    assert call("policy", "diff", file, "nowhere.yaml").exit_code == 1


def test_schema() -> None:
    assert call("policy", "schema").output == (HOME.parent / "policy.schema.json").read_text()


@pytest.mark.parametrize("like", ["home", "family", "corporate"])
def test_init_writes_a_policy_once(file: Path, like: str) -> None:
    result = call("policy", "init", "my-rules", "--like", like)
    assert result.exit_code == 0
    written = file.with_name("my-rules.yaml")
    assert "name: my-rules\n" in written.read_text()
    assert f"policies/{like}.yaml" not in written.read_text()
    assert file.with_name("policy.schema.json").exists()
    assert call("policy", "check", written).exit_code == 0
    written.write_text("mine")
    again = call("policy", "init", "my-rules")
    assert (again.exit_code, "is there already" in again.stderr) == (1, True)
    assert written.read_text() == "mine"
    assert call("policy", "init", "../elsewhere").exit_code == 2


def test_pause(tmp_path: Path) -> None:
    state = ("--state", tmp_path / "state")
    assert call("pause", *state).output == "Nothing is paused.\n"
    assert "stop nothing until" in call("pause", "30m", *state).output
    assert pausing.read(tmp_path / "state") is not None
    assert "stop nothing until" in call("pause", *state).output
    assert call("pause", "--end", *state).output == "Nothing is paused.\n"
    assert pausing.read(tmp_path / "state") is None
    # As after a clock that was set back by days.
    pausing.write(tmp_path / "state", clock() + 2 * LONGEST_PAUSE)
    assert call("pause", *state).output == "Nothing is paused.\n"


@pytest.mark.parametrize("duration", ["30", "0m", "25h", "soon", "-5m"])
def test_pauses_have_an_end(tmp_path: Path, duration: str) -> None:
    result = call("pause", "--state", tmp_path, "--", duration)
    assert result.exit_code == 2
    assert pausing.read(tmp_path) is None

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from safelight import policy
from safelight.documents import MOST_PROBLEMS, DocumentError
from safelight.policy.load import expired

if TYPE_CHECKING:
    from pathlib import Path

SERVICES = {
    "chatgpt_web": policy.About("chat", "by-default"),
    "claude_web": policy.About("chat", says_workspace=True),
    "luma": policy.About("image"),
}

GOOD = """\
version: 1
name: test
rules:
  - id: clean
    do: [strip-metadata]
    because: Clean.
"""


def load(tmp_path: Path, text: str) -> policy.LoadedPolicy:
    path = tmp_path / "p.yaml"
    path.write_text(text)
    return policy.load([path], SERVICES)


def together(tmp_path: Path, *texts: str) -> policy.LoadedPolicy:
    files = [tmp_path / f"{number}.yaml" for number in range(len(texts))]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text)
    return policy.load(files, SERVICES)


def problems(tmp_path: Path, text: str) -> str:
    with pytest.raises(DocumentError) as caught:
        load(tmp_path, text)
    return str(caught.value)


def test_everything_is_blocked_in_doubt_unless_the_file_says_else(tmp_path: Path) -> None:
    unsure = load(tmp_path, GOOD).policy.unsure
    assert set(unsure.model_dump().values()) == {policy.Verdict.BLOCK}
    opened = load(tmp_path, GOOD + "unsure: {unreadable: allow}\n").policy.unsure
    assert opened.unreadable is policy.Verdict.ALLOW
    assert opened.too_large is policy.Verdict.BLOCK


def test_the_revision_is_of_the_meaning(tmp_path: Path) -> None:
    revision = load(tmp_path, GOOD).revision
    assert load(tmp_path, "# a comment\n" + GOOD.replace("[strip-metadata]", "strip-metadata"))
    assert load(tmp_path, "# a comment\n" + GOOD).revision == revision
    assert load(tmp_path, GOOD.replace("Clean.", "Cleaned.")).revision != revision


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("do: [strip-metadata]", "do: [strip-metdata]"), "p.yaml:5:10: rules.0.do.0: "),
        (("because: Clean.", "becuase: Clean."), "p.yaml:6:5: `becuase` is not a key that is"),
        (("version: 1", "version: &a 1\nname: *a"), "p.yaml:2:7: aliases (*name) are not used"),
        (("name: test", "name: test\nname: again"), "p.yaml:3:1: `name` is here twice"),
        (("version: 1", "version: 2"), "p.yaml:1:10: version: "),
        (("name: test", "name: Test 1"), "p.yaml:2:7: name: "),
        (("name: test", "name: test\nlargest-upload: 5"), "must be a size such as 20 MB"),
        (("name: test", "name: test\nlargest-upload: 500 GB"), "at most 100 GB"),
        (("name: test", "name: test\nunsure: {unreadable: maybe}"), "p.yaml:3:22: unsure."),
        (
            ("    do:", "    when: {service: {id: chatgpt}}\n    do:"),
            "p.yaml:5:26: no service has the id `chatgpt`; did you mean `chatgpt_web`?",
        ),
        (
            ("    do:", "    when: {service: {category: chats}}\n    do:"),
            "no service has the category `chats`; did you mean `chat`?",
        ),
        (
            ("    do:", "    when: {service: {id: luma, workspace: ours}}\n    do:"),
            "p.yaml:5:43: no request to `luma` is known to say which workspace it is for",
        ),
        (
            ("    do:", "    when: {service: {id: claude_web, workspace: my company}}\n    do:"),
            "p.yaml:5:49: rules.0.when.service.workspace.0: must be the id of a workspace, such as",
        ),
        (
            ("    do:", "    when: {service: {id: claude_web, workspace: 123}}\n    do:"),
            "p.yaml:5:49: rules.0.when.service.workspace.0: must be text; write it in quotes",
        ),
        (("    do:", "    when: {metadata: gps}\n    do:"), "p.yaml:5:22: rules.0.when.metadata"),
        (
            ("    do:", "    when: {any: [{not: {service: {id: chatgpt}}}]}\n    do:"),
            "p.yaml:5:39: no service has the id `chatgpt`; did you mean `chatgpt_web`?",
        ),
        (
            ("    do:", "    when: {people: kidz}\n    do:"),
            "p.yaml:5:20: no group under `people` has the name `kidz`",
        ),
        (("    do:", "    when: {any: []}\n    do:"), "p.yaml:5:17: rules.0.when.any: needs at"),
        (("    do:", "    when: {nt: {}}\n    do:"), "p.yaml:5:12: `nt` is not a key that is"),
        (("    do:", "    when: {time: {from: 8:00, to: 09:00}}\n    do:"), "p.yaml:5:25: "),
        (("    do:", "    when: {time: {from: 20:30}}\n    do:"), "`to` belong together"),
        (("    do:", "    when: {time: {days: [sunday]}}\n    do:"), "did you mean `sun`?"),
        (("    do:", "    when: {time: {days: sun, tz: Berlin}}\n    do:"), "such as Europe/Be"),
        (("    do:", "    except: [{id: a, when: {}, why: b}]\n    do:"), "`until` is missing"),
        (
            ("    do:", "    except: [{id: a, when: {}, until: 2026-13-01, why: b}]\n    do:"),
            "p.yaml:5:39: rules.0.except.0.until: must be a day such as 2026-12-24",
        ),
        (("    do:", "    locked: maybe\n    do:"), "p.yaml:5:13: rules.0.locked: must be true or"),
        (("    do:", "    locked: yes\n    do:"), "p.yaml:5:13: rules.0.locked: must be true or"),
        (("name: test", "name: test\nlargest_upload: 1 MB"), "did you mean `largest-upload`?"),
        (("    do:", "    except_: []\n    do:"), "`except_` is not a key that is known here"),
        (("name: test", "name: test\nlargest-upload: \u0661 MB"), "must be a size such as"),
        (
            ("    do:", "    when: {upload: {more-pixels-than: '5'}}\n    do:"),
            "p.yaml:5:39: rules.0.when.upload.more-pixels-than: must be a whole number",
        ),
        (
            ("    do:", "    except: [{id: a, when: {}, until: 20261224, why: b}]\n    do:"),
            "p.yaml:5:39: rules.0.except.0.until: must be a day such as 2026-12-24",
        ),
        (("Clean.", '"a \\e[31m"'), "p.yaml:6:14: rules.0.because: must be a sentence without"),
        (("Clean.", "a\0b"), "p.yaml:6:15: the character 0x0000 must not stand here"),
        (("    do:", "\tdo:"), "p.yaml:5:1: a tab stands here; indent with spaces"),
        (("version: 1", "version: 1\n--- "), "expected a single document in the stream, but found"),
        (("    do:", "    mode: shadow\n    do:"), "must be one of enforce, monitor"),
        (("name: test", "name: test\npeople: {kids: [10.0.0.300]}"), "p.yaml:3:17: people.kids.0"),
        (("name: test", "name: test\npeople: {kids: 10.0.0.3/8}"), "has host bits set"),
        (("name: test", "name: test\npass-through: [chatgpt]"), "p.yaml:3:16: no service has"),
        (
            (
                "name: test",
                "name: test\nexceptions: [{rule: cleen, id: a, when: {}, "
                "until: 2027-01-01, why: b}]",
            ),
            "p.yaml:3:21: no rule has the id `cleen`; did you mean `clean`?",
        ),
        (
            ("    do: [strip-metadata]", "    do: []"),
            "p.yaml:5:9: rules.0.do: needs at least one item",
        ),
    ],
)
def test_mistakes_say_file_line_and_column(
    tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    assert message in problems(tmp_path, GOOD.replace(*change))


def test_many_mistakes_are_told_in_part_and_soon(tmp_path: Path) -> None:
    told = problems(tmp_path, GOOD + "".join(f"k{number}: 1\n" for number in range(5_000)))
    assert len(told.splitlines()) == MOST_PROBLEMS


def test_a_reason_may_go_over_several_lines(tmp_path: Path) -> None:
    folded = GOOD.replace("Clean.", ">\n      It is\n      cleaned.\n")
    assert load(tmp_path, folded).policy.rules[0].because == "It is cleaned."


def test_two_rules_with_one_id(tmp_path: Path) -> None:
    text = GOOD + "  - {id: clean, do: block, because: x}\n"
    assert "p.yaml:7:10: two rules have the id `clean`" in problems(tmp_path, text)


def test_sizes_are_read(tmp_path: Path) -> None:
    assert load(tmp_path, GOOD + "largest-upload: 20 MB\n").policy.largest_upload == 20_000_000


def test_two_exceptions_with_one_id(tmp_path: Path) -> None:
    one = "{id: a, when: {}, until: 2027-01-01, why: b}"
    text = GOOD + f"    except: [{one}, {one}]\n"
    assert "p.yaml:7:65: two exceptions to this rule have the id `a`" in problems(tmp_path, text)


BLOCK = "version: 1\nname: other\nrules: [{id: stop, do: block, because: x}]\n"
PLACES = GOOD.replace("because: Clean.", "because: Clean.\n    locked: true")


def test_files_together(tmp_path: Path) -> None:
    loaded = together(tmp_path, GOOD, BLOCK)
    assert loaded.revision == together(tmp_path, BLOCK, GOOD, BLOCK).revision
    assert loaded.policy.name == "other.test"
    assert [rule.id for rule in loaded.policy.rules] == ["clean", "stop"]
    assert loaded.places["clean"] == (str(tmp_path / "0.yaml"), 4)


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (GOOD, GOOD.replace("Clean.", "Other."), "1.yaml:4:9: another policy has a rule `clean`"),
        (
            GOOD + "people: {kids: 10.0.0.1}\n",
            BLOCK + "people: {kids: 10.0.0.2}\n",
            "1.yaml:4:16: another policy has other members for `kids`",
        ),
        (
            PLACES,
            BLOCK + "exceptions: [{rule: clean, id: a, when: {}, until: 2027-01-01, why: b}]\n",
            "1.yaml:4:32: the rule `clean` is locked",
        ),
        (GOOD, "version: 2", "1.yaml:1:1: `name` is missing"),
    ],
)
def test_files_that_do_not_go_together(
    tmp_path: Path, first: str, second: str, message: str
) -> None:
    with pytest.raises(DocumentError) as caught:
        together(tmp_path, first, second)
    assert message in str(caught.value)


def test_exceptions_in_another_file_and_expired_ones(tmp_path: Path) -> None:
    exception = "{rule: clean, id: a, when: {service: {id: luma}}, until: 2026-01-01, why: b}"
    loaded = together(tmp_path, GOOD, BLOCK + f"exceptions: [{exception}]\n")
    assert [one.id for one in loaded.policy.rules[0].except_] == ["a"]
    [problem] = expired(tmp_path / "1.yaml", date(2026, 1, 2))
    assert "1.yaml:4:71: the exception `a` ended on 2026-01-01" in str(problem)
    assert expired(tmp_path / "1.yaml", date(2026, 1, 1)) == []

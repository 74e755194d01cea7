from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from safelight import policy
from safelight.documents import DocumentError

if TYPE_CHECKING:
    from pathlib import Path

SERVICES = frozenset({"chatgpt_web", "claude_web"})
CATEGORIES = frozenset({"chat", "image"})

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
    return policy.load(path, SERVICES, CATEGORIES)


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
        (("    do:", "    when: {metadata: gps}\n    do:"), "p.yaml:5:22: rules.0.when.metadata"),
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


def test_two_rules_with_one_id(tmp_path: Path) -> None:
    text = GOOD + "  - {id: clean, do: block, because: x}\n"
    assert "p.yaml:7:10: two rules have the id `clean`" in problems(tmp_path, text)


def test_sizes_are_read(tmp_path: Path) -> None:
    assert load(tmp_path, GOOD + "largest-upload: 20 MB\n").policy.largest_upload == 20_000_000

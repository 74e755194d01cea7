from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from safelight import documents

if TYPE_CHECKING:
    from pathlib import Path


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    colour: str = ""
    sizes: list[int] = []


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: object
    inner: Inner = Inner()


def failure(text: str) -> str:
    with pytest.raises(documents.DocumentError) as caught:
        documents.read_text(text, "file.yaml", Outer)
    return str(caught.value)


def test_values_and_positions() -> None:
    document = documents.read_text("name: x\ninner:\n  sizes: [1, 22]\n", "f", Outer)
    assert document.value.inner.sizes == [1, 22]
    assert document.position(("inner", "sizes", 1)) == (3, 14)
    assert document.position(("inner", "nowhere", "deeper")) == (3, 3)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("20:30", "20:30"),
        ("2026-11-23", "2026-11-23"),
        ("1_000", "1_000"),
        ("0o17", 15),
        ("true", True),
        ("~", None),
        ("12", 12),
        ("0x1F", 31),
        ("017", 17),
        ("-.INF", float("-inf")),
        ("1.5", 1.5),
        ("'12'", "12"),
    ],
)
def test_scalars_follow_yaml_1_2(text: str, value: object) -> None:
    assert documents.read_text(f"name: {text}", "f", Outer).value.name == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: x\nname: y\n", "file.yaml:2:1: `name` is here twice (first in line 1)"),
        (
            "name: x\ninner:\n  color: red\n",
            "file.yaml:3:3: `color` is not a key that is known here; did you mean `colour`?",
        ),
        ("name: x\ninner:\n  sizes: [1, big]\n", "file.yaml:3:14: inner.sizes.1: "),
        ("inner: {}\n", "file.yaml:1:1: `name` is missing"),
        ("name: &a [1]\ninner: *a\n", "file.yaml:2:8: aliases (*name) are not used here"),
        ("name: !!str 1\n", "file.yaml:1:7: tags (!name) are not used here"),
        ("name: [1\n", "file.yaml:2:1: "),
        ("name: \x00", "file.yaml:1:7: the character 0x0000 must not stand here"),
        ("", "file.yaml:1:1: is empty"),
        ("a: 1\n---\nb: 2\n", "file.yaml:2:1: "),
        ("? [a]\n: b\n", "file.yaml:1:3: a key must be plain text"),
        ("name: " + "[" * 60 + "]" * 60, "is nested too deeply"),
        ("name: " + "[" * 5000 + "]" * 5000, "is nested too deeply"),
    ],
)
def test_mistakes_say_where_and_what(text: str, message: str) -> None:
    assert message in failure(text)


def test_every_mistake_is_shown_in_order() -> None:
    lines = failure("name: x\ninner:\n  sizes: [a]\n  colour: 3\nextra: 1\n").splitlines()
    assert [line.split(": ")[0] for line in lines] == [
        "file.yaml:3:11",
        "file.yaml:4:11",
        "file.yaml:5:1",
    ]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(documents.DocumentError, match="cannot be read: No such file"):
        documents.read_file(tmp_path / "none.yaml", Outer)
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"name: x\ninner: caf\xe9\n")
    with pytest.raises(documents.DocumentError, match=":2:11: is not UTF-8 text"):
        documents.read_file(latin, Outer)
    with pytest.raises(documents.DocumentError, match="larger than"):
        documents.read_text("#" * 2_000_000, "f", Outer)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(documents.DocumentError):
        documents.read_text(text, "f", Outer)

"""YAML files a person writes, read strictly: every complaint says file, line and column.

PyYAML scans and composes; the rest is stricter than PyYAML is by itself. Scalars follow the
YAML 1.2 core schema (https://yaml.org/spec/1.2.2/#103-core-schema), so `no`, `on` and `20:30`
are text. Duplicate keys, aliases, tags and non-text keys are refused.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Protocol, cast

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from yaml.reader import ReaderError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pydantic import GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema, ErrorDetails

LARGEST_DOCUMENT = 1_000_000
DEEPEST_NESTING = 40
MOST_PROBLEMS = 100  # what is shown at once

type Location = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong with a document. Lines and columns count from 1."""

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


class Strict(BaseModel):
    """A model of a file that people write: no unknown keys, hyphens in names, no changes."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        # What is a word of Python's, such as `from`, has an underscore behind it.
        alias_generator=lambda name: name.rstrip("_").replace("_", "-"),
        validate_by_name=True,
    )


def _one_or_more(value: object) -> object:
    return [value] if isinstance(value, str | int | float) else value


class _OneOrMore:
    """Says in a JSON Schema that one may stand without a list."""

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        several = handler(core_schema)
        return {"anyOf": [several["items"], several]}


type AnyNumber[T] = Annotated[tuple[T, ...], BeforeValidator(_one_or_more), _OneOrMore()]
type OneOrMore[T] = Annotated[
    tuple[T, ...], BeforeValidator(_one_or_more), Field(min_length=1), _OneOrMore()
]


class DocumentError(Exception):
    """The document cannot be used; `problems` says everything that is wrong with it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True, slots=True)
class Document[M: BaseModel]:
    """A validated document and where in its file each value stood."""

    value: M
    file: str
    positions: dict[Location, tuple[int, int]]

    def position(self, location: Location) -> tuple[int, int]:
        """Line and column of the nearest thing at or above `location`."""
        while location not in self.positions:
            location = location[:-1]
        return self.positions[location]

    def problem(self, location: Location, message: str) -> Problem:
        """A problem at `location`, for what a model cannot check by itself."""
        return Problem(self.file, *self.position(location), message)


def read_file[M: BaseModel](path: Path, model: type[M]) -> Document[M]:
    """Read and validate `path`. Raises DocumentError, also when the file cannot be read."""
    try:
        with path.open("rb") as file:
            # A character has at most four bytes.
            data = file.read(4 * LARGEST_DOCUMENT + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise DocumentError([Problem(str(path), 1, 1, f"cannot be read: {reason}")]) from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        raise DocumentError([Problem(str(path), line, column, "is not UTF-8 text")]) from error
    return read_text(text, str(path), model)


def read_text[M: BaseModel](text: str, file: str, model: type[M]) -> Document[M]:
    """Read and validate `text`; `file` is the name used in problems. Raises DocumentError."""
    if len(text) > LARGEST_DOCUMENT:
        message = f"is larger than {LARGEST_DOCUMENT} characters"
        raise DocumentError([Problem(file, 1, 1, message)])
    reader = _Reader(file)
    data = reader.read(text)
    try:
        # By the names that people write, not by those that Python has for them.
        value = model.model_validate(data, by_alias=True, by_name=False)
    except ValidationError as error:
        details = error.errors(include_url=False)
        new = [one for one in details[:MOST_PROBLEMS] if not _follows(one, details)]
        raise DocumentError(_explain(one, reader, model) for one in new) from error
    return Document(value, file, reader.positions)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint to end a message with, or nothing when no known word is close."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean `{close[0]}`?" if close else ""


_SCALARS: tuple[tuple[re.Pattern[str], Any], ...] = (
    (re.compile(r"(?:~|null|Null|NULL)?"), lambda _: None),
    (re.compile(r"true|True|TRUE"), lambda _: True),
    (re.compile(r"false|False|FALSE"), lambda _: False),
    (re.compile(r"[-+]?[0-9]{1,18}"), int),
    (re.compile(r"0o[0-7]{1,20}"), lambda text: int(text, 8)),
    (re.compile(r"0x[0-9a-fA-F]{1,15}"), lambda text: int(text, 16)),
    (re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,3})?"), float),
    (
        re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"),
        lambda text: float(text.replace(".", "")),
    ),
)


class _Mark(Protocol):
    """Where something stands, as both of PyYAML's scanners say it; counted from 0."""

    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...


class _Place(NamedTuple):
    line: int
    column: int


def _in_words(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or "is not YAML"
    if problem.startswith("found character '\\t'"):
        return "a tab stands here; indent with spaces"
    # Such a problem goes on with the sentence of its context.
    return f"{error.context}, {problem}" if problem.startswith("but ") else problem


class _Reader:
    """Turns YAML nodes into plain values and remembers where each one stood."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.positions: dict[Location, tuple[int, int]] = {(): (1, 1)}
        self.keys: dict[Location, tuple[int, int]] = {}

    def read(self, text: str) -> object:
        try:
            self._refuse_what_is_not_plain(text)
            # Nodes are only composed: nothing is ever constructed from a tag.
            node = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise self._failure(mark, _in_words(error)) from error
        except ReaderError as error:
            begun = text[: error.position]
            place = _Place(begun.count("\n"), len(begun) - begun.rfind("\n") - 1)
            message = f"the character {error.character:#06x} must not stand here"
            raise self._failure(place, message) from error
        if node is None:
            raise self._failure(None, "is empty")
        return self._value(node, ())

    def _refuse_what_is_not_plain(self, text: str) -> None:
        depth = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST_NESTING:
                raise self._failure(event.start_mark, "is nested too deeply")
            if isinstance(event, yaml.AliasEvent):
                raise self._failure(event.start_mark, "aliases (*name) are not used here")
            if getattr(event, "tag", None) is not None:
                raise self._failure(event.start_mark, "tags (!name) are not used here")

    def _failure(self, mark: _Mark | None, message: str) -> DocumentError:
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        return DocumentError([Problem(self.file, line, column, message)])

    def _value(self, node: yaml.Node, location: Location) -> object:
        self.positions.setdefault(location, (node.start_mark.line + 1, node.start_mark.column + 1))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, location)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, (*location, i)) for i, item in enumerate(node.value)]
        return self._scalar(cast("yaml.ScalarNode", node))

    def _mapping(self, node: yaml.MappingNode, location: Location) -> dict[str, object]:
        values: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            if not isinstance(key, str):
                raise self._failure(key_node.start_mark, "a key must be plain text")
            if key in values:
                first = self.keys[*location, key][0]
                raise self._failure(
                    key_node.start_mark, f"`{key}` is here twice (first in line {first})"
                )
            mark = key_node.start_mark
            self.keys[*location, key] = (mark.line + 1, mark.column + 1)
            values[key] = self._value(value_node, (*location, key))
        return values

    def _scalar(self, node: yaml.ScalarNode) -> object:
        text = cast("str", node.value)
        if node.style is None:  # plain, so the core schema decides what it is
            for pattern, convert in _SCALARS:
                if pattern.fullmatch(text):
                    return convert(text)
        return text


def _follows(details: ErrorDetails, others: list[ErrorDetails]) -> bool:
    """A list whose items are wrong counts as too short as well, which says nothing new."""
    location = details["loc"]
    return details["type"] == "too_short" and any(
        other["loc"][: len(location)] == location and other is not details for other in others
    )


def _explain(details: ErrorDetails, reader: _Reader, model: type[BaseModel]) -> Problem:
    location: Location = tuple(details["loc"])
    line, column = _position(location, details["type"], reader)
    where = ".".join(map(str, location))
    return Problem(reader.file, line, column, in_words(details, where, model))


def _position(location: Location, type_: str, reader: _Reader) -> tuple[int, int]:
    """Of an unknown key the key, of everything else the value."""
    if type_ == "extra_forbidden" and location in reader.keys:
        return reader.keys[location]
    while location not in reader.positions:
        location = location[:-1]
    return reader.positions[location]


_EXPECTED = {
    "model_type": "keys with values",
    "model_attributes_type": "keys with values",
    "dict_type": "keys with values",
    "list_type": "a list",
    "tuple_type": "a list",
    "string_type": "text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
}


def in_words(details: ErrorDetails, where: str, model: type[BaseModel]) -> str:
    """What a value of `model` that stands at `where` has wrong."""
    last = str(details["loc"][-1]) if details["loc"] else ""
    if details["type"] == "extra_forbidden":
        known = _known_keys(model)
        return f"`{last}` is not a key that is known here{did_you_mean(last, known)}"
    if details["type"] == "missing":
        return f"`{last}` is missing"
    if details["type"] in {"literal_error", "enum"}:
        allowed = re.findall(r"'([^']+)'|(\d+)", details["ctx"]["expected"])
        words = [quoted or number for quoted, number in allowed]
        given = str(details["input"])
        choice = f"must be one of {', '.join(words)}" if len(words) > 1 else f"must be {words[0]}"
        return f"{where}: {choice}{did_you_mean(given, words)}"
    if details["type"] == "string_type" and isinstance(details["input"], int | float):
        return f"{where}: must be text; write it in quotes"
    if details["type"] in _EXPECTED:
        return f"{where or 'the document'}: must be {_EXPECTED[details['type']]}"
    if details["type"] == "too_short":
        return f"{where}: needs at least one item"
    if details["type"] == "string_pattern_mismatch":
        return f"{where}: does not have the form {details['ctx']['pattern']}"
    message = details["msg"].removeprefix("Value error, ")
    return f"{where}: {message[:1].lower()}{message[1:]}" if where else message


@lru_cache(maxsize=16)
def _known_keys(model: type[BaseModel]) -> frozenset[str]:
    return frozenset(_keys(model.model_json_schema()))


def _keys(schema: object) -> set[str]:
    found: set[str] = set()
    if isinstance(schema, dict):
        properties = schema.get("properties")
        if isinstance(properties, dict):
            found.update(properties)
        for value in schema.values():
            found |= _keys(value)
    elif isinstance(schema, list):
        for value in schema:
            found |= _keys(value)
    return found

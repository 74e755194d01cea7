"""What a policy file may say. Everything a person can write there is declared here."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping  # noqa: TC003 - pydantic reads it
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StrictBool,
    field_validator,
    model_validator,
)

from safelight.documents import AnyNumber, OneOrMore, Strict
from safelight.policy.conditions import (
    Count,
    FindingKind,
    ImageType,
    Member,
    Sender,
    Size,
    UploadShape,
    When,
    Workspace,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


class Verdict(StrEnum):
    """What happens to an upload, mildest first. `hold`: it waits until somebody says yes."""

    ALLOW = "allow"
    WARN = "warn"
    HOLD = "hold"
    BLOCK = "block"

    @property
    def severity(self) -> int:
        """0 for the mildest verdict; the strictest of several wins."""
        return list(Verdict).index(self)

    @property
    def stops(self) -> bool:
        """Does nothing leave by itself?"""
        return self in {Verdict.HOLD, Verdict.BLOCK}


class Action(StrEnum):
    """What a rule may do."""

    STRIP_METADATA = "strip-metadata"
    RENAME = "rename"
    WARN = "warn"
    HOLD = "hold"
    BLOCK = "block"

    @property
    def verdict(self) -> Verdict:
        """The verdict that this action asks for; a transform asks for none."""
        return Verdict.ALLOW if self.transforms else Verdict(self.value)

    @property
    def transforms(self) -> bool:
        """Does this action change the upload?"""
        return self in {Action.STRIP_METADATA, Action.RENAME}


class Kept(StrEnum):
    """What a rule may let stay although it strips metadata."""

    COPYRIGHT = "copyright"


def _day(value: object) -> date:
    text = str(value)
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        with contextlib.suppress(ValueError):
            return date.fromisoformat(text)
    raise ValueError("must be a day such as 2026-12-24")


def _moment(text: str) -> str:
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}", text):
        with contextlib.suppress(ValueError):
            return datetime.fromisoformat(text).isoformat(timespec="minutes")
    raise ValueError("must be a moment such as 2026-11-23T21:00")


def _sentence(value: object) -> object:
    """Line breaks are those of the file; what commands terminals has no place in it."""
    text = " ".join(value.split()) if isinstance(value, str) else value
    if isinstance(text, str) and not text.isprintable():
        raise ValueError("must be a sentence without control characters")
    return text


type Day = Annotated[date, BeforeValidator(_day, json_schema_input_type=date)]
# A time on every clock, whatever zone a rule asks for.
type Moment = Annotated[str, AfterValidator(_moment)]
type Id = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
type Reason = Annotated[str, BeforeValidator(_sentence), Field(min_length=1, max_length=300)]
type Mode = Literal["enforce", "monitor"]


class Exemption(Strict):
    """What a rule does not apply to, until the end of a day, and why."""

    id: Id
    when: When
    until: Day
    why: Reason


class ExemptionElsewhere(Exemption):
    """The same, written outside of its rule, which may stand in another file."""

    rule: Id


class Rule(Strict):
    """One rule. All rules are looked at; their order does not matter.

    What it means to `keep` stays unless another rule that strips metadata does not keep it.

    One that only monitors is reported and changes nothing. One that is `locked` has no exceptions
    but its own file's, and no pause lifts it.
    """

    id: Id
    when: When = When()
    do: OneOrMore[Action]
    keep: AnyNumber[Kept] = ()
    because: Reason
    mode: Mode = "enforce"
    except_: tuple[Exemption, ...] = ()
    locked: StrictBool = False

    @property
    def verdict(self) -> Verdict:
        """The strictest verdict that it asks for."""
        return max((action.verdict for action in self.do), key=lambda verdict: verdict.severity)

    @model_validator(mode="after")
    def _keeps_of_what_it_strips(self) -> Self:
        if self.keep and Action.STRIP_METADATA not in self.do:
            raise ValueError("`keep` says what stays when `do` has strip-metadata in it")
        return self

    @property
    def transforms(self) -> frozenset[Action]:
        """What it changes."""
        return frozenset(action for action in self.do if action.transforms)


class Unsure(Strict):
    """What happens when an upload cannot be judged; everything is blocked unless this says else."""

    unreadable: Verdict = Verdict.BLOCK
    too_large: Verdict = Verdict.BLOCK
    unknown_shape: Verdict = Verdict.BLOCK
    unalterable: Verdict = Verdict.BLOCK
    engine_error: Verdict = Verdict.BLOCK


class Given(Strict):
    """The upload of a test. `from` is an address or `user:NAME`, `people` a group of them; what is
    left out is ordinary: a JPEG of 1 MB, alone and without metadata, from an address of nobody's,
    in a request that says no workspace.
    """

    service: str | None = None
    workspace: Workspace | None = None
    from_: Sender | None = None
    people: str | None = None
    at: Moment | None = None
    shape: UploadShape = "raw"
    type: ImageType = "jpeg"
    size: Size = 1_000_000
    pixels: Count = 1_000_000
    pictures: Annotated[Count, Field(ge=1)] = 1
    metadata: OneOrMore[FindingKind] | None = None
    paused: StrictBool = False


class Expected(Strict):
    """What a test says of the decision; what is left out may be anything. Lists are complete."""

    verdict: Verdict | None = None
    transforms: AnyNumber[Action] | None = None
    kept: AnyNumber[Kept] | None = None
    by: AnyNumber[str] | None = None
    matched: AnyNumber[str] | None = None
    shadow: AnyNumber[str] | None = None
    excepted: AnyNumber[str] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("expects nothing")
        return self


class Test(Strict):
    """One upload, and what the policy should make of it."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    given: Given
    expect: Expected


class TestFile(Strict):
    """A file of tests beside a policy."""

    tests: Annotated[tuple[Test, ...], Field(min_length=1)]


class Policy(Strict):
    """A whole policy file."""

    version: Literal[1]
    name: Id
    mode: Mode = "enforce"
    largest_upload: Size = 50_000_000
    unsure: Unsure = Unsure()
    # Services whose apps accept only their own certificate: nothing of theirs is looked at.
    pass_through: tuple[str, ...] = ()
    people: Mapping[Id, OneOrMore[Member]] = Field(default_factory=dict)
    rules: Annotated[tuple[Rule, ...], Field(min_length=1)]
    exceptions: tuple[ExemptionElsewhere, ...] = ()
    tests: tuple[Test, ...] = ()

    @field_validator("largest_upload")
    @classmethod
    def _is_a_size(cls, value: int) -> int:
        if not 0 < value <= 100_000_000_000:
            raise ValueError("must be more than nothing and at most 100 GB")
        return value

    def conditions(self) -> Iterator[When]:
        """Every condition in it, and in its exceptions, at every depth."""
        for rule in self.rules:
            yield from rule.when.parts()
            for exemption in rule.except_:
                yield from exemption.when.parts()
        for elsewhere in self.exceptions:
            yield from elsewhere.when.parts()

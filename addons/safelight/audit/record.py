"""What the audit file holds: one closed record a line, and nothing personal in it.

No coordinates, file names, prompts, paths, addresses or hashes of pictures: only which service,
what kinds of things a picture carried, and what was decided.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

type Moment = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")]
type Word = Annotated[str, Field(pattern=r"^[a-z0-9*._-]{1,120}$")]


class _Record(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=lambda name: name.replace("_", "-"),
        validate_by_name=True,
    )


class Picture(_Record):
    """One picture of an upload. Sizes are in bytes; `sent` is missing when nothing was sent."""

    type: Word
    received: int
    sent: int | None = None
    found: tuple[Word, ...] = ()
    removed: bool = False
    same_length: bool = False
    renamed: bool = False


class Ending(StrEnum):
    """How an upload ended that was cleaned while it flowed."""

    WHOLE = "whole"
    STOPPED = "stopped"
    BROKEN_OFF = "broken-off"


class End(_Record):
    """How an upload ended whose decision has the id `of`, and what was found on its way."""

    v: Literal[1] = 1
    kind: Literal["end"] = "end"
    of: Word
    at: Moment
    how: Ending
    sent: int
    found: tuple[Word, ...] = ()
    matched: tuple[Word, ...] = ()
    refusal: Word | None = None


class Unseen(_Record):
    """A connection to a service of which nothing was seen: it was let through as the policy says,
    or the program would not accept the certificate and sent nothing."""

    v: Literal[1] = 1
    kind: Literal["unseen"] = "unseen"
    at: Moment
    service: Word
    host: Word
    policy: Word
    revision: Word
    how: Literal["uninspected", "certificate-rejected"]


class Decision(_Record):
    """One upload and what was decided about it.

    `host` is the catalogue's pattern, never the name asked for: a wildcard may stand for a
    person's or a company's own name. `shadow` are rules that only monitor, `excepted` exceptions
    that kept a rule from applying, `paused` rules that a pause kept from stopping it. `doubts` and
    `refusal` are codes from closed lists. Of a picture that is `flowing` nobody knew yet what would
    be found; a record of its end follows.
    """

    v: Literal[1] = 1
    kind: Literal["decision"] = "decision"
    id: Word
    at: Moment
    service: Word
    host: Word
    road: Word | None = None
    shape: Word | None = None
    received: int | None = None
    pictures: tuple[Picture, ...] = ()
    policy: Word
    revision: Word
    verdict: Literal["allow", "warn", "hold", "block"]
    transforms: tuple[Word, ...] = ()
    matched: tuple[Word, ...] = ()
    by: tuple[Word, ...] = ()
    shadow: tuple[Word, ...] = ()
    excepted: tuple[Word, ...] = ()
    paused: tuple[Word, ...] = ()
    doubts: tuple[Word, ...] = ()
    refusal: Word | None = None
    flowing: bool | None = None


type Record = Decision | End | Unseen

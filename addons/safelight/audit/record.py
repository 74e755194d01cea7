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


type Pseudonym = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
type Key = Annotated[str, Field(pattern=r"^[a-z0-9_/.-]{1,80}\+[0-9a-f]{8}\+[A-Za-z0-9+/=]{44}$")]
type Note = Annotated[str, Field(max_length=600)]
type Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Closed(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=lambda name: name.replace("_", "-"),
        validate_by_name=True,
    )


class _Record(_Closed):
    """What all records hold. Number, moment and hashes are given by the log that takes them."""

    v: Literal[1] = 1
    seq: Annotated[int, Field(ge=1)] | None = None
    at: Moment | None = None
    prev: Hash | None = None
    hash: Hash | None = None


class Picture(_Closed):
    """One picture of an upload. Sizes are in bytes; `sent` is missing when nothing was sent.
    `pixels` counts them; 0 where there are none.

    `content` is a pseudonym of the file as it came: who has this month's key and the file can tell
    that it is meant, nobody else."""

    type: Word
    received: int
    sent: int | None = None
    found: tuple[Word, ...] = ()
    removed: bool = False
    same_length: bool = False
    renamed: bool = False
    pixels: int | None = None
    content: Pseudonym | None = None


class Ending(StrEnum):
    """How an upload ended that was cleaned while it flowed."""

    WHOLE = "whole"
    STOPPED = "stopped"
    BROKEN_OFF = "broken-off"


class End(_Record):
    """How an upload ended whose decision has the id `of`, and what was found on its way."""

    kind: Literal["end"] = "end"
    of: Word
    how: Ending
    sent: int
    found: tuple[Word, ...] = ()
    matched: tuple[Word, ...] = ()
    refusal: Word | None = None
    content: Pseudonym | None = None


class Release(_Record):
    """How the wait of an upload ended whose decision has the id `of`."""

    kind: Literal["release"] = "release"
    of: Word
    how: Literal["approved", "denied", "timed-out", "full", "left", "nobody-to-ask"]


class Unseen(_Record):
    """A connection to a service of which nothing was seen: it was let through as the policy says,
    or the program would not accept the certificate and sent nothing."""

    kind: Literal["unseen"] = "unseen"
    service: Word
    host: Word
    policy: Word
    revision: Word
    how: Literal["uninspected", "certificate-rejected"]


class Decision(_Record):
    """One upload and what was decided about it.

    `host` is the catalogue's pattern, never the name asked for: a wildcard may stand for a
    person's or a company's own name. `client` is a pseudonym of the address that it came from,
    `people` the policy's groups to which that belongs, `workspace` a pseudonym of the organization
    or account of the service that the request named. `shadow` are rules that only monitor,
    `excepted` exceptions that kept a rule from applying, `paused` rules that a pause kept from
    stopping it. `doubts` and `refusal` are codes from closed lists. Of a picture that is `flowing`
    nobody knew yet what would be found; a record of its end follows.
    """

    kind: Literal["decision"] = "decision"
    id: Word
    client: Pseudonym | None = None
    people: tuple[Word, ...] = ()
    service: Word
    workspace: Pseudonym | None = None
    host: Word
    road: Word | None = None
    shape: Word | None = None
    received: int | None = None
    pictures: tuple[Picture, ...] = ()
    policy: Word
    revision: Word
    verdict: Literal["allow", "warn", "hold", "block"]
    transforms: tuple[Word, ...] = ()
    kept: tuple[Word, ...] = ()
    matched: tuple[Word, ...] = ()
    by: tuple[Word, ...] = ()
    shadow: tuple[Word, ...] = ()
    excepted: tuple[Word, ...] = ()
    paused: tuple[Word, ...] = ()
    doubts: tuple[Word, ...] = ()
    refusal: Word | None = None
    flowing: bool | None = None


class Start(_Record):
    """The proxy began to take connections."""

    kind: Literal["start"] = "start"
    version: Word


class Stop(_Record):
    """The proxy ended as it should."""

    kind: Literal["stop"] = "stop"


class PolicyLoaded(_Record):
    """From here on this policy counts."""

    kind: Literal["policy-load"] = "policy-load"
    policy: Word
    revision: Word


class PolicyRejected(_Record):
    """Policy files changed and have mistakes; the policy until now stays."""

    kind: Literal["policy-reject"] = "policy-reject"


class Paused(_Record):
    """Somebody paused what stops uploads until then, or ended that."""

    kind: Literal["pause"] = "pause"
    until: Moment | None = None


class SegmentOpen(_Record):
    """A file of the log begins: which log, which file. `peaks` are the roots of the perfect
    subtrees over all records before (RFC 6962), largest first; `public` is the key that signs."""

    kind: Literal["segment-open"] = "segment-open"
    log: Word
    segment: Annotated[int, Field(ge=1)]
    peaks: tuple[Hash, ...] = ()
    public: Key | None = None


class KeyChange(_Record):
    """From here on `public` signs. `note` is a checkpoint over all records before, signed by the
    key until now; the first key has none."""

    kind: Literal["key"] = "key"
    public: Key
    note: Note | None = None


class Checkpoint(_Record):
    """`note` is a signed checkpoint over all records before."""

    kind: Literal["checkpoint"] = "checkpoint"
    note: Note


class Recovered(_Record):
    """This many bytes at the end of the file were no record, as after a loss of power; they were
    moved to a file beside it."""

    kind: Literal["recovered"] = "recovered"
    size: Annotated[int, Field(ge=1)]


class Cut(_Record):
    """This many records were gone when the log was opened again: a checkpoint had covered them, or
    whoever writes this had seen them, perhaps in a log that stood here before."""

    kind: Literal["cut"] = "cut"
    size: Annotated[int, Field(ge=1)]


class ClockSetBack(_Record):
    """The clock was set back: records before this one may bear later moments."""

    kind: Literal["clock-set-back"] = "clock-set-back"


class Retired(_Record):
    """Files up to `segment`, with the records up to number `through`, were deleted for their
    age."""

    kind: Literal["retired"] = "retired"
    segment: Annotated[int, Field(ge=1)]
    through: Annotated[int, Field(ge=1)]


class Erased(_Record):
    """The key of this month's pseudonyms was destroyed: they say nothing any more."""

    kind: Literal["erased"] = "erased"
    month: Annotated[str, Field(pattern=r"^\d{4}-\d\d$")]


type Bookkeeping = (
    Start
    | Stop
    | PolicyLoaded
    | PolicyRejected
    | Paused
    | SegmentOpen
    | KeyChange
    | Checkpoint
    | Recovered
    | Cut
    | ClockSetBack
    | Retired
    | Erased
)
type Told = Decision | End | Release | Unseen
type Record = Told | Bookkeeping

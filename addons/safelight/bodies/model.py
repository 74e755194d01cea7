"""What a request body holds: image sites, the file names beside them, and what is doubtful."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Shape(StrEnum):
    """How the body as a whole is built."""

    RAW = "raw"
    MULTIPART = "multipart"
    JSON = "json"
    FORM = "form"
    TEXT = "text"
    BINARY = "binary"


class Encoding(StrEnum):
    """How an image's bytes are written in the body."""

    IDENTITY = "identity"
    BASE64 = "base64"


class Doubt(StrEnum):
    """Why a body, or an image in it, cannot be judged with certainty."""

    UNREADABLE = "unreadable"
    UNKNOWN_SHAPE = "unknown-shape"
    TOO_LARGE = "too-large"


@dataclass(frozen=True, slots=True)
class Site:
    """One image in a body: `body[start:end]` holds it, written in `encoding`.

    `part` numbers the multipart part it stands in from 1 (0: not in a part). A `fixed` one stands
    in something that knows its length.
    """

    start: int
    end: int
    encoding: Encoding
    declared: str | None = None
    part: int = 0
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class Name:
    """A file name that travels with the images of one multipart part.

    `body[start:end]` is the parameter's value without its quotes, or a field of the form that
    says it again; `extended` marks the RFC 8187 form (`filename*=UTF-8''…`).
    """

    start: int
    end: int
    part: int
    extended: bool


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A doubt and what raised it, in a sentence for people."""

    doubt: Doubt
    reason: str


@dataclass(frozen=True, slots=True)
class Survey:
    """Everything found in one body. Sites and names are in order and never overlap."""

    shape: Shape
    sites: tuple[Site, ...] = ()
    names: tuple[Name, ...] = ()
    doubts: tuple[Doubtful, ...] = ()


def between(start: int, end: int, sites: Iterable[Site]) -> Iterator[tuple[int, int]]:
    """What stands before, between and behind the sites from `start` to `end`."""
    for site in sorted(sites, key=lambda site: site.start):
        yield start, site.start
        start = site.end
    yield start, end


class Recogniser(Hashable, Protocol):
    """Knows pictures by their bytes. Bodies are read without knowing any image format."""

    @property
    def beginnings(self) -> tuple[tuple[int, bytes], ...]:
        """How far behind its start which bytes stand: all that `starts_image` has one of these."""

    def starts_image(self, head: bytes, size: int) -> bool:
        """Does something of `size` bytes that begins with `head` look like a picture?"""

    @property
    def anchors(self) -> tuple[bytes, ...]:
        """Bytes of which at least one stands in every picture that `first_image` finds."""

    def first_image(self, data: memoryview) -> int | None:
        """Where the first picture inside `data` starts; None if there is none."""

    def is_whole(self, data: memoryview) -> bool:
        """Is `data` a whole picture, from its first byte to its last?"""

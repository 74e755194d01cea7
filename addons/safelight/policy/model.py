"""What a policy file may say. Everything a person can write there is declared here."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator

from safelight.documents import OneOrMore, Strict


class Verdict(StrEnum):
    """What happens to an upload, mildest first."""

    ALLOW = "allow"
    WARN = "warn"
    BLOCK = "block"

    @property
    def severity(self) -> int:
        """0 for the mildest verdict; the strictest of several wins."""
        return list(Verdict).index(self)


class Action(StrEnum):
    """What a rule may do."""

    STRIP_METADATA = "strip-metadata"
    RENAME = "rename"
    WARN = "warn"
    BLOCK = "block"

    @property
    def verdict(self) -> Verdict:
        """The verdict that this action asks for; a transform asks for none."""
        return {Action.WARN: Verdict.WARN, Action.BLOCK: Verdict.BLOCK}.get(self, Verdict.ALLOW)

    @property
    def transforms(self) -> bool:
        """Does this action change the upload?"""
        return self in {Action.STRIP_METADATA, Action.RENAME}


type FindingKind = Literal[
    "location",
    "capture-time",
    "device",
    "device-serial",
    "person",
    "author",
    "software",
    "edit-history",
    "thumbnail",
    "voice-or-video",
    "depth-map",
    "ai-prompt",
    "content-credentials",
    "comment",
    "unknown-data",
]
type ImageType = Literal[
    "jpeg",
    "png",
    "webp",
    "gif",
    "heif",
    "avif",
    "tiff",
    "jxl",
    "jp2",
    "bmp",
    "ico",
    "psd",
    "svg",
    "mp4",
    "pdf",
    "zip",
    "raw",
]

_SIZE = re.compile(r"(\d{1,9}) ?(B|KB|MB|GB)", re.IGNORECASE)
_UNITS = {"b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9}


def _size(value: object) -> object:
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("must be a size such as 20 MB or 500 KB")
    return int(match[1]) * _UNITS[match[2].lower()]


type Size = Annotated[int, BeforeValidator(_size, json_schema_input_type=str)]


class ServiceMatch(Strict):
    """Which services; a service matches when every key given here matches it."""

    id: OneOrMore[str] | None = None
    category: OneOrMore[str] | None = None


class UploadMatch(Strict):
    """Which pictures; one matches when every key given here matches it."""

    type: OneOrMore[ImageType] | None = None
    larger_than: Size | None = None


class When(Strict):
    """When a rule applies: all keys given must match. No keys: to every picture."""

    service: ServiceMatch | None = None
    upload: UploadMatch | None = None
    metadata: OneOrMore[FindingKind] | None = None


class Rule(Strict):
    """One rule. All rules are looked at; their order does not matter."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
    when: When = When()
    do: OneOrMore[Action]
    because: Annotated[str, Field(min_length=1, max_length=300)]


class Unsure(Strict):
    """What happens when an upload cannot be judged; everything is blocked unless this says else."""

    unreadable: Verdict = Verdict.BLOCK
    too_large: Verdict = Verdict.BLOCK
    unknown_shape: Verdict = Verdict.BLOCK
    unalterable: Verdict = Verdict.BLOCK


class Policy(Strict):
    """A whole policy file."""

    version: Literal[1]
    name: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
    largest_upload: Size = 50_000_000
    unsure: Unsure = Unsure()
    # Services whose apps accept only their own certificate: nothing of theirs is looked at.
    pass_through: tuple[str, ...] = ()
    rules: Annotated[tuple[Rule, ...], Field(min_length=1)]

    @field_validator("largest_upload")
    @classmethod
    def _is_a_size(cls, value: int) -> int:
        if not 0 < value <= 100_000_000_000:
            raise ValueError("must be more than nothing and at most 100 GB")
        return value

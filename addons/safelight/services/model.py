"""What the catalogue says about one service: its hosts, its upload steps, its privacy card."""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from safelight.documents import Strict
from safelight.services import hosts, patterns

NOT_VERIFIED = "not verified"


def _day(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError as error:
        raise ValueError("is not a day such as 2026-11-23") from error
    return text


def _fact_day(text: str) -> str:
    return text if text == NOT_VERIFIED else _day(text)


type HostPattern = Annotated[str, AfterValidator(hosts.check)]
type PathPattern = Annotated[str, AfterValidator(patterns.check)]
type Sources = Annotated[tuple[str, ...], Field(min_length=1)]
type HeaderName = Annotated[str, Field(pattern=r"^[a-z0-9-]+$", max_length=60)]
type Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=60)]
type Day = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$"), AfterValidator(_day)]
type FactDay = Annotated[str, AfterValidator(_fact_day)]
type Confidence = Literal["high", "medium", "low", "not verified"]
type Trains = Literal["by-default", "not-by-default", "unknown"]
type Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

# How a picture travels, or that a request carries none.
type Encoding = Literal[
    "multipart_file",
    "multipart_pieces",
    "multipart_base64",
    "graphql_multipart",
    "s3_post_form",
    "raw_body_api",
    "raw_put_presigned",
    "raw_put_ranges",
    "imagex_crc",
    "rupload_raw",
    "fragment_upload",
    "google_resumable",
    "json_base64",
    "json_data_url",
    "text_plain_json_base64",
    "protobuf_body",
    "grpc",
    "json_or_grpc",
    "websocket_json",
    "websocket_binary",
    "json_metadata",
    "header_declare",
    "query_declare",
    "json_url_only",
    "urlencoded_url",
    "unknown",
]

# What it takes to change a body on its way to the service.
type BodyChange = Literal[
    "free_to_change",
    "size_repeated_later_only",
    "size_declared_probably_lenient",
    "size_must_match",
    "digest_must_be_fixed",
    "digest_in_later_signed_json",
    "body_signed",
    "unknown_or_opaque",
]


class Category(StrEnum):
    """What people use a service for."""

    CHAT = "chat"
    IMAGE = "image"
    VIDEO = "video"
    SEARCH = "search"
    API = "api"
    AGENT = "agent"
    DESIGN = "design"
    MESSENGER = "messenger"
    LOCAL = "local"


class Role(StrEnum):
    """What a request does in an upload."""

    BYTES = "bytes"
    OTHER_BYTES = "other-bytes"
    DECLARE = "declare"
    CONFIRM = "confirm"
    REFERENCE = "reference"
    METADATA_LEAK = "metadata-leak"

    @property
    def carries_bytes(self) -> bool:
        """Does the request carry the picture itself?"""
        return self in {Role.BYTES, Role.OTHER_BYTES}


class Host(Strict):
    """A host of the service. With `paths`, only requests that match one of them are meant:
    the host also serves other purposes."""

    host: HostPattern
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    paths: tuple[PathPattern, ...] = ()
    note: str | None = None


class Road(Strict):
    """One upload step: requests to `hosts` whose path and query match `path`.

    `size_declared`: the size was, or may have been, promised by an earlier request, a signed
    header or a resumable protocol, so it must stay as it is.
    """

    id: Id
    role: Role
    methods: tuple[Method, ...] = ()
    hosts: tuple[HostPattern, ...] = ()
    path: PathPattern
    encoding: Encoding
    field: str | None = None
    size_declared: bool
    digest: str | None = None
    confidence: Confidence
    source: Sources
    note: str | None = None


class Fact(Strict):
    """What a service says about one thing, and when it said so (YYYY-MM-DD)."""

    says: str
    as_of: FactDay


class Privacy(Strict):
    """What the service says about storing and training, and where people change it.

    The sources are those of the whole card.
    """

    training_default: Fact
    # What rules may ask: the same in one word, where it says it plainly.
    trains_on_uploads: Trains = "unknown"
    opt_out: Fact | None = None
    export: Fact | None = None
    delete: Fact | None = None
    retention: Fact | None = None
    confidence: Confidence
    source: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _is_sourced(self) -> Self:
        if not self.source and self.confidence != "not verified":
            raise ValueError("names no source, so its confidence is `not verified`")
        return self


class Sign(Strict):
    """Where a request says which workspace it is for: in a `header` (name in lower case), or in the
    group of a pattern that its `path` (path and query) or its `host` matches. A header or a path
    says it to `hosts` alone: others do not check it, so anything could stand there."""

    header: HeaderName | None = None
    path: PathPattern | None = None
    host: PathPattern | None = None
    hosts: tuple[HostPattern, ...] = ()
    as_of: Day
    confidence: Confidence
    source: Sources

    @model_validator(mode="after")
    def _says_where(self) -> Self:
        if sum(one is not None for one in (self.header, self.path, self.host)) != 1:
            raise ValueError("needs one of `header`, `path` and `host`")
        if (self.host is None) != bool(self.hosts):
            raise ValueError("a header or a path needs `hosts`, a host is one itself")
        pattern = self.path or self.host
        if pattern is not None and re.compile(pattern).groups != 1:
            raise ValueError("its pattern needs one group, which is the workspace")
        return self


class Service(Strict):
    """One service, as of a date (YYYY-MM-DD)."""

    schema_version: Literal[1] = Field(alias="schema")
    id: Id
    name: str
    category: Category
    as_of: Day
    confidence: Confidence
    body_change: BodyChange
    hosts: tuple[Host, ...] = ()
    roads: tuple[Road, ...] = ()
    privacy: Privacy | None = None
    # Where a request says which workspace it is for.
    workspace: tuple[Sign, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def trains_on_uploads(self) -> Trains:
        """Does it train on uploads unless somebody tells it not to?"""
        return self.privacy.trains_on_uploads if self.privacy else "unknown"

"""What rules can ask about: the closed list of conditions that may stand under `when`."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from safelight.documents import OneOrMore, Strict

if TYPE_CHECKING:
    from collections.abc import Iterator

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
type UploadShape = Literal["raw", "multipart", "json", "form", "text", "binary"]
type Trains = Literal["by-default", "not-by-default", "unknown"]
type Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SIZE = re.compile(r"([0-9]{1,9}) ?(B|KB|MB|GB)", re.IGNORECASE)
_UNITS = {"b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9}
USER, PHONE = "user:", "phone:"
IDENTITIES = (USER, PHONE)
_LONGEST_IDENTITY = 200
_WORKSPACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,199}")


def _size(value: object) -> object:
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("must be a size such as 20 MB or 500 KB")
    return int(match[1]) * _UNITS[match[2].lower()]


def _clock(text: str) -> str:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text):
        raise ValueError("must be a time of day such as 07:00 or 20:30")
    return text


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (KeyError, OSError, ValueError) as error:
        raise ValueError("must be a time zone such as Europe/Berlin") from error
    return text


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as error:
        hint = "such as 192.168.1.20, or a range such as 192.168.1.16/28"
        raise ValueError(f"must be an address {hint} ({error})") from error


def _workspace(text: str) -> str:
    if not _WORKSPACE.fullmatch(text):
        raise ValueError("must be the id of a workspace, such as org-AbC123 or a UUID")
    return text.lower()


def _member(text: str) -> str:
    return _identity(text) if text.startswith(IDENTITIES) else _network(text)


def _identity(text: str) -> str:
    kind, _, name = text.partition(":")
    if not name.strip() or len(text) > _LONGEST_IDENTITY or not text.isprintable():
        raise ValueError(f"must be a {kind} such as {kind}:anna")
    return text


def _sender(text: str) -> str:
    return _identity(text) if text.startswith(IDENTITIES) else _address(text)


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError as error:
        raise ValueError("must be an address such as 192.168.1.20") from error


# In bytes.
type Size = Annotated[int, BeforeValidator(_size, json_schema_input_type=str)]
type Count = Annotated[int, Field(ge=0, strict=True)]
type Clock = Annotated[str, AfterValidator(_clock)]
type Zone = Annotated[str, AfterValidator(_zone)]
# One address, a range of them in CIDR notation, somebody who logs in to the proxy (user:anna), or a
# phone that comes through WireGuard (phone:anna).
type Member = Annotated[str, AfterValidator(_member)]
type Sender = Annotated[str, AfterValidator(_sender)]
# The id by which a service's requests name an organization, an account, a tenant or a project.
type Workspace = Annotated[str, AfterValidator(_workspace)]


class ServiceMatch(Strict):
    """Which services; a service matches when every key given here matches it."""

    id: OneOrMore[str] | None = None
    category: OneOrMore[str] | None = None
    trains_on_uploads: OneOrMore[Trains] | None = None
    workspace: OneOrMore[Workspace] | None = None


class TimeMatch(Strict):
    """When. A span that ends earlier than it begins goes over midnight, and belongs to the day on
    which it began. Without `tz` the clock of the machine counts."""

    days: OneOrMore[Day] | None = None
    from_: Clock | None = None
    to: Clock | None = None
    tz: Zone | None = None

    @model_validator(mode="after")
    def _is_a_span(self) -> Self:
        if (self.from_ is None) != (self.to is None):
            raise ValueError("`from` and `to` belong together")
        if self.from_ is not None and self.from_ == self.to:
            raise ValueError("`from` and `to` are the same; leave both out for whole days")
        if self.days is None and self.from_ is None:
            raise ValueError("needs `days`, or `from` and `to`")
        return self


class UploadMatch(Strict):
    """Which pictures; one matches when every key given here matches it or its upload."""

    shape: OneOrMore[UploadShape] | None = None
    type: OneOrMore[ImageType] | None = None
    larger_than: Size | None = None
    more_pixels_than: Count | None = None
    more_pictures_than: Count | None = None


class When(Strict):
    """When a rule applies: all keys given must match. No keys: to every picture."""

    service: ServiceMatch | None = None
    people: OneOrMore[str] | None = None
    time: TimeMatch | None = None
    upload: UploadMatch | None = None
    metadata: OneOrMore[FindingKind] | None = None
    any_: Annotated[tuple[When, ...], Field(min_length=1)] | None = None
    all_: Annotated[tuple[When, ...], Field(min_length=1)] | None = None
    not_: When | None = None

    def parts(self) -> Iterator[When]:
        """This condition and all that stand inside it."""
        yield self
        inner = (*(self.any_ or ()), *(self.all_ or ()), *([self.not_] if self.not_ else ()))
        for one in inner:
            yield from one.parts()

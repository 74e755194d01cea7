"""What is said about a picture: its format, what it carries besides itself, how to change it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


class ImageError(Exception):
    """The picture cannot be examined or cleaned; the text says why, in a sentence for people."""


class Format(StrEnum):
    """Formats that are recognised by their bytes."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    GIF = "gif"
    HEIF = "heif"
    AVIF = "avif"
    TIFF = "tiff"
    JXL = "jxl"
    JP2 = "jp2"
    BMP = "bmp"
    ICO = "ico"
    PSD = "psd"
    SVG = "svg"
    MP4 = "mp4"
    PDF = "pdf"
    ZIP = "zip"
    RAW = "raw"

    @property
    def cleanable(self) -> bool:
        """Can pictures of this format be cleaned?"""
        return self is not Format.RAW

    @property
    def is_document(self) -> bool:
        """Does it hold pictures rather than be one? Office documents are ZIP archives."""
        return self in {Format.PDF, Format.ZIP}

    @property
    def extension(self) -> str:
        """The usual end of a file name, without the dot."""
        return {Format.JPEG: "jpg", Format.HEIF: "heic", Format.TIFF: "tif"}.get(self, str(self))


class Kind(StrEnum):
    """What a picture can tell besides itself, in words people use."""

    LOCATION = "location"
    CAPTURE_TIME = "capture-time"
    DEVICE = "device"
    DEVICE_SERIAL = "device-serial"
    PERSON = "person"
    AUTHOR = "author"
    SOFTWARE = "software"
    EDIT_HISTORY = "edit-history"
    THUMBNAIL = "thumbnail"
    VOICE_OR_VIDEO = "voice-or-video"
    DEPTH_MAP = "depth-map"
    AI_PROMPT = "ai-prompt"
    CONTENT_CREDENTIALS = "content-credentials"
    COMMENT = "comment"
    UNKNOWN_DATA = "unknown-data"


class Length(StrEnum):
    """`compact` cuts what is private out; `same-length` overwrites it, so the size stays."""

    COMPACT = "compact"
    SAME_LENGTH = "same-length"


class UnalterableError(ImageError):
    """What is private in it was found, but cannot be taken out in this length."""

    def __init__(self, format_: Format, length: Length, why: str = "") -> None:
        kept = "" if length is Length.COMPACT else " without changing its length"
        super().__init__(why or f"This {format_.upper()} cannot be cleaned{kept}.")
        self.format = format_
        self.length = length


class Finding(NamedTuple):
    """One private thing at `data[start:end]`. `place` says where, and nothing of what it says."""

    kind: Kind
    place: str
    start: int
    end: int


class Found(NamedTuple):
    """Something private at `data[start:end]`; what it `tells` may be looked at once asked for, by
    what never raises."""

    tells: Kind | Callable[[], set[Kind]]
    place: str
    start: int
    end: int


class Edit(NamedTuple):
    """Put `replacement` in place of `data[start:end]`."""

    start: int
    end: int
    replacement: bytes = b""


class Change(NamedTuple):
    """Put `keep` in place of `data[start:end]`; what is left of that goes. A trailer is what
    stands behind the format's own end."""

    start: int
    end: int
    keep: bytes = b""
    trailer: bool = False


@dataclass
class Examination:
    """What a picture is and carries. Width and height are in pixels as stored, before turning.

    `found` is what it carries, and may not say of all of it yet what that is: `findings` do.
    `remarks` are sentences about what stays, since it is part of the picture, but is worth knowing.
    `proven` are ranges of coded pixels that were walked to their last byte: no edit touches them.
    """

    format: Format
    width: int
    height: int
    orientation: int
    found: tuple[Finding | Found, ...]
    plan: Callable[[Length], tuple[Edit, ...]]
    remarks: tuple[str, ...] = ()
    proven: tuple[tuple[int, int], ...] = ()

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What it carries besides itself."""
        return tuple(told(self.found))

    def edits(self, length: Length) -> tuple[Edit, ...]:
        """The edits that clean it. Raises UnalterableError when `length` cannot be kept."""
        return self.plan(length)


@dataclass(frozen=True, slots=True)
class Detail:
    """One value that a picture tells, for its owner's eyes."""

    kind: Kind
    place: str
    label: str
    value: str


def told(found: Iterable[Finding | Found]) -> Iterator[Finding]:
    """What was found, with its kinds."""
    for one in found:
        if isinstance(one, Finding):
            yield one
            continue
        kinds = {one.tells} if isinstance(one.tells, Kind) else one.tells()
        for kind in sorted(kinds):
            yield Finding(kind, one.place, one.start, one.end)


def looking(
    kinds: Callable[[bytes], set[Kind]], data: bytes, start: int, end: int
) -> Callable[[], set[Kind]]:
    """What looks at `data[start:end]` once it is called, and holds no copy of it till then."""
    return lambda: kinds(data[start:end])


def moved(ranges: Iterable[tuple[int, int]], edits: Iterable[Edit]) -> list[tuple[int, int]]:
    """Where `ranges` stand once `edits` are made; those that an edit touches are left out. Both
    must be in order."""
    pending = iter(edits)
    edit = next(pending, None)
    shift = 0
    found = []
    for start, end in ranges:
        while edit is not None and edit.end <= start:
            shift += len(edit.replacement) - (edit.end - edit.start)
            edit = next(pending, None)
        if edit is None or edit.start >= end:
            found.append((start + shift, end + shift))
    return found


def apply(data: bytes, edits: Iterable[Edit]) -> bytes:
    """`data` with `edits` made; they must be in order and must not overlap."""
    view = memoryview(data)
    pieces: list[bytes | memoryview] = []
    position = 0
    for edit in edits:
        if not position <= edit.start <= edit.end <= len(data):
            raise ValueError("edits overlap or are out of order")
        pieces += [view[position : edit.start], edit.replacement]
        position = edit.end
    pieces.append(view[position:])
    return b"".join(pieces)

"""Find every image in a request body, whatever the body is declared to be."""

from __future__ import annotations

import re
from bisect import bisect
from codecs import getincrementaldecoder
from dataclasses import replace
from typing import TYPE_CHECKING

import stringzilla

from safelight.bodies import (
    base64_runs,
    base64_text,
    declared,
    density,
    headers,
    multipart,
    number_lists,
    prefixed,
    scattered,
    spelled_out,
    wrapped,
)
from safelight.bodies.model import (
    Doubt,
    Doubtful,
    Encoding,
    Name,
    Recogniser,
    Shape,
    Site,
    Survey,
    between,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DEEPEST_MULTIPART = 4
MOST_SITES = 1_000
_FILE_NAME = re.compile(rb"[^\x00-\x1f]{1,300}\.[A-Za-z0-9]{2,5}")
_HEAD = 65_536
SHORTEST_HIDING_PLACE = 400  # bytes: what is shorter holds no picture with something to say
# Character sets in which base64 does not read as it does in ASCII.
_UNREADABLE_CHARSETS = ("utf-16", "utf-32", "utf-7", "ucs", "iso-10646", "cp037", "ibm", "hz-")
_FRAMED = ("application/grpc", "application/connect+")
# What no text holds, and every binary message soon does.
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_ASCII_TEXT = bytes((*range(9, 14), *range(32, 127)))
_TELLING = 256  # bytes
# Its mark alone is also how sound begins.
_UTF_16 = re.compile(rb"\xff\xfe[\t\n\r -~]\0|\xfe\xff\0[\t\n\r -~]")


def survey(body: bytes, content_type: str, recogniser: Recogniser) -> Survey:
    """Find the images in `body`, a decoded request body (no content coding left).

    `content_type` only says how the body is built; whether something is an image is decided by
    its bytes. Never raises: what cannot be understood becomes a doubt.
    """
    return _Surveyor(body, recogniser).run(content_type)


def holds_picture(text: bytes, recogniser: Recogniser) -> bool:
    """Does a picture stand in `text`, in which none can be cleaned?"""
    found = survey(text, "", recogniser)
    return bool(found.sites or found.doubts)


class _Surveyor:
    def __init__(self, body: bytes, recogniser: Recogniser) -> None:
        self.body = body
        self.recogniser = recogniser
        self.sites: list[Site] = []
        self.names: list[Name] = []
        self.named: list[tuple[int, int]] = []
        self.named_in_json: list[tuple[int, int]] = []
        self.doubts: list[Doubtful] = []
        self.parts = 0

    def run(self, content_type: str) -> Survey:
        end = len(self.body)
        try:
            field = headers.parse(content_type)
        except headers.HeaderError as error:
            field = headers.Field("", {})
            # Whatever else it is, it is looked at by its bytes; parts could be read in two ways.
            if b"multipart" in content_type.lower().encode() or self.body.startswith(b"--"):
                self._doubt(Doubt.UNKNOWN_SHAPE, f"Its content type cannot be read: {error}.")
        if field.value.startswith("multipart/") and end:
            shape = Shape.MULTIPART
            self._multipart(0, end, field, 1)
        else:
            shape = self._leaf(0, end, field, part=0)
        if len(self.sites) > MOST_SITES:
            self._doubt(Doubt.TOO_LARGE, f"It holds more than {MOST_SITES} pictures.")
        return Survey(
            shape,
            tuple(sorted(self.sites[:MOST_SITES], key=_start)),
            tuple(sorted(self._names_of_pictures(), key=_start)),
            tuple(self.doubts),
        )

    def _names_of_pictures(self) -> Iterator[Name]:
        """Names beside pictures, and where other parts say them once more, or name them first."""
        named = {site.part for site in self.sites if site.part}
        names = [one for one in self.names if one.part in named]
        yield from names
        parts = {self.body[one.start : one.end]: one.part for one in reversed(names)}
        for start, end in self.named:
            part = parts.get(self.body[start:end])
            if part is not None:
                yield Name(start, end, part, extended=False)
        for start, end in self.named_in_json if named else ():
            part = parts.get(self.body[start:end], min(named))
            yield Name(start, end, part, extended=False)

    def _doubt(self, doubt: Doubt, reason: str) -> None:
        found = Doubtful(doubt, reason)
        if found not in self.doubts:
            self.doubts.append(found)

    def _multipart(self, start: int, end: int, field: headers.Field, depth: int) -> None:
        if depth > DEEPEST_MULTIPART:
            self._doubt(Doubt.UNKNOWN_SHAPE, "Its parts are nested too deeply.")
            return
        try:
            found = multipart.split(self.body, start, end, multipart.boundary_of(field))
        except multipart.MultipartError as error:
            self._doubt(Doubt.UNKNOWN_SHAPE, f"It cannot be read safely: {error}.")
            return
        before, after = found.margins
        self._leaf(*before, headers.Field("", {}), part=0)
        heads = before[1]
        for part in found.parts:
            self._head(heads, part.start)
            self._part(part, depth)
            heads = part.end
        self._leaf(*after, headers.Field("", {}), part=0)

    def _head(self, start: int, end: int) -> None:
        """Look into the header lines of a part."""
        if end - start >= SHORTEST_HIDING_PLACE and holds_picture(
            self.body[start:end], self.recogniser
        ):
            self._doubt(Doubt.UNKNOWN_SHAPE, "A picture stands in the header of a part.")

    def _part(self, part: multipart.Part, depth: int) -> None:
        self.parts += 1
        number = self.parts
        self.names += [Name(n.start, n.end, number, n.extended) for n in part.names]
        try:
            field = headers.parse(part.content_type)
        except headers.HeaderError as error:
            self._doubt(Doubt.UNKNOWN_SHAPE, f"The content type of a part cannot be read: {error}.")
            field = headers.Field("", {})
        if part.transfer_encoding not in {"", "7bit", "8bit", "binary", "base64"}:
            self._doubt(Doubt.UNKNOWN_SHAPE, "A part is encoded in a way that cannot be read.")
        if part.content_encoding not in {"", "identity"}:
            self._doubt(Doubt.UNKNOWN_SHAPE, "A part is compressed by itself.")
        if field.value.startswith("multipart/"):
            first = len(self.sites)
            self._multipart(part.start, part.end, field, depth + 1)
            if len(self.sites) > first:
                # A name of the whole is a name of what is in it.
                inner = self.sites[first].part
                self.names += [Name(n.start, n.end, inner, n.extended) for n in part.names]
        else:
            self._leaf(part.start, part.end, field, number)
            if _FILE_NAME.fullmatch(self.body, part.start, part.end):
                self.named.append((part.start, part.end))
            self.named_in_json += declared.names_in_json(self.body, part.start, part.end)

    def _leaf(self, start: int, end: int, field: headers.Field, part: int) -> Shape:
        """Look into something that has no parts of its own; say what it is."""
        body = self.body
        size = end - start
        if self.recogniser.starts_image(body[start : min(end, start + _HEAD)], size):
            self.sites.append(Site(start, end, Encoding.IDENTITY, field.value or None, part))
            return Shape.RAW
        charset = field.parameters.get("charset")
        if _is_utf_16(body[start : min(end, start + _TELLING)]) or (
            charset and charset.value.lower().startswith(_UNREADABLE_CHARSETS)
        ):
            self._doubt(Doubt.UNKNOWN_SHAPE, "Its text is in an unusual character set.")
        shape = _shape_of(body[start : min(end, start + _HEAD)], field.value)
        runs = tuple(base64_runs.runs(body, start, end, self.recogniser))
        sites = list(base64_text.find(body, runs, self.recogniser, part))
        if shape is Shape.BINARY:
            # Whatever holds a length of it is not known, so it must stay true.
            sites = [replace(site, fixed=True) for site in sites]
            sites += self._binary(start, end, sites, part)
        self.sites += sites
        if field.value.startswith(_FRAMED):
            self._framed(start, end, sites)
        if field.value.startswith("image/") and size and not sites:
            self._doubt(
                Doubt.UNREADABLE, "It is declared to be a picture, but is none that is known."
            )
        gaps = tuple(between(start, end, sites))
        stretches = tuple(stretch for gap in gaps for stretch in density.without_words(body, *gap))
        # No other text holds a picture, or anything packed, as it is.
        unlike_ascii = [gap for gap in gaps if not _is_ascii_text(body, *gap)]
        if spelled_out.holds_picture(
            body, gaps, unlike_ascii, stretches
        ) or number_lists.holds_picture(body, stretches, self.recogniser):
            self._doubt(
                Doubt.UNKNOWN_SHAPE, "A picture is spelled out in it, byte by byte, as text."
            )
        if scattered.holds_picture(body, stretches, self.recogniser):
            self._doubt(
                Doubt.UNKNOWN_SHAPE, "A picture is written in it, with other things in between."
            )
        try:
            if wrapped.holds_picture(body, unlike_ascii, runs, sites, self.recogniser):
                self._doubt(Doubt.UNKNOWN_SHAPE, "A picture is packed or encoded twice in it.")
        except wrapped.UnpacksTooFarError:
            self._doubt(Doubt.TOO_LARGE, "What is packed in it is more than can be looked at.")
        if self._holds_image(unlike_ascii):
            self._doubt(
                Doubt.UNKNOWN_SHAPE, "A picture stands inside it where it cannot be cleaned yet."
            )
        return shape

    def _framed(self, start: int, end: int, sites: Iterable[Site]) -> None:
        """gRPC's and Connect's messages are alike: flags, a length of four bytes, the content."""
        edges = [start]
        while edges[-1] < end:
            if self.body[edges[-1]] & 1:
                self._doubt(Doubt.UNKNOWN_SHAPE, "It is a compressed message.")
            size = int.from_bytes(self.body[edges[-1] + 1 : edges[-1] + 5])
            edges.append(edges[-1] + 5 + size)
        for site in sites:
            if bisect(edges, site.start) != bisect(edges, site.end - 1):
                self._doubt(Doubt.UNKNOWN_SHAPE, "A picture in it is cut into several messages.")

    def _binary(self, start: int, end: int, sites: list[Site], part: int) -> list[Site]:
        """Pictures in a binary message, between those that are written in it as text."""
        edges = [start, *(edge for site in sites for edge in (site.start, site.end)), end]
        return [
            site
            for first, last in zip(edges[::2], edges[1::2], strict=True)
            for site in prefixed.find(self.body, first, last, self.recogniser, part)
        ]

    def _holds_image(self, gaps: Iterable[tuple[int, int]]) -> bool:
        view = memoryview(self.body)
        return any(
            self.recogniser.first_image(view[first:last]) is not None for first, last in gaps
        )


def _is_ascii_text(body: bytes, start: int, end: int) -> bool:
    found: int = stringzilla.find_first_not_of(body, _ASCII_TEXT, start, end)
    return found < 0


def _is_utf_16(head: bytes) -> bool:
    """Is it the beginning of text in UTF-16? Quiet sound begins like it, but goes on with numbers
    that are no letters."""
    if _UTF_16.match(head) is None:
        return False
    try:
        text = getincrementaldecoder("utf-16")().decode(head)
    except UnicodeDecodeError:
        return False
    return _CONTROL.search(text.encode()) is None


def _start(thing: Name | Site) -> int:
    return thing.start


def _shape_of(head: bytes, declared: str) -> Shape:
    if head.lstrip()[:1] in (b"{", b"["):
        return Shape.JSON
    if declared == "application/x-www-form-urlencoded":
        return Shape.FORM
    return Shape.TEXT if _is_text(head) else Shape.BINARY


def _is_text(head: bytes) -> bool:
    """Is it the beginning of UTF-8 without control characters?"""
    try:
        getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return _CONTROL.search(head) is None

"""Multipart bodies, RFC 2046 section 5.1 and RFC 7578, read so strictly that no other reader
can see different parts: whatever is ambiguous is reported instead of guessed.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import stringzilla

from safelight.bodies import headers

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_PARTS = 10_000
_LONGEST_BOUNDARY = 200  # RFC 2046 says 70, some clients use more
_LONGEST_HEADER = 16_384
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*+([^\r\n]*+)(?:\r\n|\Z)")
_SINGLE_FIELDS = (
    b"content-disposition",
    b"content-type",
    b"content-transfer-encoding",
    b"content-encoding",
)


class MultipartError(ValueError):
    """The body is not the multipart it is declared to be; the text says why, for people."""


@dataclass(frozen=True, slots=True)
class NameSpan:
    """Where a file name stands in the body, without its quotes."""

    start: int
    end: int
    extended: bool


@dataclass(frozen=True, slots=True)
class Part:
    """One part; `body[start:end]` is its content."""

    start: int
    end: int
    content_type: str
    transfer_encoding: str
    content_encoding: str
    names: tuple[NameSpan, ...]


@dataclass(frozen=True, slots=True)
class Multipart:
    """All parts, and the stretches before the first and after the last delimiter."""

    parts: tuple[Part, ...]
    margins: tuple[tuple[int, int], tuple[int, int]]


def boundary_of(content_type: headers.Field) -> bytes:
    """The boundary parameter. Raises MultipartError when there is none that can be used."""
    parameter = content_type.parameters.get("boundary")
    if parameter is None or not parameter.value:
        raise MultipartError("its multipart type names no boundary")
    try:
        boundary = parameter.value.encode("ascii")
    except UnicodeEncodeError as error:
        raise MultipartError("its multipart boundary is not ASCII") from error
    if len(boundary) > _LONGEST_BOUNDARY:
        raise MultipartError("its multipart boundary is too long")
    return boundary


def split(body: bytes, start: int, end: int, boundary: bytes) -> Multipart:
    """Split `body[start:end]` into parts. Raises MultipartError."""
    parts: list[Part] = []
    opened: tuple[int, int] | None = None
    first_delimiter = end
    for delimiter in _delimiters(body, start, end, boundary):
        if opened is None:
            first_delimiter = delimiter.start
        else:
            parts.append(_part(body, opened[1], delimiter.start))
        if len(parts) > MOST_PARTS:
            raise MultipartError(f"it has more than {MOST_PARTS} parts")
        if delimiter.closes:
            return Multipart(tuple(parts), ((start, first_delimiter), (delimiter.end, end)))
        opened = (delimiter.start, delimiter.end)
    if opened is None:
        raise MultipartError("its multipart boundary never appears")
    raise MultipartError("its multipart body breaks off before the closing boundary")


@dataclass(frozen=True, slots=True)
class _Delimiter:
    """`start` is where the content before it ends, `end` where what follows it starts."""

    start: int
    end: int
    closes: bool


_DELIMITER_TAIL = re.compile(rb"(--)?[ \t]*+(\r?\n|)")


def _delimiters(body: bytes, start: int, end: int, boundary: bytes) -> Iterator[_Delimiter]:
    dashed = b"--" + boundary
    position = start
    while (found := stringzilla.find(body, dashed, position, end)) >= 0:
        position = found + len(dashed)
        if found > start and body[found - 1 : found] != b"\n":
            continue  # in the middle of a line: ordinary content
        tail = _DELIMITER_TAIL.match(body, position, end)
        if tail is None:
            continue
        closes, line_end = tail.groups()
        if not closes and not line_end:
            if tail.end() < end:
                continue  # a longer line: another boundary that begins like this one
            raise MultipartError("its multipart body breaks off at a boundary")
        bare = found > start and body[max(start, found - 2) : found] != b"\r\n"
        if bare or (not closes and line_end == b"\n"):
            raise MultipartError("its multipart lines end without a carriage return")
        if closes and not line_end and tail.end() < end:
            raise MultipartError("its closing multipart boundary is followed by other text")
        yield _Delimiter(found - 2 if found > start else found, tail.end(), bool(closes))
        position = tail.end()


def _part(body: bytes, start: int, end: int) -> Part:
    if start > end:
        raise MultipartError("a multipart part is empty")
    # A part without headers starts with its blank line; without content the blank line's break
    # is also the one before the delimiter.
    if body.startswith(b"\r\n", start, end):
        return Part(start + 2, end, "", "", "", ())
    blank = body.find(b"\r\n\r\n", start, min(end + 2, start + _LONGEST_HEADER))
    if blank < 0:
        raise MultipartError("a multipart part has no end to its headers")
    fields = _fields(body, start, blank)
    content_type = fields.get(b"content-type")
    return Part(
        min(blank + 4, end),
        end,
        content_type.text if content_type else "",
        _text(fields, b"content-transfer-encoding").lower(),
        _text(fields, b"content-encoding").lower(),
        tuple(_names(fields)),
    )


@dataclass(frozen=True, slots=True)
class _HeaderField:
    text: str
    start: int


def _fields(body: bytes, start: int, end: int) -> dict[bytes, _HeaderField]:
    fields: dict[bytes, _HeaderField] = {}
    counts: Counter[bytes] = Counter()
    position = start
    while position < end:
        match = _FIELD.match(body, position, end)
        if match is None:
            raise MultipartError("a multipart part has a malformed header line")
        position = match.end()
        name = match[1].lower()
        counts[name] += 1
        # Latin-1 maps bytes to characters one to one, so positions in the text are positions
        # in the body.
        fields[name] = _HeaderField(match[2].decode("latin-1").rstrip(" \t"), match.start(2))
    if any(counts[name] > 1 for name in _SINGLE_FIELDS):
        raise MultipartError("a multipart part has the same header twice")
    return fields


def _text(fields: dict[bytes, _HeaderField], name: bytes) -> str:
    field = fields.get(name)
    return field.text if field else ""


def _names(fields: dict[bytes, _HeaderField]) -> Iterator[NameSpan]:
    for header, wanted in ((b"content-disposition", "filename"), (b"content-type", "name")):
        field = fields.get(header)
        if field is None:
            continue
        try:
            parameters = headers.parse(field.text).parameters
        except headers.HeaderError as error:
            raise MultipartError(f"in a multipart part, {error}") from error
        for name, parameter in parameters.items():
            if name not in {wanted, f"{wanted}*"}:
                if name.startswith(f"{wanted}*"):  # RFC 2231 continuations
                    raise MultipartError("a multipart part has its file name in pieces")
                continue
            start = field.start + parameter.start
            yield NameSpan(start, field.start + parameter.end, name.endswith("*"))

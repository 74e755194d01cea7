"""What stands in the attributes and style sheets of an SVG: pictures as `data:` addresses
(RFC 2397) are cleaned, comments of style sheets (CSS Syntax 3 section 4.3.2) go.
"""

from __future__ import annotations

import binascii
import html
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote_from_bytes, unquote_to_bytes

import pybase64

from safelight.images.model import Examination, ImageError, Length, apply
from safelight.images.sniff import sniff

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    type Examine = Callable[[bytes], Examination]

ADDRESSES = frozenset({b"href", b"src", b"poster", b"data", b"base"})
_SCHEME = re.compile(rb"\s*d\s*a\s*t\s*a\s*:", re.IGNORECASE)
_ANYWHERE = re.compile(rb"d[\t\r\n]*a[\t\r\n]*t[\t\r\n]*a[\t\r\n]*:", re.IGNORECASE)
_IN_STYLE = re.compile(
    rb"url\(\s*(?:\"([^\"]*)\"|'([^']*)'|([^)\"']*))"
    rb"|\"(\s*data:[^\"]*)\"|'(\s*data:[^']*)'",
    re.IGNORECASE,
)
# An escape of CSS (Syntax 3 section 4.3.7): a number, the end of a line, or a character.
_ESCAPE = re.compile(rb"\\(?:([0-9A-Fa-f]{1,6})(?:\r\n|\s)?|(\r\n|[\r\n\f])|(.))", re.DOTALL)
_EDITORS = re.compile(
    rb"(?<![\w-])-(?:inkscape|sodipodi)-[\w-]++\s*+:"
    rb"(?:[^;{}\"'&]|&#?\w+;|\"[^\"]*+\"|'[^']*+')*+;?"
)
_BASE64 = re.compile(
    rb"data:[^,\"'()<>]{0,200};\s{0,9}base64\s{0,9},[A-Za-z0-9+/=%\s]+", re.IGNORECASE
)
# What an address says about its content besides how it is written.
_PARAMETER = re.compile(rb";\s*+(?!base64|charset=|utf-?8)[^;,]*", re.IGNORECASE)
# What is not closed goes on to the end.
_COMMENT = re.compile(
    rb"(\"(?:\\.|[^\"\\])*+(?:\"|\Z)|'(?:\\.|[^'\\])*+(?:'|\Z))|/\*.*?(?:\*/|\Z)", re.DOTALL
)
_ENTITY = re.compile(rb"&([\w.-]+);")
# Neither XML nor style sheets read anything into these.
_SPELLED_OUT = " !$*+,-./:;=?@[]^_`{|}~"
_BLANKS = re.compile(rb"\s")


@dataclass(frozen=True, slots=True)
class Value:
    """Text of an attribute or a style sheet as it is written; `quote` is what ends it, b"" for
    text between tags and None for a CDATA section, where nothing is escaped."""

    name: bytes
    text: bytes
    quote: bytes | None


def plain(value: Value, entities: Mapping[bytes, bytes]) -> bytes:
    """What the text says. Raises ImageError for an entity that nobody declared."""
    if value.quote is None or b"&" not in value.text:
        return value.text
    text = value.text
    for name in set(_ENTITY.findall(text)):
        if name in entities:
            text = text.replace(b"&" + name + b";", entities[name])
    return html.unescape(text.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def cleaned(
    value: Value, entities: Mapping[bytes, bytes], examine: Examine, length: Length
) -> bytes:
    """The text without comments of style sheets, and with its pictures cleaned.

    Raises ImageError where a picture cannot be cleaned, or not without becoming longer.
    """
    text = value.text
    if value.name == b"style":
        text = _COMMENT.sub(lambda match: _without_comment(match, length), text)
        text = _EDITORS.sub(lambda match: _blank(match, length), text)
    said = plain(Value(value.name, text, value.quote), entities)
    is_escaped = value.name == b"style" and b"\\" in said
    if not is_escaped and not _ANYWHERE.search(said):
        return text
    said_now, last = _with_pictures_cleaned(value.name, said, examine, length)
    if said_now == said:
        return text
    head, tail = said_now[:last], said_now[last:]
    if value.quote is not None and said != text:
        head, tail = _escaped(head, value.quote), _escaped(tail, value.quote)
    if length is Length.SAME_LENGTH:
        room = len(value.text) - len(head) - len(tail)
        if room < 0:
            raise ImageError("A picture inside this SVG cannot be cleaned in its length.")
        # Spaces at the end of base64, or of an SVG, mean nothing.
        head += b" " * room
    return head + tail


def _without_comment(match: re.Match[bytes], length: Length) -> bytes:
    if match[1] is not None:
        return match[0]
    # A comment parts words, so what replaces it must.
    return _blank(match, length)


def _blank(match: re.Match[bytes], length: Length) -> bytes:
    return b" " * (1 if length is Length.COMPACT else len(match[0]))


def _unescaped(text: bytes) -> bytes:
    """Text of a style sheet as it is read."""
    return _ESCAPE.sub(_character, text) if b"\\" in text else text


def _character(match: re.Match[bytes]) -> bytes:
    if match[1] is not None:
        number = int(match[1], 16)
        return chr(number if number < 0xD800 else 0xFFFD).encode()
    return match[3] or b""


def _escaped(text: bytes, quote: bytes) -> bytes:
    text = text.replace(b"&", b"&amp;").replace(b"<", b"&lt;")
    return text.replace(quote, b"&quot;" if quote == b'"' else b"&#39;") if quote else text


def _with_pictures_cleaned(
    name: bytes, said: bytes, examine: Examine, length: Length
) -> tuple[bytes, int]:
    """The text with its pictures cleaned, and where the last of them that changed ends."""
    pieces: list[bytes] = []
    position = last = size = 0
    for start, end in _addresses(name, said):
        if start < position:
            continue
        text = said[start:end]
        if name == b"style":
            text = _unescaped(text)
        address = _cleaned_address(text, examine, length)
        if address is not None:
            pieces += [said[position:start], address]
            size += start - position + len(address)
            last, position = size, end
    return b"".join([*pieces, said[position:]]), last


def _addresses(name: bytes, said: bytes) -> Iterator[tuple[int, int]]:
    """Where `data:` addresses stand."""
    if name in ADDRESSES and _SCHEME.match(said):
        yield 0, len(said)
        return
    for pattern in (_IN_STYLE, _BASE64):
        for match in pattern.finditer(said):
            group = next((n for n in range(1, pattern.groups + 1) if match[n] is not None), 0)
            if _SCHEME.match(_unescaped(match[group]) if pattern is _IN_STYLE else match[group]):
                yield match.span(group)


def _cleaned_address(address: bytes, examine: Examine, length: Length) -> bytes | None:
    """A `data:` address with its picture cleaned; None if it holds none, or a clean one."""
    scheme, comma, payload = address.partition(b",")
    described = _BLANKS.sub(b"", scheme).lower().removeprefix(b"data:")
    content = unquote_to_bytes(payload)
    if described.endswith(b"base64"):
        content = _decoded(content)
    if sniff(content) is None:
        if described.startswith(b"image/") and content:
            raise ImageError("A picture inside this SVG is of a kind that is not known.")
        return None
    clean = apply(content, examine(content).edits(length))
    plain_scheme = _PARAMETER.sub(b"", scheme)
    if clean == content and plain_scheme == scheme:
        return None
    scheme = plain_scheme
    written = pybase64.b64encode(clean)
    if described.endswith(b"base64"):
        return scheme + comma + written
    spelled = scheme + comma + quote_from_bytes(clean, _SPELLED_OUT).encode()
    return min(spelled, b"data:" + described + b";base64," + written, key=len)


def _decoded(text: bytes) -> bytes:
    text = _BLANKS.sub(b"", text).rstrip(b"=")
    try:
        return pybase64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error as error:
        raise ImageError("A picture inside this SVG is damaged.") from error

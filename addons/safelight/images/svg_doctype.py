"""The document type declaration of an SVG (XML 1.0 section 2.8): names for texts that are used
stay, since drawing programs shorten their namespaces with them; nothing else that is written there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from safelight.images.model import ImageError, Kind

_DECLARATION = re.compile(
    rb"<!ENTITY\s+(?P<name>[\w.:-]+)\s+(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)')\s*>"
    rb"|<!(?P<other>ELEMENT|ATTLIST)\s[^>]*>",
)
_REFERENCE = re.compile(rb"&([\w.:-]+);")
_STANDARD = re.compile(
    rb"<!DOCTYPE\s+[\w:.-]+\s*(?:PUBLIC\s+[\"']-//W3C//[\w ./-]*[\"']\s*)?"
    rb"(?:(?:SYSTEM\s+)?[\"']https?://www\.w3\.org/[\w./-]*[\"']\s*)?"
)
_MARKUP = re.compile(rb"[<]|d\s*a\s*t\s*a\s*:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Doctype:
    """A declaration at `start` of a document; entities by name, with where each is declared."""

    text: bytes = b""
    start: int = 0
    entities: dict[bytes, bytes] = field(default_factory=dict)
    places: dict[bytes, tuple[int, int]] = field(default_factory=dict)
    kept: list[tuple[int, int]] = field(default_factory=list)


def read(text: bytes, start: int) -> Doctype:
    """Read a declaration. Raises ImageError where it does more than name texts."""
    found = Doctype(text, start)
    opened = text.find(b"[")
    if opened < 0:
        return found
    if b"%" in text[opened:] or not _STANDARD.fullmatch(text[:opened]):
        raise ImageError("This SVG declares its parts in a way that cannot be followed.")
    for match in _DECLARATION.finditer(text, opened + 1):
        if match["other"] is not None:
            found.kept.append(match.span())
            continue
        value = match["double"] if match["double"] is not None else match["single"]
        if _MARKUP.search(value):
            raise ImageError("This SVG keeps parts of its picture in its declaration.")
        found.entities.setdefault(match["name"], value)
        found.places.setdefault(match["name"], match.span())
    return found


def removals(doctype: Doctype, rest: bytes) -> list[tuple[int, int, Kind]]:
    """What goes of a declaration when `rest` is what stays of the document."""
    text = doctype.text
    opened = text.find(b"[")
    if opened < 0:
        standard = not text or _STANDARD.fullmatch(text[:-1])
        end = doctype.start + len(text)
        return [] if standard else [(doctype.start, end, Kind.UNKNOWN_DATA)]
    used: set[bytes] = set()
    pending = set(_REFERENCE.findall(rest))
    while pending:
        name = pending.pop()
        if name in doctype.entities and name not in used:
            used.add(name)
            pending |= set(_REFERENCE.findall(doctype.entities[name]))
    kept = sorted([*doctype.kept, *(doctype.places[name] for name in used)])
    found = []
    position = opened + 1
    closed = text.rfind(b"]")
    for start, end in [*kept, (closed, closed)]:
        if text[position:start].strip():
            found.append((doctype.start + position, doctype.start + start, Kind.COMMENT))
        position = max(position, end)
    if text[closed + 1 : -1].strip():
        found.append((doctype.start + closed + 1, doctype.start + len(text) - 1, Kind.UNKNOWN_DATA))
    return found

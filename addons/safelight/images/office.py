"""What office documents say besides their content: OOXML (ECMA-376) and OpenDocument 1.3.

Properties become empty ones, since other parts of the document point at them; names of authors
become "Author", as office programs themselves do it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from safelight.images import office_package
from safelight.images.disk import PLACE
from safelight.images.model import ImageError, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

_DECLARATION = b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_OPC = b"http://schemas.openxmlformats.org/"
_CORE = b'<cp:coreProperties xmlns:cp="%spackage/2006/metadata/core-properties"/>' % _OPC
_APP = b'<Properties xmlns="%sofficeDocument/2006/extended-properties"/>' % _OPC
_CUSTOM = b'<Properties xmlns="%sofficeDocument/2006/custom-properties"/>' % _OPC
_LABELS = b'<labelList xmlns="http://schemas.microsoft.com/office/2020/mipLabelMetadata"/>'
_META = (
    b"<office:document-meta "
    b'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" office:version="1.3">'
    b"<office:meta/></office:document-meta>"
)
_EMPTY = (
    (re.compile(rb"docProps/core\.xml|package/services/metadata/.*\.psmdcp"), _CORE),
    (re.compile(rb"docProps/app\.xml"), _APP),
    (re.compile(rb"docProps/custom\.xml"), _CUSTOM),
    (re.compile(rb"docMetadata/LabelInfo\.xml"), _LABELS),
    (re.compile(rb"(?:.*/)?meta\.xml"), _META),
)
_PREVIEWS = re.compile(rb"docProps/thumbnail\.\w+|Thumbnails/thumbnail\.png")
_PRINTERS = re.compile(rb"(?:xl|word|ppt)/printerSettings/[\w.-]+\.bin")
# DEVMODEW: the name of the device, then where the size of what the driver may not change stands.
_DEVICE_NAME, _PUBLIC_SIZE = 64, slice(68, 70)
_PROPERTY = re.compile(rb"<(?:[\w-]+:)?([\w-]+)(?:\s[^<>]*)?>([^<>]*[^<>\s][^<>]*)</")
# What is not closed goes on to the end, here and below: looking for the end again and again takes
# too long.
# A tag; quotes may also stand in the text between tags, which must not change.
_TAG = re.compile(rb"<[A-Za-z_](?:[^<>\"']++|\"[^\"]*+\"|'[^']*+')*+>")


_BESIDE = "files that do not belong to the document"
_XML = re.compile(rb".*\.(?:xml|rels|vml|rdf)", re.DOTALL | re.IGNORECASE)
_MARKUP = re.compile(
    rb"<!--.*?(?:-->|\Z)|(?P<section><!\[CDATA\[.*?(?:\]\]>|\Z))"
    rb"|(?P<declaration><\?xml\s.*?(?:\?>|\Z))|<\?.*?(?:\?>|\Z)|<!DOCTYPE[^>\[]*+(?:>|\[|\Z)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class _Rule:
    """In members whose name matches: values of these attributes become `value` (without one the
    attribute goes), what matches `element` becomes what `value` says."""

    members: re.Pattern[bytes]
    kind: Kind
    place: str
    attributes: re.Pattern[bytes] | None = None
    element: re.Pattern[bytes] | None = None
    value: bytes = b""

    def apply(self, content: bytes) -> tuple[bytes, int]:
        """`content` without what the rule is about, and how often that stood there."""
        if self.element is not None:
            return self.element.subn(self.value, content)
        found, changed = self.attributes, 0
        if found is None:
            return content, 0

        def tag(match: re.Match[bytes]) -> bytes:
            nonlocal changed
            text, count = found.subn(self.value, match[0])
            changed += count
            return text

        return _TAG.sub(tag, content), changed


def _attributes(members: bytes, names: bytes, value: bytes, kind: Kind, place: str) -> _Rule:
    unchanged = rb"(?!%s\")" % value if value else b""
    quoted = rb"(?:\"%s[^\"]*+\"|'[^']*+')" % unchanged
    pattern = rb"(\s(?:\w+:)?(?:%s)\s*=\s*)%s" % (names, quoted)
    replacement = rb'\1"%s"' % value if value else b""
    return _Rule(re.compile(members), kind, place, re.compile(pattern), None, replacement)


def _elements(members: bytes, pattern: bytes, value: bytes, kind: Kind, place: str) -> _Rule:
    return _Rule(re.compile(members), kind, place, None, re.compile(pattern, re.DOTALL), value)


_WORD = rb"word/[\w/.-]+\.xml"
_SLIDE_AUTHORS = rb"ppt/(?:commentAuthors|authors)\.xml"
_SLIDE_COMMENTS = rb"ppt/comments/[\w.-]+\.xml"
_DRAWINGS = rb"(?:word|ppt)/[\w/.-]+\.(?:xml|vml)|xl/drawings/[\w.-]+\.(?:xml|vml)"
# Pictures are named, and described, after the file that somebody took them from.
_EXTENSIONS = rb"jpe?g|jfif|png|gif|webp|hei[cf]|avif|tiff?|bmp|svg|emf|wmf|dng|pdf|mp4|mov"
_ON_DISK = rb"(?:[A-Za-z]:\\|\\\\|\bfile:|\.(?i:%s)\b)" % _EXTENSIONS
_FILE = rb"(?:\"[^\"]*?%s[^\"]*+\"|'[^']*?%s[^']*+')" % (_ON_DISK, _ON_DISK)
_CELL_AUTHORS = rb"xl/persons/[\w.-]+\.xml"
_AUTHORS, _SESSIONS = "names of authors", "numbers of editing sessions"
_FOLDERS, _DATES = "folders on somebody's disk", "dates of changes"
_OPEN = rb"(?:.*/)?(?:content|styles)\.xml"
_RULES = (
    _attributes(_WORD, rb"author", b"Author", Kind.AUTHOR, _AUTHORS),
    _attributes(_WORD, rb"initials", b"A", Kind.AUTHOR, _AUTHORS),
    _attributes(_WORD, rb"date|dateUtc", b"", Kind.EDIT_HISTORY, "dates of changes"),
    _attributes(_WORD, rb"rsid\w*", b"", Kind.EDIT_HISTORY, _SESSIONS),
    _elements(
        rb"word/settings\.xml", rb"<w:rsids>.*?(?:</w:rsids>|\Z)", b"", Kind.EDIT_HISTORY, _SESSIONS
    ),
    _elements(
        rb"word/people\.xml",
        rb"<w15:person\b(?:[^>]*/>|.*?(?:</w15:person>|\Z))",
        b"",
        Kind.PERSON,
        "people",
    ),
    _attributes(_SLIDE_AUTHORS, rb"name", b"Author", Kind.AUTHOR, _AUTHORS),
    _attributes(_SLIDE_AUTHORS, rb"initials|userId|providerId", b"A", Kind.AUTHOR, _AUTHORS),
    _Rule(
        re.compile(_DRAWINGS),
        Kind.PERSON,
        "names of files that pictures came from",
        re.compile(rb"(\s(?:name|descr|alt|(?:o:)?title)\s*=\s*)%s" % _FILE),
        value=rb'\1"Picture"',
    ),
    # The template of a Word document, often in its author's own folder.
    _attributes(
        rb"word/_rels/settings\.xml\.rels", rb"Target", b"Normal.dotm", Kind.PERSON, _FOLDERS
    ),
    _Rule(
        re.compile(rb"(?:.*/)?_rels/[\w.-]+\.rels"),
        Kind.PERSON,
        _FOLDERS,
        re.compile(
            rb"(\sTarget\s*=\s*)(?:\"(?!file:///file\")%s[^\"]*+\"|'%s[^']*+')" % (PLACE, PLACE)
        ),
        value=rb'\1"file:///file"',
    ),
    _attributes(_CELL_AUTHORS, rb"displayName", b"Author", Kind.AUTHOR, _AUTHORS),
    _attributes(_CELL_AUTHORS, rb"userId|providerId", b"A", Kind.AUTHOR, _AUTHORS),
    _elements(
        rb"xl/comments[\w/.-]*\.xml",
        rb"<author>(?!Author<)[^<]+",
        b"<author>Author",
        Kind.AUTHOR,
        _AUTHORS,
    ),
    _elements(
        rb"xl/workbook\.xml",
        rb"<x15ac:absPath\b[^>]*/>",
        b"",
        Kind.PERSON,
        "folder it was saved in",
    ),
    _elements(
        rb"(?:.*/)?(?:content|styles)\.xml",
        rb"<(dc:creator|meta:creator-initials)>(?!Author<)[^<]+",
        rb"<\1>Author",
        Kind.AUTHOR,
        _AUTHORS,
    ),
    _elements(
        rb"(?:.*/)?(?:content|styles)\.xml",
        rb"<dc:date>[^<]*</dc:date>",
        b"",
        Kind.EDIT_HISTORY,
        "dates of changes",
    ),
    _elements(
        rb"(?:.*/)?settings\.xml",
        rb'(<config:config-item config:name="Printer(?:Name|Setup)"[^>]*>)[^<]+',
        rb"\1",
        Kind.DEVICE,
        "printer",
    ),
    _elements(
        rb"word/settings\.xml",
        rb"<w1[45]:docId\b[^>]*/>|<w:(docVars|mailMerge)>.*?(?:</w:\1>|\Z)"
        rb"|<w:(?:attachedSchema|saveThroughXslt)\b[^>]*/>",
        b"",
        Kind.UNKNOWN_DATA,
        "settings of programs",
    ),
    _attributes(_WORD, rb"ed", b"", Kind.PERSON, "who may change what"),
    _elements(
        rb"ppt/[\w/.-]+\.xml",
        rb"<p:custDataLst(?:\s*/>|>.*?(?:</p:custDataLst>|\Z))",
        b"",
        Kind.UNKNOWN_DATA,
        "data of programs",
    ),
    _attributes(_SLIDE_COMMENTS, rb"dt", b"", Kind.EDIT_HISTORY, _DATES),
    # Newer comments must have a date.
    _attributes(_SLIDE_COMMENTS, rb"created", b"2000-01-01T00:00:00", Kind.EDIT_HISTORY, _DATES),
    _elements(
        rb"xl/workbook\.xml",
        rb"<xr\d*:revisionPtr\b[^>]*/>",
        b"",
        Kind.EDIT_HISTORY,
        _SESSIONS,
    ),
    _attributes(rb"xl/workbook\.xml", rb"userName|comment", b"", Kind.AUTHOR, _AUTHORS),
    _attributes(
        rb"xl/pivotCache/[\w.-]+\.xml",
        rb"refreshedBy|refreshedDate(?:Iso)?",
        b"",
        Kind.AUTHOR,
        _AUTHORS,
    ),
    _attributes(rb"xl/threadedComments/[\w.-]+\.xml", rb"dT", b"", Kind.EDIT_HISTORY, _DATES),
    _attributes(
        rb"xl/connections\.xml",
        rb"(?:source|odc)File|description",
        b"",
        Kind.PERSON,
        _FOLDERS,
    ),
    _attributes(_OPEN, rb"(?:paragraph-)?rsid", b"", Kind.EDIT_HISTORY, _SESSIONS),
    _Rule(
        re.compile(_OPEN),
        Kind.PERSON,
        _FOLDERS,
        re.compile(
            rb"(\s(?:xlink:)?href\s*=\s*)(?:\"(?!file:///file\")%s[^\"]*+\"|'%s[^']*+')"
            % (PLACE, PLACE)
        ),
        value=rb'\1"file:///file"',
    ),
    _Rule(
        re.compile(_OPEN),
        Kind.PERSON,
        "names of files that pictures came from",
        re.compile(rb"(\sdraw:name\s*=\s*)%s" % _FILE),
        value=rb'\1"Picture"',
    ),
    _elements(
        rb"(?:.*/)?settings\.xml",
        rb'(<config:config-item config:name="Rsid(?:Root)?"[^>]*>)(?!0<)[^<]+',
        rb"\g<1>0",
        Kind.EDIT_HISTORY,
        _SESSIONS,
    ),
    _elements(
        rb"(?:.*/)?settings\.xml",
        rb'(<config:config-item config:name="(?:[\w]*(?:URL|Path)|CurrentDatabase\w+|'
        rb'EmbeddedDatabaseName)"[^>]*>)[^<]+',
        rb"\1",
        Kind.PERSON,
        _FOLDERS,
    ),
)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What stays of a member (None: nothing), and what it told, with the place of each."""

    content: bytes | None
    told: frozenset[tuple[Kind, str]]


def is_document(names: set[bytes]) -> bool:
    """Do these names of members make an office document?"""
    return b"[Content_Types].xml" in names or {b"mimetype", b"content.xml"} <= names


def is_concerned(name: bytes) -> bool:
    """Can a member of this name tell something besides the document's content?"""
    return (
        _empty(name) is not None
        or _PREVIEWS.fullmatch(name) is not None
        or _PRINTERS.fullmatch(name) is not None
        or _XML.fullmatch(name) is not None
        or any(rule.members.fullmatch(name) for rule in _RULES)
    )


def is_properties(name: bytes) -> bool:
    """Does a member of this name hold nothing but properties of the document?"""
    return _empty(name) is not None


def values(content: bytes) -> Iterator[tuple[str, str]]:
    """The properties that such a member holds: names and texts."""
    for match in _PROPERTY.finditer(content):
        yield match[1].decode("ascii", "replace"), match[2].decode("utf-8", "replace")


def superfluous(name: bytes) -> tuple[Kind, str]:
    """What a member is that does not belong to the document, or is private as a whole."""
    is_preview = _PREVIEWS.fullmatch(name) is not None
    return (Kind.THUMBNAIL, "preview") if is_preview else (Kind.UNKNOWN_DATA, _BESIDE)


def cleaned(name: bytes, content: bytes, gone: frozenset[bytes] = frozenset()) -> Cleaned:
    """A concerned member without what it tells, when the members `gone` are no longer there.

    Raises ImageError when it cannot be read.
    """
    if _PREVIEWS.fullmatch(name):
        return Cleaned(None, frozenset({(Kind.THUMBNAIL, "preview")}))
    if _PRINTERS.fullmatch(name):
        blank = _without_printer(content)
        told = frozenset({(Kind.DEVICE, "printer")} if content != blank else ())
        return Cleaned(blank, told)
    empty = _empty(name)
    if empty is not None:
        told = frozenset({(Kind.AUTHOR, "document properties")} if content != empty else ())
        return Cleaned(empty, told)
    if b"\0" in content[:4]:
        raise ImageError("This document is written in an encoding that cannot be read.")
    if name == b"META-INF/manifest.xml" and b"encryption-data" in content:
        raise ImageError("This document is locked with a password, so it cannot be looked into.")
    told_here = set()
    listed = office_package.without(name, content, gone)
    if listed != content:
        told_here.add((Kind.UNKNOWN_DATA, _BESIDE))
        content = listed
    if b"<!" in content or content.count(b"<?") > 1:
        said = _without_markup(content)
        if said != content:
            told_here.add((Kind.COMMENT, "comments of programs"))
            content = said
    for rule in _RULES:
        if rule.members.fullmatch(name):
            content, count = rule.apply(content)
            if count:
                told_here.add((rule.kind, rule.place))
    return Cleaned(content, frozenset(told_here))


def _without_markup(content: bytes) -> bytes:
    """XML without comments, instructions and declarations of what it consists of."""

    def left(match: re.Match[bytes]) -> bytes:
        if match["section"] is not None or match["declaration"] is not None:
            return match[0]
        if match[0].startswith(b"<!D") and not match[0].endswith(b">"):
            raise ImageError("This document declares its parts in a way that cannot be followed.")
        return b""

    return _MARKUP.sub(left, content)


def _without_printer(settings: bytes) -> bytes:
    """Paper and margins without the name of the printer and what its driver adds to them."""
    size = int.from_bytes(settings[_PUBLIC_SIZE], "little")
    kept = settings[min(_DEVICE_NAME, len(settings)) : max(size, _DEVICE_NAME)]
    return (bytes(_DEVICE_NAME) + kept).ljust(len(settings), b"\0")[: len(settings)]


def _empty(name: bytes) -> bytes | None:
    found = next((empty for members, empty in _EMPTY if members.fullmatch(name)), None)
    return None if found is None else _DECLARATION + found

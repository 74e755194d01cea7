"""SVG (W3C SVG 2, Namespaces in XML 1.0): everything that is not drawn goes.

The document is walked once, tag by tag. Comments, processing instructions, `metadata` and what
belongs to editors' namespaces go; pictures inside are cleaned. Nothing is parsed into a tree or
fetched.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from safelight.images import svg_doctype, svg_values, svgz
from safelight.images.disk import PLACE
from safelight.images.model import Edit, Examination, Format, ImageError, Kind, Length
from safelight.images.svg_names import Names
from safelight.images.svg_values import Value
from safelight.images.svg_walk import SVG, Walk, prefixes

if TYPE_CHECKING:
    from safelight.images.svg_values import Examine

_TOKEN = re.compile(
    rb"<!--(?P<comment>.*?)-->"
    rb"|<!\[CDATA\[(?P<cdata>.*?)\]\]>"
    rb"|<\?(?P<instruction>.*?)\?>"
    rb"|<!DOCTYPE(?P<doctype>[^\[>]{0,2000}(?:\[[^\]]{0,20000}\])?[^>]{0,200})>"
    rb"|<(?P<close>/)?(?P<name>[A-Za-z_][\w.:-]*+)(?P<attributes>(?:[^>\"']++|\"[^\"]*+\"|'[^']*+')*+)>"
    rb"|<",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(rb"(?<![\w.:-])([A-Za-z_][\w.:-]*+)\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)')")
# SVG 2 section 5.7: descriptive elements are not drawn; nor is what HTML says about itself.
_DESCRIBING = frozenset({b"metadata", b"title", b"desc", b"meta"})
_WITH_TEXT = frozenset({b"text", b"style", b"script", b"foreignObject", b"flowRoot"})
_ON_DISK = re.compile(rb"\s*" + PLACE, re.IGNORECASE)
_STYLE_SHEET = b"xml-stylesheet"
_DECLARATION = re.compile(
    rb"xml\s+version\s*=\s*[\"'][\w.]+[\"'](?:\s+encoding\s*=\s*[\"'][\w.:-]+[\"'])?"
    rb"(?:\s+standalone\s*=\s*[\"']\w+[\"'])?\s*"
)
# What else is written as a script is data, which nothing runs.
_SCRIPT = re.compile(rb"\stype\s*=\s*[\"']\s*([^\"']*)", re.IGNORECASE)
_RUN = re.compile(
    rb"(?:module|(?:text|application)/(?:x-)?(?:java|ecma|j|live)script\b.*)?", re.DOTALL
)
_RUNS = "It runs a script where it is opened."
_LOADS = "It loads something from elsewhere, which tells that place who opens it and when."
_POINTERS = frozenset({b"href", b"src", b"style", b"fill", b"filter", b"mask", b"stroke"})
_ADDRESS = re.compile(rb"\s*(?:https?:)?//")
_OUTSIDE = re.compile(rb"url\(\s{0,9}[\"']?\s{0,9}(?:https?:)?//|@import\b")
_SPACES_AND_SLASH = b" \t\r\n/"
_SHORTEST_COMMENT = len(b"<!---->")
_DIMENSION = re.compile(rb"\s*([0-9]{1,7})(?:\.[0-9]*)?\s*(?:px)?\s*")
DEEPEST = 5_000
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def examine(data: bytes, examine_inside: Examine) -> Examination:
    """Examine an SVG in an encoding that holds ASCII; `examine_inside` examines a
    picture inside it.

    Raises ImageError when its markup cannot be followed.
    """
    if data.startswith(svgz.SIGNATURE):
        return svgz.examine(data, lambda drawing: examine(drawing, examine_inside))
    if b"\0" in data[:200]:
        raise ImageError("This SVG is written in an encoding that cannot be read.")
    doctype = _doctype(data)
    known = prefixes(data, doctype.entities)
    walk = Walk(data, examine_inside, known, doctype, Names(data))
    position = 0
    while (match := _TOKEN.search(data, position)) is not None:
        _text(walk, position, match.start())
        position = match.end()
        _token(walk, match)
    if walk.open or not walk.ended:
        raise ImageError("This SVG is cut off or damaged.")
    _text(walk, position, len(data))
    _declaration(walk)
    remarks = tuple(sorted(walk.remarks))
    plan = partial(_edits, walk)
    return Examination(Format.SVG, *walk.size, 1, tuple(walk.findings), plan, remarks)


def _doctype(data: bytes) -> svg_doctype.Doctype:
    for match in _TOKEN.finditer(data):
        if match["doctype"] is not None:
            return svg_doctype.read(match[0], match.start())
        if match["name"] is not None:
            break
    return svg_doctype.Doctype()


def _declaration(walk: Walk) -> None:
    """What the declaration of the document says goes, unless what stays refers to it."""
    doctype = walk.doctype
    pieces, position = [], doctype.start + len(doctype.text)
    for start, end, _ in walk.removals:
        if start >= position:
            pieces.append(walk.data[position:start])
            position = end
    rest = b"".join([*pieces, walk.data[position:]])
    for start, end, kind in svg_doctype.removals(doctype, rest):
        walk.remove(start, end, kind, "declaration of the document")


def _text(walk: Walk, start: int, end: int) -> None:
    """Characters between two tags."""
    if not walk.data[start:end].strip() or walk.removed_from is not None:
        return
    if not walk.with_text:
        if start or not walk.data.startswith(_BYTE_ORDER_MARK, start, end):
            walk.remove(start, end, Kind.UNKNOWN_DATA, "text that is not drawn")
    elif walk.open and _local(walk.open[-1][0]) == b"style":
        _style(walk, start, Value(b"style", walk.data[start:end], b""))


def _style(walk: Walk, start: int, value: Value) -> None:
    if _OUTSIDE.search(value.text):
        walk.remarks.add(_LOADS)
    walk.clean(start, value)


def _local(name: bytes) -> bytes:
    return name.rpartition(b":")[2]


def _token(walk: Walk, match: re.Match[bytes]) -> None:
    start, end = match.span()
    inside = walk.removed_from is not None
    if match["name"] is not None:
        _tag(walk, match)
    elif match["cdata"] is not None:
        _character_data(walk, match)
    elif match["comment"] is not None:
        if match["comment"].strip(b" ") and not inside:
            walk.remove(start, end, Kind.COMMENT, "comment", markup=bool(walk.open))
    elif match["instruction"] is not None:
        if not _is_instruction(match["instruction"]) and not inside:
            place = "processing instruction"
            walk.remove(start, end, Kind.UNKNOWN_DATA, place, markup=bool(walk.open))
    elif match["doctype"] is None or start != walk.doctype.start:
        raise ImageError("This SVG is cut off or damaged.")


def _is_instruction(text: bytes) -> bool:
    """Is it the XML declaration, or does it name a style sheet that others can load?"""
    if text.startswith(_STYLE_SHEET):
        return not re.search(rb"[\"']\s*(?:file:|data:|[A-Za-z]:[\\/])", text, re.IGNORECASE)
    return _DECLARATION.fullmatch(text) is not None


def _character_data(walk: Walk, match: re.Match[bytes]) -> None:
    if walk.removed_from is not None:
        return
    if not walk.with_text:
        walk.remove(*match.span(), Kind.UNKNOWN_DATA, "text that is not drawn")
    elif walk.open and _local(walk.open[-1][0]) == b"style":
        _style(walk, match.start("cdata"), Value(b"style", match["cdata"], None))


def _tag(walk: Walk, match: re.Match[bytes]) -> None:
    name, attributes = match["name"], match["attributes"]
    local = _local(name)
    if match["close"]:
        if not walk.open or walk.open.pop()[0] != name:
            raise ImageError("This SVG is damaged.")
        walk.with_text -= local in _WITH_TEXT
        _leave(walk, match.end())
        return
    if walk.ended:
        raise ImageError("This SVG holds more than one picture.")
    runs = local == b"script" and _is_run(attributes)
    if runs:
        walk.remarks.add(_RUNS)
    empty = attributes.endswith(b"/")
    default = _default(walk, attributes)
    is_data = local in _DESCRIBING or (local == b"script" and not runs)
    goes = is_data or not walk.is_drawn(name, default)
    if walk.removed_from is None and goes:
        walk.removed_from, walk.removed_depth = match.start(), len(walk.open)
    elif walk.removed_from is None:
        _attributes(walk, match.start("attributes"), attributes, name, default)
    if not empty:
        walk.open.append((name, default))
        walk.with_text += local in _WITH_TEXT
    if len(walk.open) > DEEPEST:
        raise ImageError("This SVG is nested too deeply.")
    if empty:
        _leave(walk, match.end())


def _is_run(attributes: bytes) -> bool:
    kind = _SCRIPT.search(attributes)
    return kind is None or _RUN.fullmatch(kind[1].strip().lower()) is not None


def _default(walk: Walk, attributes: bytes) -> bytes:
    """The namespace of names without a prefix from this tag on."""
    inherited = walk.open[-1][1] if walk.open else SVG
    if b"xmlns" not in attributes:
        return inherited
    for match in _ATTRIBUTE.finditer(attributes):
        if match[1] == b"xmlns":
            text = match[2] if match[2] is not None else match[3]
            said = svg_values.plain(Value(b"xmlns", text, b'"'), walk.doctype.entities)
            return said or SVG
    return inherited


def _leave(walk: Walk, end: int) -> None:
    """An element ended here; if it is the one that goes, it goes as a whole."""
    if walk.removed_from is not None and len(walk.open) == walk.removed_depth:
        walk.remove(walk.removed_from, end, Kind.EDIT_HISTORY, "metadata element", markup=True)
        walk.removed_from = None
    walk.ended = not walk.open


def _attributes(walk: Walk, start: int, text: bytes, element: bytes, default: bytes) -> None:
    is_root = not walk.open
    # A link is followed only by who clicks on it.
    opens = _local(element) != b"a"
    sizes: dict[bytes, int] = {}
    behind = 0
    for match in _ATTRIBUTE.finditer(text):
        name, group = match[1], 2 if match[2] is not None else 3
        value = match[group]
        if text[behind : match.start()].strip():
            raise ImageError("This SVG is damaged.")
        if not walk.stays(element, default, name, value):
            gap = text[behind : match.start()]
            first = behind if gap.isspace() else match.start()
            last = start + match.end()
            walk.remove(start + first, last, Kind.SOFTWARE, "attribute of an editor")
        elif _local(name) in svg_values.ADDRESSES and _ON_DISK.match(value):
            first, last = start + match.start(group), start + match.end(group)
            walk.remove(first, last, Kind.UNKNOWN_DATA, "path on a disk")
        else:
            _remark(walk, _local(name).lower(), value, opens=opens)
            quote = text[match.end() - 1 : match.end()]
            walk.clean(start + match.start(group), Value(_local(name), value, quote))
        behind = match.end()
        number = _DIMENSION.fullmatch(value)
        if is_root and name in {b"width", b"height"} and number:
            sizes[name] = int(number[1])
    if text[behind:].strip(_SPACES_AND_SLASH):
        raise ImageError("This SVG is damaged.")
    if is_root:
        walk.size = (sizes.get(b"width", 0), sizes.get(b"height", 0))


def _remark(walk: Walk, name: bytes, value: bytes, *, opens: bool) -> None:
    """Note an attribute that runs or loads something."""
    if name.startswith(b"on") or value.lstrip()[:11].lower() == b"javascript:":
        walk.remarks.add(_RUNS)
    if opens and name in _POINTERS and (_ADDRESS.match(value) or _OUTSIDE.search(value)):
        walk.remarks.add(_LOADS)


def _edits(walk: Walk, length: Length) -> tuple[Edit, ...]:
    edits = []
    for start, end, markup in walk.removals:
        size = end - start
        blank = b" " * size
        if markup and size >= _SHORTEST_COMMENT:
            # Spaces could show inside text; a comment of spaces cannot.
            blank = b"<!--" + b" " * (size - _SHORTEST_COMMENT) + b"-->"
        edits.append(Edit(start, end, b"" if length is Length.COMPACT else blank))
    for start, value in walk.values:
        edits.append(Edit(start, start + len(value.text), walk.cleaned(value, length)))
    return tuple(sorted(edits, key=lambda edit: edit.start))

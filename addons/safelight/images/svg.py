"""SVG (W3C SVG 2, Namespaces in XML 1.0): everything that is not drawn goes.

The document is walked once, tag by tag. Comments, processing instructions, `metadata` and what
belongs to editors' namespaces go; pictures inside are cleaned. Nothing is parsed into a tree or
fetched, and entities are not expanded.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from safelight.images.model import (
    Edit,
    Examination,
    Finding,
    Format,
    ImageError,
    Kind,
    Length,
    apply,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    type Examine = Callable[[bytes], Examination]

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
_PICTURE = re.compile(rb"data:image/[\w.+-]+;base64,([A-Za-z0-9+/=\s]+)")
_DRAWN = frozenset(
    {
        b"http://www.w3.org/2000/svg",
        b"http://www.w3.org/1999/xlink",
        b"http://www.w3.org/XML/1998/namespace",
        b"http://www.w3.org/2000/xmlns/",
        b"http://www.w3.org/1999/xhtml",
        b"http://www.w3.org/1998/Math/MathML",
    }
)
# SVG 2 section 5.7: descriptive elements are not drawn.
_DESCRIBING = frozenset({b"metadata", b"title", b"desc"})
_RUNS = "It runs a script where it is opened."
_LOADS = "It loads something from elsewhere, which tells that place who opens it and when."
_POINTERS = frozenset({b"href", b"src", b"style", b"fill", b"filter", b"mask", b"stroke"})
_ADDRESS = re.compile(rb"\s*(?:https?:)?//")
_OUTSIDE = re.compile(rb"url\(\s{0,9}[\"']?\s{0,9}(?:https?:)?//|@import\b")
_SHORTEST_COMMENT = len(b"<!---->")
_DIMENSION = re.compile(rb"\s*([0-9]{1,7})(?:\.[0-9]*)?\s*(?:px)?\s*")
DEEPEST = 5_000
MOST_REMOVALS = 100_000


@dataclass(slots=True)
class _Walk:
    data: bytes
    examine: Examine
    prefixes: dict[bytes, bytes]
    open: list[bytes] = field(default_factory=list)
    removed_from: int | None = None
    removed_depth: int = 0
    size: tuple[int, int] = (0, 0)
    findings: list[Finding] = field(default_factory=list)
    removals: list[tuple[int, int, bool]] = field(default_factory=list)
    pictures: list[tuple[int, int]] = field(default_factory=list)
    remarks: set[str] = field(default_factory=set)

    def remove(self, start: int, end: int, kind: Kind, place: str, *, markup: bool) -> None:
        self.findings.append(Finding(kind, place, start, end))
        self.removals.append((start, end, markup))
        if len(self.removals) > MOST_REMOVALS:
            raise ImageError("This SVG has too many parts.")

    def is_drawn(self, name: bytes) -> bool:
        prefix, colon, _ = name.partition(b":")
        return not colon or prefix in {b"xml", b"xmlns"} or self.prefixes.get(prefix) in _DRAWN


def examine(data: bytes, examine_inside: Examine) -> Examination:
    """Examine an SVG in an encoding that holds ASCII; `examine_inside` examines a
    picture inside it.

    Raises ImageError when its markup cannot be followed.
    """
    if b"\0" in data[:200]:
        raise ImageError("This SVG is written in an encoding that cannot be read.")
    walk = _Walk(data, examine_inside, _prefixes(data))
    position = 0
    while (match := _TOKEN.search(data, position)) is not None:
        position = match.end()
        _token(walk, match)
    if walk.open:
        raise ImageError("This SVG is cut off or damaged.")
    remarks = tuple(sorted(walk.remarks))
    plan = partial(_edits, walk)
    return Examination(Format.SVG, *walk.size, 1, tuple(walk.findings), plan, remarks)


def _prefixes(data: bytes) -> dict[bytes, bytes]:
    """Which namespace each prefix stands for; one that stands for two is refused."""
    found: dict[bytes, bytes] = {}
    for prefix, double, single in re.findall(
        rb"\bxmlns:([\w.-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", data
    ):
        namespace = double or single
        if found.setdefault(prefix, namespace) != namespace:
            raise ImageError("This SVG uses one name for two things.")
    return found


def _token(walk: _Walk, match: re.Match[bytes]) -> None:
    start, end = match.span()
    inside = walk.removed_from is not None
    if match["name"] is not None:
        _tag(walk, match)
    elif match["cdata"] is not None and _OUTSIDE.search(match["cdata"]):
        walk.remarks.add(_LOADS)
    elif match["comment"] is not None:
        if match["comment"].strip(b" ") and not inside:
            walk.remove(start, end, Kind.COMMENT, "comment", markup=True)
    elif match["instruction"] is not None:
        kept = match["instruction"].startswith((b"xml ", b"xml\t", b"xml\n", b"xml-stylesheet"))
        if not kept and not inside:
            walk.remove(start, end, Kind.UNKNOWN_DATA, "processing instruction", markup=True)
    elif match["cdata"] is None and match["doctype"] is None:
        raise ImageError("This SVG is cut off or damaged.")


def _tag(walk: _Walk, match: re.Match[bytes]) -> None:
    name, attributes = match["name"], match["attributes"]
    if match["close"]:
        if not walk.open or walk.open.pop() != name:
            raise ImageError("This SVG is damaged.")
        _leave(walk, match.end())
        return
    local = name.rpartition(b":")[2]
    if local == b"script":
        walk.remarks.add(_RUNS)
    if local == b"style" and _OUTSIDE.search(_text_behind(walk.data, match.end())):
        walk.remarks.add(_LOADS)
    empty = attributes.endswith(b"/")
    goes = local in _DESCRIBING or not walk.is_drawn(name)
    if walk.removed_from is None and goes:
        walk.removed_from, walk.removed_depth = match.start(), len(walk.open)
    elif walk.removed_from is None:
        # A link is followed only by who clicks on it.
        opens = local != b"a"
        _attributes(walk, match.start("attributes"), attributes, is_root=not walk.open, opens=opens)
    if not empty:
        walk.open.append(name)
    if len(walk.open) > DEEPEST:
        raise ImageError("This SVG is nested too deeply.")
    if empty:
        _leave(walk, match.end())


def _text_behind(data: bytes, position: int) -> bytes:
    end = data.find(b"<", position)
    return data[position : end if end >= 0 else len(data)]


def _leave(walk: _Walk, end: int) -> None:
    """An element ended here; if it is the one that goes, it goes as a whole."""
    if walk.removed_from is not None and len(walk.open) == walk.removed_depth:
        walk.remove(walk.removed_from, end, Kind.EDIT_HISTORY, "metadata element", markup=True)
        walk.removed_from = None


def _attributes(walk: _Walk, start: int, text: bytes, *, is_root: bool, opens: bool) -> None:
    sizes: dict[bytes, int] = {}
    behind = 0
    for match in _ATTRIBUTE.finditer(text):
        name, group = match[1], 2 if match[2] is not None else 3
        value = match[group]
        if not walk.is_drawn(name):
            gap = text[behind : match.start()]
            first = behind if gap.isspace() else match.start()
            last = start + match.end()
            walk.remove(start + first, last, Kind.SOFTWARE, "attribute of an editor", markup=False)
        else:
            _remark(walk, name.rpartition(b":")[2].lower(), value, opens=opens)
            shift = start + match.start(group)
            for picture in _PICTURE.finditer(value):
                _picture(walk, shift + picture.start(1), shift + picture.end(1))
        behind = match.end()
        number = _DIMENSION.fullmatch(value)
        if is_root and name in {b"width", b"height"} and number:
            sizes[name] = int(number[1])
    if is_root:
        walk.size = (sizes.get(b"width", 0), sizes.get(b"height", 0))


def _remark(walk: _Walk, name: bytes, value: bytes, *, opens: bool) -> None:
    """Note an attribute that runs or loads something."""
    if name.startswith(b"on") or value.lstrip()[:11].lower() == b"javascript:":
        walk.remarks.add(_RUNS)
    if opens and name in _POINTERS and (_ADDRESS.match(value) or _OUTSIDE.search(value)):
        walk.remarks.add(_LOADS)


def _picture(walk: _Walk, start: int, end: int) -> None:
    if _cleaned(walk, start, end, Length.SAME_LENGTH) is not None:
        walk.findings.append(Finding(Kind.UNKNOWN_DATA, "picture inside", start, end))
        walk.pictures.append((start, end))


def _cleaned(walk: _Walk, start: int, end: int, length: Length) -> bytes | None:
    """The picture's base64, cleaned; None when it is clean."""
    text = walk.data[start:end]
    try:
        content = base64.b64decode(re.sub(rb"\s", b"", text), validate=True)
    except binascii.Error as error:
        raise ImageError("A picture inside this SVG is damaged.") from error
    cleaned = apply(content, walk.examine(content).edits(length))
    if cleaned == content:
        return None
    written = base64.b64encode(cleaned)
    return written.ljust(len(text)) if length is Length.SAME_LENGTH else written


def _edits(walk: _Walk, length: Length) -> tuple[Edit, ...]:
    edits = []
    for start, end, markup in walk.removals:
        size = end - start
        blank = b" " * size
        if markup and size >= _SHORTEST_COMMENT:
            # Spaces could show inside text; a comment of spaces cannot.
            blank = b"<!--" + b" " * (size - _SHORTEST_COMMENT) + b"-->"
        edits.append(Edit(start, end, b"" if length is Length.COMPACT else blank))
    for start, end in walk.pictures:
        edits.append(Edit(start, end, _cleaned(walk, start, end, length) or b""))
    return tuple(sorted(edits, key=lambda edit: edit.start))

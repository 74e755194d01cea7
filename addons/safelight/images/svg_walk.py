"""What a walk through an SVG collects, and which of its names are drawn."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from safelight.images import svg_doctype, svg_values
from safelight.images.model import Finding, ImageError, Kind, Length
from safelight.images.svg_values import Value

if TYPE_CHECKING:
    from safelight.images.svg_names import Names
    from safelight.images.svg_values import Examine

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
SVG = b"http://www.w3.org/2000/svg"
_PREFIX = re.compile(rb"\bxmlns:([\w.-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
MOST_REMOVALS = 100_000


@dataclass(slots=True)
class Walk:
    """An SVG as it is walked: what is open, what goes, what was found."""

    data: bytes
    examine: Examine
    prefixes: dict[bytes, bytes]
    doctype: svg_doctype.Doctype
    names: Names
    # Names of the open elements, each with the namespace of names without a prefix.
    open: list[tuple[bytes, bytes]] = field(default_factory=list)
    ended: bool = False
    with_text: int = 0
    removed_from: int | None = None
    removed_depth: int = 0
    size: tuple[int, int] = (0, 0)
    findings: list[Finding] = field(default_factory=list)
    removals: list[tuple[int, int, bool]] = field(default_factory=list)
    values: list[tuple[int, Value]] = field(default_factory=list)
    remarks: set[str] = field(default_factory=set)

    def remove(self, start: int, end: int, kind: Kind, place: str, *, markup: bool = False) -> None:
        """Note something that goes. Raises ImageError when that is too much."""
        self.findings.append(Finding(kind, place, start, end))
        self.removals.append((start, end, markup))
        if len(self.removals) > MOST_REMOVALS:
            raise ImageError("This SVG has too many parts.")

    def is_drawn(self, name: bytes, default: bytes = SVG) -> bool:
        """Does a name stand in a namespace that is drawn? `default` is that of short names."""
        prefix, colon, local = name.partition(b":")
        if prefix == b"xmlns":
            return not colon or self.prefixes.get(local) in _DRAWN
        if not colon:
            return default in _DRAWN
        return prefix == b"xml" or self.prefixes.get(prefix) in _DRAWN

    def stays(self, element: bytes, default: bytes, name: bytes, value: bytes) -> bool:
        """Does an attribute of an element say how to draw? `default` is the namespace of names
        without a prefix."""
        prefix, colon, local = element.rpartition(b":")
        in_svg = (self.prefixes.get(prefix) if colon else default) == SVG
        return self.is_drawn(name) and self.names.is_needed(local, name, value, in_svg=in_svg)

    def clean(self, start: int, value: Value) -> None:
        """Note a value whose comments go or whose pictures are cleaned."""
        clean = self.cleaned(value, Length.SAME_LENGTH)
        if clean != value.text:
            end = start + len(value.text)
            picture = value.name != b"style" or b"data:" in value.text.lower()
            place = "picture inside" if picture else "comment in a style sheet"
            kind = Kind.UNKNOWN_DATA if picture else Kind.COMMENT
            self.findings.append(Finding(kind, place, start, end))
            self.values.append((start, value))

    def cleaned(self, value: Value, length: Length) -> bytes:
        """A value as it is to be. Raises ImageError."""
        return svg_values.cleaned(value, self.doctype.entities, self.examine, length)


def prefixes(data: bytes, entities: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """Which namespace each prefix stands for; one that stands for two is refused."""
    found: dict[bytes, bytes] = {}
    for match in _PREFIX.finditer(data):
        prefix, text = match[1], match[2] if match[2] is not None else match[3]
        namespace = svg_values.plain(Value(b"xmlns", text, b'"'), entities)
        if found.setdefault(prefix, namespace) != namespace:
            raise ImageError("This SVG uses one name for two things.")
    return found

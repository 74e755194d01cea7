"""Keys of a PDF's dictionaries: what a document, its pages and its pictures need of them, and what
tells where something stood (ISO 32000-2 sections 7.7, 7.11 and 8.9).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pikepdf import Name, Stream, String

from safelight.images.disk import PLACE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pikepdf import Object

_STREAM = frozenset({"/Length", "/Filter", "/DecodeParms", "/DL"})
_DOCUMENT = frozenset(
    {"/Type", "/Version", "/Extensions", "/Pages", "/PageLabels", "/Names", "/Dests", "/PageLayout"}
    | {"/ViewerPreferences", "/PageMode", "/Outlines", "/Threads", "/OpenAction", "/AA", "/URI"}
    | {"/AcroForm", "/StructTreeRoot", "/MarkInfo", "/Lang", "/OutputIntents", "/OCProperties"}
    | {"/Perms", "/Requirements", "/Collection", "/NeedsRendering", "/DSS", "/AF"}
)
_PAGE = frozenset(
    {"/Type", "/Parent", "/Resources", "/MediaBox", "/CropBox", "/BleedBox", "/TrimBox", "/ArtBox"}
    | {"/BoxColorInfo", "/Contents", "/Rotate", "/Group", "/B", "/Dur", "/Trans", "/Annots", "/AA"}
    | {"/StructParents", "/PZ", "/SeparationInfo", "/Tabs", "/TemplateInstantiated", "/PresSteps"}
    | {"/UserUnit", "/VP", "/AF", "/OutputIntents", "/Kids", "/Count"}
)
_PICTURE = _STREAM | {
    *("/Type", "/Subtype", "/Width", "/Height", "/ColorSpace", "/BitsPerComponent", "/Intent"),
    *("/ImageMask", "/Mask", "/Decode", "/Interpolate", "/Alternates", "/SMask", "/SMaskInData"),
    *("/StructParent", "/OC", "/Measure", "/PtData", "/AF", "/Matte"),
}
_NEEDED = {"/Catalog": _DOCUMENT, "/Page": _PAGE, "/Pages": _PAGE}
_TRAILER = _STREAM | {"/Type", "/Size", "/Root", "/ID", "/Encrypt", "/Prev", "/Index", "/W"}
_TRAILER |= {"/XRefStm"}
# Pages that were captured from the web, and where each came from.
_CAPTURED = ("/URLS", "/IDS")
_NAMED = frozenset({"/Dests", "/EmbeddedFiles", "/URLS"})
_PLACES = ("/F", "/UF", "/DOS", "/Unix", "/URI")
_ON_DISK = re.compile(rf"\s*(?!file:///file$)(?:{PLACE.decode()}|/?[A-Za-z][:|][\\/]|/[A-Za-z]/)")
_ELSEWHERE = "file:///file"


def unneeded(items: Mapping[str, Object]) -> list[str]:
    """Keys of a dictionary that nothing which is shown needs."""
    needed = _PICTURE if items.get("/Subtype") == Name.Image else None
    kind = items.get("/Type")
    if isinstance(kind, Name):
        needed = _NEEDED.get(str(kind), needed)
    found = [] if needed is None else [key for key in items if key not in needed]
    if not _NAMED.isdisjoint(items):
        found += [key for key in _CAPTURED if key in items]
    return found + [key for key, value in items.items() if _is_metadata(value)]


def unneeded_in_trailer(trailer: Object) -> list[str]:
    """Keys of a trailer, or of a stream of cross-references, that nobody reads."""
    return [key for key in trailer.keys() if key not in _TRAILER]  # noqa: SIM118 - not a dict


def _is_metadata(value: Object) -> bool:
    return isinstance(value, Stream) and value.get("/Type") == Name.Metadata


def places(items: Mapping[str, Object]) -> Iterator[tuple[str, String]]:
    """Keys that tell a folder on somebody's disk, with what they are to say instead."""
    for key in _PLACES:
        value = items.get(key)
        if isinstance(value, String) and _ON_DISK.match(str(value)):
            name = re.split(r"[\\/]", str(value).rstrip("\\/"))[-1]
            yield key, String(_ELSEWHERE if key == "/URI" else name)

"""Which members of an office document belong to it: in OOXML those that relationships lead to
(ECMA-376-2), in OpenDocument those that its manifest lists; and which of these are private.
"""

from __future__ import annotations

import posixpath
import re
from collections import deque
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable

_MANIFEST, _TYPES, _ROOT = b"META-INF/manifest.xml", b"[Content_Types].xml", "_rels/.rels"
_ATTRIBUTES = rb"(?:[^<>\"']++|\"[^\"]*+\"|'[^']*+')*+"
_RELATIONSHIP = re.compile(rb"<(?:\w+:)?Relationship\s%s>" % _ATTRIBUTES)
_ATTRIBUTE = re.compile(rb"\s([\w:.-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
# What nothing in the parts themselves refers to: data of programs and forms, previews, histories,
# labels, signatures of what was there before.
_PRIVATE = frozenset(
    {
        "customXml",
        "tags",
        "thumbnail",
        "changesInfo",
        "revisionInfo",
        "revisionHeaders",
        "usernames",
    }
    | {"classificationlabels", "recipientData", "origin", "webextensiontaskpanes"}
)
_PRIVATE_MEMBERS = re.compile(
    rb"(?:Configurations2|Thumbnails|Versions)/.*|layout-cache|manifest\.rdf|VersionList\.xml"
    rb"|META-INF/(?:document|macro)signatures\.xml"
)
_ENTRY = re.compile(rb"<manifest:file-entry\s%s>(?:\s*</manifest:file-entry>)?" % _ATTRIBUTES)
_OVERRIDE = re.compile(rb"<(?:\w+:)?Override\s%s>" % _ATTRIBUTES)


def superfluous(names: set[bytes], read: Callable[[bytes], bytes]) -> frozenset[bytes]:
    """The members that are private or belong to nothing; `read` gives the content of one."""
    if _TYPES in names and _ROOT.encode() in names:
        reached = _reached(names, read)
        has_content = any(not name.startswith((b"_rels/", b"docProps/")) for name in reached)
        return frozenset(names - {_TYPES} - reached) if has_content else frozenset()
    if _MANIFEST in names:
        listed = {_said(entry[0], b"full-path") for entry in _ENTRY.finditer(read(_MANIFEST))}
        needed = {name for name in names if name.decode("utf-8", "replace") in listed}
        needed = {name for name in needed if not _PRIVATE_MEMBERS.fullmatch(name)}
        kept = needed | {b"mimetype", _MANIFEST}
        return frozenset(names - kept) if b"content.xml" in needed else frozenset()
    return frozenset()


def _reached(names: set[bytes], read: Callable[[bytes], bytes]) -> set[bytes]:
    """Names of parts are the same in capitals, as everything in them is ASCII."""
    by_name = {name.decode("utf-8", "replace").lower(): name for name in names}
    reached: set[bytes] = set()
    pending = deque([_ROOT])
    while pending:
        found = by_name.get(pending.popleft())
        if found is None or found in reached:
            continue
        reached.add(found)
        folder, base = posixpath.split(found.decode("utf-8", "replace"))
        if folder.endswith("_rels") and base.endswith(".rels"):
            pending += _targets(read(found), posixpath.dirname(folder))
        else:
            pending.append(posixpath.join(folder, "_rels", base + ".rels").lower())
    return reached


def _targets(relationships: bytes, folder: str) -> list[str]:
    found = []
    for match in _RELATIONSHIP.finditer(relationships):
        if _said(match[0], b"TargetMode") != "External" and not _is_private(match[0]):
            target = unquote(_said(match[0], b"Target")).partition("#")[0]
            path = posixpath.normpath(posixpath.join("/", folder, target))
            found.append(path.lstrip("/").lower())
    return found


def _is_private(relationship: bytes) -> bool:
    return posixpath.basename(_said(relationship, b"Type")) in _PRIVATE


def _said(tag: bytes, name: bytes) -> str:
    """An attribute of a tag, by its name without a prefix."""
    for match in _ATTRIBUTE.finditer(tag):
        if match[1].rpartition(b":")[2] == name:
            text = match[2] if match[2] is not None else match[3]
            return unescape(text.decode("utf-8", "replace"))
    return ""


def without(name: bytes, content: bytes, gone: frozenset[bytes]) -> bytes:
    """A list of members without those that are `gone`; any other content as it is."""
    if name.endswith(b".rels"):
        return _RELATIONSHIP.sub(lambda one: b"" if _is_private(one[0]) else one[0], content)
    if name == _TYPES:
        return _OVERRIDE.sub(
            lambda one: b"" if _member(one[0], b"PartName") in gone else one[0], content
        )
    if name == _MANIFEST:
        return _ENTRY.sub(lambda one: b"" if _is_gone(one[0], gone) else one[0], content)
    return content


def _member(tag: bytes, name: bytes) -> bytes:
    return _said(tag, name).lstrip("/").encode()


def _is_gone(entry: bytes, gone: frozenset[bytes]) -> bool:
    path = _member(entry, b"full-path")
    return path in gone or _PRIVATE_MEMBERS.fullmatch(path) is not None

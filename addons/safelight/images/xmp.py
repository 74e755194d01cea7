"""XMP packets (ISO 16684-1): what kinds of things they tell, and the orientation some decoders
take from them.
"""

from __future__ import annotations

import re

import stringzilla

from safelight.images.model import Kind

_NAME = b"tiff:Orientation"
_ORIENTATION = re.compile(_NAME + rb"\s*(?:=\s*[\"']|>)\s*([0-9])")
_WORDS = {
    Kind.LOCATION: rb"GPS|Location|City|Country|geo:|Sublocation",
    Kind.CAPTURE_TIME: rb"DateTime|CreateDate|DateCreated|ModifyDate|MetadataDate",
    Kind.DEVICE: rb"tiff:M(?:ake|odel)|aux:Lens|crs:CameraProfile",
    Kind.DEVICE_SERIAL: rb"SerialNumber|ImageUniqueID",
    Kind.PERSON: rb"PersonInImage|mwg-rs:Regions|MP:RegionInfo|apple-fi:",
    Kind.AUTHOR: rb"dc:creator|dc:rights|photoshop:(?:Credit|AuthorsPosition|CaptionWriter)|Artist",
    Kind.SOFTWARE: rb"CreatorTool|softwareAgent|crs:",
    Kind.EDIT_HISTORY: rb"xmpMM:|History|DerivedFrom|DocumentAncestors|GImage:Data",
    Kind.THUMBNAIL: rb"xmp(?:GImg)?:(?:Thumbnails|image)",
    Kind.VOICE_OR_VIDEO: rb"MotionPhoto|MicroVideo|GAudio:",
    Kind.DEPTH_MAP: rb"GDepth|Profile/DepthMap|Device:Profiles",
    Kind.AI_PROMPT: rb"[Pp]rompt|DigitalSourceType",
    Kind.COMMENT: rb"dc:description|dc:title|dc:subject|photoshop:Headline|exif:UserComment",
}
_PATTERNS = {kind: re.compile(words) for kind, words in _WORDS.items()}


def kinds(packet: bytes) -> set[Kind]:
    """What kinds of things the packet tells; unknown data when it is none that is known."""
    found = {kind for kind, pattern in _PATTERNS.items() if pattern.search(packet)}
    return found or {Kind.UNKNOWN_DATA}


def orientation(packet: bytes) -> int | None:
    """The orientation 1 to 8 in the packet, if there is one."""
    first: int = stringzilla.find(packet, _NAME)
    match = _ORIENTATION.search(packet, first) if first >= 0 else None
    value = int(match[1]) if match else 0
    return value if 1 <= value <= 8 else None


def minimal(value: int | None) -> bytes:
    """A packet that says the orientation and nothing else; b"" when there is nothing to say."""
    if value is None or not 2 <= value <= 8:
        return b""
    return (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/"'
        b' tiff:Orientation="%d"/></rdf:RDF></x:xmpmeta>' % value
    )

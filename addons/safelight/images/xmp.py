"""XMP packets (ISO 16684-1): what kinds of things they tell, and the orientation some decoders
take from them.
"""

from __future__ import annotations

import re

import stringzilla

from safelight.images.model import Kind

_NAME = b"tiff:Orientation"
_ORIENTATION = re.compile(_NAME + rb"\s*(?:=\s*[\"']|>)\s*([0-9])")
# What stands in packets that tell such a thing.
_WORDS = {
    Kind.LOCATION: b"GPS Location City Country geo: Sublocation".split(),
    Kind.CAPTURE_TIME: b"DateTime CreateDate DateCreated ModifyDate MetadataDate".split(),
    Kind.DEVICE: b"tiff:Make tiff:Model aux:Lens crs:CameraProfile".split(),
    Kind.DEVICE_SERIAL: b"SerialNumber ImageUniqueID".split(),
    Kind.PERSON: b"PersonInImage mwg-rs:Regions MP:RegionInfo apple-fi:".split(),
    Kind.AUTHOR: b"dc:creator dc:rights photoshop:Credit photoshop:AuthorsPosition "
    b"photoshop:CaptionWriter Artist".split(),
    Kind.SOFTWARE: b"CreatorTool softwareAgent crs:".split(),
    Kind.EDIT_HISTORY: b"xmpMM: History DerivedFrom DocumentAncestors GImage:Data".split(),
    Kind.THUMBNAIL: b"xmp:Thumbnails xmp:image xmpGImg:Thumbnails xmpGImg:image".split(),
    Kind.VOICE_OR_VIDEO: b"MotionPhoto MicroVideo GAudio:".split(),
    Kind.DEPTH_MAP: b"GDepth Profile/DepthMap Device:Profiles".split(),
    Kind.AI_PROMPT: b"Prompt prompt DigitalSourceType".split(),
    Kind.COMMENT: b"dc:description dc:title dc:subject photoshop:Headline exif:UserComment".split(),
}


def kinds(packet: bytes) -> set[Kind]:
    """What kinds of things the packet tells; unknown data when it is none that is known."""
    found = {
        kind
        for kind, words in _WORDS.items()
        if any(stringzilla.find(packet, word) >= 0 for word in words)
    }
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

"""HDR gain maps in JPEG: a second picture that brightens the first on screens that can.

It stands behind the first picture, named by a multi-picture index (CIPA DC-007, "MPF"), and is
described by XMP (Ultra HDR 1.1, Apple) or ISO 21496-1 segments. It stays, with the numbers that
decoders need and nothing else.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

import piexif

MPF = b"MPF\0"
ISO_21496 = b"urn:iso:std:iso:ts:21496:-1\0"
INDEX_SIZE = 86  # bytes of an MPF payload as written here
_ENTRIES_TAG = 0xB002
_APPLE = b"Apple iOS\0\0\x01MM"
_APPLE_TAGS = (0x0021, 0x0030)  # HDR headroom, HDR gain
_APPLE_TYPE = b"urn:com:apple:photo:2020:aux:hdrgainmap"
_NAMESPACES = {
    b"hdrgm": b"http://ns.adobe.com/hdr-gain-map/1.0/",
    b"HDRGainMap": b"http://ns.apple.com/HDRGainMap/1.0/",
}
_NAME = (
    rb"(hdrgm:(?:Version|BaseRenditionIsHDR|GainMapM(?:in|ax)|Gamma|Offset[SH]DR|HDRCapacityM(?:in|ax))"
    rb"|HDRGainMap:HDRGainMap(?:Version|Headroom))"
)
_NUMBER = rb"[-+0-9.eE]{1,30}|[Tt]rue|[Ff]alse"
_ATTRIBUTE = re.compile(rb"\b" + _NAME + rb"\s*=\s*[\"'](" + _NUMBER + rb")[\"']")
_ELEMENT = re.compile(
    rb"<"
    + _NAME
    + rb">\s*((?:"
    + _NUMBER
    + rb")|<rdf:Seq>\s*(?:<rdf:li>(?:"
    + _NUMBER
    + rb")</rdf:li>\s*){1,3}</rdf:Seq>)"
    rb"\s*</\1>"
)
# Numbers of ISO 21496-1: versions, flags, headrooms, then five numbers for each channel.
_VERSIONS, _HEADROOMS, _OF_CHANNEL = 4, 16, 40
_THREE_CHANNELS, _ONE_DENOMINATOR = 0x80, 0x08
_LATER_VERSION = 299


@dataclass(frozen=True, slots=True)
class Index:
    """A multi-picture index of two: their attributes, and where the second one stands."""

    attributes: tuple[int, int]
    start: int
    end: int


def read_index(data: bytes, payload: int, end: int) -> Index | None:
    """The index in the MPF segment `data[payload:end]`, if it names one further JPEG."""
    base = payload + len(MPF)
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[base : base + 4])
    if order is None or base + 8 > end:
        return None
    (directory,) = struct.unpack_from(f"{order}I", data, base + 4)
    position = base + directory
    if position + 2 > end:
        return None
    (count,) = struct.unpack_from(f"{order}H", data, position)
    for entry in range(position + 2, min(position + 2 + 12 * count, end - 11), 12):
        tag, _, size, offset = struct.unpack_from(f"{order}HHII", data, entry)
        if tag == _ENTRIES_TAG and size >= 32 and base + offset + 32 <= end:
            return _second_of(data, base, base + offset, order)
    return None


def _second_of(data: bytes, base: int, entries: int, order: str) -> Index | None:
    first, *_ = struct.unpack_from(f"{order}I", data, entries)
    second, size, offset = struct.unpack_from(f"{order}III", data, entries + 16)
    start, end = base + offset, base + offset + size
    if not offset or end > len(data) or data[start : start + 3] != b"\xff\xd8\xff":
        return None
    return Index((first, second), start, end)


def index_payload(index: Index, first_size: int, second: tuple[int, int], base: int) -> bytes:
    """An MPF payload; `second` is the second picture's start and size, `base` where the payload's
    TIFF header will stand."""
    header = struct.pack(">2sHIH", b"MM", 42, 8, 3)
    version = struct.pack(">HHI4s", 0xB000, 7, 4, b"0100")
    number = struct.pack(">HHII", 0xB001, 4, 1, 2)
    entries = struct.pack(">HHII", _ENTRIES_TAG, 7, 32, 50)
    first = struct.pack(">IIIHH", index.attributes[0], first_size, 0, 0, 0)
    start, size = second
    further = struct.pack(">IIIHH", index.attributes[1], size, start - base, 0, 0)
    return MPF + header + version + number + entries + bytes(4) + first + further


def is_described(packet: bytes) -> bool:
    """Does an XMP packet of the second picture call it a gain map?"""
    return b"hdrgm:" in packet or b"HDRGainMap:" in packet or _APPLE_TYPE in packet


def is_apple(packet: bytes) -> bool:
    """Is it one of Apple's, which needs numbers of the first picture's Exif?"""
    return _APPLE_TYPE in packet


def iso_size(numbers: bytes) -> int:
    """How many bytes of an ISO 21496-1 description are read (annex C); later versions may say
    more. The first of two pictures only says the versions."""
    if numbers[2:_VERSIONS] != bytes(2):
        return _LATER_VERSION
    flags = numbers[_VERSIONS : _VERSIONS + 1]
    if not flags:
        return _VERSIONS
    channels = 3 if flags[0] & _THREE_CHANNELS else 1
    if flags[0] & _ONE_DENOMINATOR:
        return _VERSIONS + 1 + 4 + (_HEADROOMS + _OF_CHANNEL * channels) // 2
    return _VERSIONS + 1 + _HEADROOMS + _OF_CHANNEL * channels


def iso_payload(payload: bytes) -> bytes:
    """The payload of an ISO 21496-1 segment without what stands behind its numbers; its versions
    alone where these are cut off, since nobody can read them."""
    numbers = payload[len(ISO_21496) :]
    size = iso_size(numbers)
    if len(numbers) < size < _LATER_VERSION:
        size = _VERSIONS
    return ISO_21496 + numbers[:size]


def minimal_packet(packet: bytes) -> bytes:
    """The XMP of a gain map, with its numbers alone."""
    attributes = {m[1]: m[2] for m in _ATTRIBUTE.finditer(packet)}
    elements = {m[1]: m[0] for m in _ELEMENT.finditer(packet)}
    body = b"".join(elements.values())
    if _APPLE_TYPE in packet:
        body += b"<apdi:AuxiliaryImageType>" + _APPLE_TYPE + b"</apdi:AuxiliaryImageType>"
    written = b"".join(b' %s="%s"' % pair for pair in attributes.items())
    names = b"".join(
        b' xmlns:%s="%s"' % (prefix, uri)
        for prefix, uri in _NAMESPACES.items()
        if prefix + b":" in written + body
    )
    if _APPLE_TYPE in packet:
        names += b' xmlns:apdi="http://ns.apple.com/pixeldatainfo/1.0/"'
    return _packet(names + written, body)


def primary_packet(packet: bytes, second_size: int, orientation: int | None) -> bytes:
    """The XMP of the first picture, which says that there is a gain map and how long it is."""
    marked = b"hdrgm:Version" in packet
    directory = b"Container:Directory" in packet or b"Item:Semantic" in packet
    names, body = b"", b""
    if orientation is not None:
        names += b' xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="%d"' % orientation
    if marked:
        names += b' xmlns:hdrgm="' + _NAMESPACES[b"hdrgm"] + b'" hdrgm:Version="1.0"'
    if directory:
        names += (
            b' xmlns:Container="http://ns.google.com/photos/1.0/container/"'
            b' xmlns:Item="http://ns.google.com/photos/1.0/container/item/"'
        )
        body = b"<Container:Directory><rdf:Seq>%s%s</rdf:Seq></Container:Directory>" % (
            _item(b'Item:Semantic="Primary" Item:Mime="image/jpeg"'),
            _item(b'Item:Semantic="GainMap" Item:Mime="image/jpeg" Item:Length="%d"' % second_size),
        )
    return _packet(names, body) if names else b""


def _item(attributes: bytes) -> bytes:
    return b'<rdf:li rdf:parseType="Resource"><Container:Item %s/></rdf:li>' % attributes


def _packet(attributes: bytes, body: bytes) -> bytes:
    return (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description rdf:about=""%s>%s</rdf:Description></rdf:RDF></x:xmpmeta>'
        % (attributes, body)
    )


def headroom_note(tiff: bytes) -> bytes:
    """Apple's maker note with the two HDR numbers alone; b"" when there are none."""
    start = tiff.find(_APPLE)
    if start < 0:
        return b""
    note = tiff[start:]
    position = len(_APPLE)
    (count,) = struct.unpack_from(">H", note.ljust(position + 2, b"\0"), position)
    values: list[tuple[int, bytes]] = []
    for entry in range(position + 2, min(position + 2 + 12 * count, len(note) - 11), 12):
        tag, type_, size, offset = struct.unpack_from(">HHII", note, entry)
        value = note[offset : offset + 8]
        if tag in _APPLE_TAGS and (type_, size) == (10, 1) and len(value) == 8:
            values.append((tag, value))
    if not values:
        return b""
    data_start = position + 2 + 12 * len(values) + 4
    table = b"".join(
        struct.pack(">HHII", tag, 10, 1, data_start + 8 * number)
        for number, (tag, _) in enumerate(values)
    )
    data = b"".join(value for _, value in values)
    return _APPLE + struct.pack(">H", len(values)) + table + bytes(4) + data


def with_note(tiff: bytes, note: bytes) -> bytes:
    """A minimal TIFF structure that also holds the maker note."""
    if not note:
        return tiff
    block = piexif.load(b"Exif\0\0" + tiff) if tiff else {}
    exif = {**block.get("Exif", {}), piexif.ExifIFD.MakerNote: note}
    blocks = {"0th": block.get("0th", {}), "Exif": exif, "Interop": block.get("Interop", {})}
    dumped: bytes = piexif.dump(blocks)
    return dumped[6:]

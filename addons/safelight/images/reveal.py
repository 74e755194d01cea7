"""What a picture tells, value by value, for its owner's eyes only."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import piexif

from safelight.images import archive, exif_kinds, gif, iptc, pdf, png_text
from safelight.images.model import Detail, Finding, Format, ImageError, Kind
from safelight.images.sniff import sniff
from safelight.images.strip import examine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LONGEST_VALUE = 200
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_EXIF_TAGS = (
    ("0th", piexif.ImageIFD.Make, Kind.DEVICE, "maker"),
    ("0th", piexif.ImageIFD.Model, Kind.DEVICE, "model"),
    ("Exif", piexif.ExifIFD.LensModel, Kind.DEVICE, "lens"),
    ("Exif", piexif.ExifIFD.BodySerialNumber, Kind.DEVICE_SERIAL, "serial number"),
    ("Exif", piexif.ExifIFD.LensSerialNumber, Kind.DEVICE_SERIAL, "lens serial number"),
    ("Exif", piexif.ExifIFD.ImageUniqueID, Kind.DEVICE_SERIAL, "picture's unique id"),
    ("Exif", piexif.ExifIFD.DateTimeOriginal, Kind.CAPTURE_TIME, "taken"),
    ("0th", piexif.ImageIFD.DateTime, Kind.CAPTURE_TIME, "changed"),
    ("0th", piexif.ImageIFD.Artist, Kind.AUTHOR, "artist"),
    ("0th", piexif.ImageIFD.Copyright, Kind.AUTHOR, "copyright"),
    ("Exif", piexif.ExifIFD.CameraOwnerName, Kind.AUTHOR, "camera owner"),
    ("0th", piexif.ImageIFD.Software, Kind.SOFTWARE, "software"),
    ("0th", piexif.ImageIFD.ImageDescription, Kind.COMMENT, "description"),
    ("Exif", piexif.ExifIFD.UserComment, Kind.COMMENT, "comment"),
)
_XMP_PROPERTIES = (
    (rb"dc:creator", Kind.AUTHOR, "creator"),
    (rb"dc:rights", Kind.AUTHOR, "rights"),
    (rb"xmp:CreatorTool", Kind.SOFTWARE, "made with"),
    (rb"xmp:CreateDate", Kind.CAPTURE_TIME, "created"),
    (rb"photoshop:City", Kind.LOCATION, "city"),
    (rb"photoshop:Country", Kind.LOCATION, "country"),
    (rb"exif:GPSLatitude", Kind.LOCATION, "latitude"),
    (rb"exif:GPSLongitude", Kind.LOCATION, "longitude"),
    (rb"Iptc4xmpExt:PersonInImage", Kind.PERSON, "person"),
    (rb"mwg-rs:Name", Kind.PERSON, "face of"),
    (rb"dc:description", Kind.COMMENT, "description"),
    (rb"dc:title", Kind.COMMENT, "title"),
    (rb"aux:SerialNumber", Kind.DEVICE_SERIAL, "serial number"),
)
_IPTC_DATASETS = (
    (80, Kind.AUTHOR, "by"),
    (116, Kind.AUTHOR, "copyright"),
    (90, Kind.LOCATION, "city"),
    (101, Kind.LOCATION, "country"),
    (55, Kind.CAPTURE_TIME, "created"),
    (120, Kind.COMMENT, "caption"),
    (25, Kind.COMMENT, "keyword"),
    (5, Kind.COMMENT, "title"),
)


def reveal(data: bytes, findings: Iterable[Finding]) -> tuple[Detail, ...]:
    """The values behind the findings that examining `data` gave, as far as they can be read."""
    known = sniff(data)
    if known is Format.PDF:
        return _of_document(pdf.properties(data), pdf.pictures(data))
    if known is Format.ZIP:
        return _of_document(archive.properties(data), archive.pictures(data))
    details: dict[Detail, None] = {}
    for start, end, place in dict.fromkeys((f.start, f.end, f.place) for f in findings):
        for detail in _of_carrier(data[start:end], place, known):
            details.setdefault(detail)
    return tuple(details)


def _of_document(
    properties: Iterable[tuple[str, str]], pictures: Iterable[tuple[int, bytes]]
) -> tuple[Detail, ...]:
    details = [
        _detail(Kind.AUTHOR, "document properties", label, value.encode())
        for label, value in properties
    ]
    for number, content in pictures:
        try:
            inside = reveal(content, examine(content).findings)
        except ImageError:
            continue
        details += [
            replace(detail, place=f"file {number} inside: {detail.place}") for detail in inside
        ]
    return tuple(details)


def _of_carrier(carrier: bytes, place: str, known: Format | None) -> Iterator[Detail]:
    if place == "after the end of the picture":
        kind = Kind.VOICE_OR_VIDEO if b"ftyp" in carrier[:4096] else Kind.UNKNOWN_DATA
        yield Detail(kind, place, "size", f"{len(carrier)} bytes")
    if known is Format.PNG and place.endswith("chunk"):
        yield from _png_text(carrier, place)
    comment = _comment(carrier, place)
    if comment:
        yield _detail(Kind.COMMENT, place, "comment", comment)
    position = carrier.find(b"Photoshop 3.0\0")
    if position >= 0:
        yield from _iptc(iptc.iptc(carrier[position + 14 :]), place)
    tiff = re.search(rb"II\*\0|MM\0\*", carrier[:64])
    if tiff:
        yield from _exif(carrier[tiff.start() :], place)
    if b"<rdf:" in carrier:
        yield from _xmp(carrier, place)


def _exif(tiff: bytes, place: str) -> Iterator[Detail]:
    if not exif_kinds.is_intact(tiff):
        return  # piexif would trust its counts
    try:
        block = piexif.load(b"Exif\0\0" + tiff)
    except Exception:  # noqa: BLE001 - piexif raises whatever a damaged block makes it stumble on
        return
    for ifd, tag, kind, label in _EXIF_TAGS:
        value = block[ifd].get(tag)
        if isinstance(value, bytes) and value.strip(b"\0 "):
            text = value[8:] if tag == piexif.ExifIFD.UserComment else value
            yield _detail(kind, place, label, text)
    position = _position(block["GPS"])
    if position:
        yield Detail(Kind.LOCATION, place, "place", position)
    if block.get("thumbnail"):
        yield Detail(Kind.THUMBNAIL, place, "small copy", f"{len(block['thumbnail'])} bytes")


def _position(gps: dict[int, object]) -> str | None:
    """Decimal degrees, north and east positive."""
    latitude = _degrees(gps.get(piexif.GPSIFD.GPSLatitude))
    longitude = _degrees(gps.get(piexif.GPSIFD.GPSLongitude))
    if latitude is None or longitude is None:
        return None
    south = gps.get(piexif.GPSIFD.GPSLatitudeRef) == b"S"
    west = gps.get(piexif.GPSIFD.GPSLongitudeRef) == b"W"
    return f"{-latitude if south else latitude:.5f}, {-longitude if west else longitude:.5f}"


def _degrees(value: object) -> float | None:
    if not isinstance(value, tuple) or len(value) != 3:
        return None
    total = 0.0
    for part, unit in zip(value, (1, 60, 3600), strict=True):
        if not isinstance(part, tuple) or len(part) != 2 or not part[1]:
            return None
        total += part[0] / part[1] / unit
    return total


def _xmp(packet: bytes, place: str) -> Iterator[Detail]:
    for name, kind, label in _XMP_PROPERTIES:
        attribute = re.search(name + rb"\s*=\s*[\"']([^\"']{1,500})", packet)
        element = re.search(name + rb"[^>]{0,200}>(.{1,2000}?)</" + name, packet, re.DOTALL)
        value = attribute or element
        text = re.sub(rb"<[^>]*>", b" ", value[1]).strip() if value else b""
        if text:
            yield _detail(kind, place, label, text)


def _iptc(record: bytes, place: str) -> Iterator[Detail]:
    values = iptc.datasets(record)
    for number, kind, label in _IPTC_DATASETS:
        for value in values.get(number, ()):
            yield _detail(kind, place, label, value)


def _png_text(carrier: bytes, place: str) -> Iterator[Detail]:
    type_ = carrier[4:8]
    if type_ not in {b"tEXt", b"zTXt", b"iTXt"}:
        return
    payload = carrier[8:-4]
    keyword, text = png_text.read(type_, payload)
    if "<rdf:" in text:
        yield from _xmp(text.encode(), place)
        return
    kinds = png_text.kinds(type_, payload)
    for kind in sorted(kinds):
        yield _detail(kind, place, keyword, text.encode())


def _comment(carrier: bytes, place: str) -> bytes:
    if place == "comment segment":
        return carrier[4:]
    if place == "comment extension":
        return b"".join(gif.sub_blocks(carrier[2:]))
    return b""


def _detail(kind: Kind, place: str, label: str, value: bytes) -> Detail:
    return Detail(
        kind, place, _shown(label), _shown(value.rstrip(b"\0").decode("utf-8", "replace"))
    )


def _shown(text: str) -> str:
    """Short, and harmless to a terminal."""
    text = _CONTROL.sub(" ", text).strip()
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"

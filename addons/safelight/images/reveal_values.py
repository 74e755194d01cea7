"""What carriers of metadata say, value by value: Exif, XMP, IPTC, and text among other bytes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import piexif

from safelight.images import exif_kinds, iptc
from safelight.images.model import Detail, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    (rb"photoshop:Credit", Kind.AUTHOR, "credit"),
    (rb"xmp:CreatorTool", Kind.SOFTWARE, "made with"),
    (rb"xmp:CreateDate", Kind.CAPTURE_TIME, "created"),
    (rb"photoshop:DateCreated", Kind.CAPTURE_TIME, "taken"),
    (rb"Iptc4xmpCore:Location", Kind.LOCATION, "place"),
    (rb"photoshop:City", Kind.LOCATION, "city"),
    (rb"photoshop:State", Kind.LOCATION, "state"),
    (rb"photoshop:Country", Kind.LOCATION, "country"),
    (rb"exif:GPSLatitude", Kind.LOCATION, "latitude"),
    (rb"exif:GPSLongitude", Kind.LOCATION, "longitude"),
    (rb"Iptc4xmpExt:PersonInImage", Kind.PERSON, "person"),
    (rb"mwg-rs:Name", Kind.PERSON, "face of"),
    (rb"dc:description", Kind.COMMENT, "description"),
    (rb"dc:title", Kind.COMMENT, "title"),
    (rb"dc:subject", Kind.COMMENT, "keywords"),
    (rb"tiff:Make", Kind.DEVICE, "maker"),
    (rb"tiff:Model", Kind.DEVICE, "model"),
    (rb"aux:SerialNumber", Kind.DEVICE_SERIAL, "serial number"),
)
_IPTC_DATASETS = (
    (80, Kind.AUTHOR, "by"),
    (110, Kind.AUTHOR, "credit"),
    (116, Kind.AUTHOR, "copyright"),
    (122, Kind.AUTHOR, "caption by"),
    (92, Kind.LOCATION, "place"),
    (90, Kind.LOCATION, "city"),
    (95, Kind.LOCATION, "state"),
    (101, Kind.LOCATION, "country"),
    (55, Kind.CAPTURE_TIME, "created"),
    (105, Kind.COMMENT, "headline"),
    (120, Kind.COMMENT, "caption"),
    (25, Kind.COMMENT, "keyword"),
    (5, Kind.COMMENT, "title"),
)
_TEXT = re.compile(rb"(?:[\x20-\x7e]|[\xc3-\xf4][\x80-\xbf]{1,3}){6,}")
_MOST_TEXTS = 3
_MOSTLY = 0.8


def of_exif(tiff: bytes, place: str) -> Iterator[Detail]:
    """What the TIFF structure of an Exif block, or a TIFF file, says."""
    if not exif_kinds.is_intact(tiff):
        return  # piexif would trust its counts
    try:
        block = piexif.load(tiff)
    except Exception:  # noqa: BLE001 - piexif raises whatever a damaged block makes it stumble on
        return
    for ifd, tag, kind, label in _EXIF_TAGS:
        value = block[ifd].get(tag)
        if isinstance(value, bytes) and value.strip(b"\0 "):
            text = value[8:] if tag == piexif.ExifIFD.UserComment else value
            yield detail(kind, place, label, text)
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


def of_xmp(packet: bytes, place: str) -> Iterator[Detail]:
    """What an XMP packet says."""
    for name, kind, label in _XMP_PROPERTIES:
        attribute = re.search(name + rb"\s*=\s*[\"']([^\"']{1,500})", packet)
        element = re.search(name + rb"[^>]{0,200}>(.{1,2000}?)</" + name, packet, re.DOTALL)
        value = attribute or element
        text = re.sub(rb"(?:\s*<[^>]*>\s*)+", b", ", value[1]).strip(b", \r\n\t") if value else b""
        if text:
            yield detail(kind, place, label, text)


def of_iptc(record: bytes, place: str) -> Iterator[Detail]:
    """What an IPTC-IIM record says."""
    values = iptc.datasets(record)
    for number, kind, label in _IPTC_DATASETS:
        for value in values.get(number, ()):
            yield detail(kind, place, label, value)


def of_text(carrier: bytes, kind: Kind, place: str) -> Iterator[Detail]:
    """Text among other bytes: at most a few, which are mostly letters and digits."""
    found = 0
    for match in _TEXT.finditer(carrier):
        text = match[0].decode("utf-8", "replace").strip()
        readable = sum(one.isalnum() or one in " .,:-+/@" for one in text)
        if len(text) >= 6 and readable > _MOSTLY * len(text):
            yield detail(kind, place, "text", text.encode())
            found += 1
        if found == _MOST_TEXTS:
            return


def detail(kind: Kind, place: str, label: str, value: bytes) -> Detail:
    """A value as it can be shown: short, and harmless to a terminal."""
    return Detail(
        kind, place, _shown(label), _shown(value.rstrip(b"\0").decode("utf-8", "replace"))
    )


def _shown(text: str) -> str:
    text = _CONTROL.sub(" ", text).strip()
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"

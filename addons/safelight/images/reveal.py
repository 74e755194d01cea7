"""What a picture tells, value by value, for its owner's eyes only."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from safelight.images import archive, gif, heif_tables, iptc, pdf, png_text, reveal_values, tiff
from safelight.images.boxes import boxes
from safelight.images.model import Detail, Finding, Format, ImageError, Kind
from safelight.images.sniff import sniff
from safelight.images.strip import examine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_AFTER = "after the end of the picture"
_TEXT_CHUNKS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
_RAW_PROFILE = re.compile(r"\s*\w+\s+\d+\s+((?:[0-9a-f]{2}\s*)+)", re.IGNORECASE)
# Where the bytes are a picture or a recording, letters in them say nothing.
_NO_TEXT = frozenset({Kind.THUMBNAIL, Kind.DEPTH_MAP, Kind.VOICE_OR_VIDEO})
# What these say has been read from the contents of the item, or from the block inside.
_NO_TEXT_PLACES = frozenset({"Exif item", "XMP item", "ExifIFD tag", "PhotoshopInfo tag"})
_ICC_HEADER, _ICC_SIGNATURE = 128, 36
_SEGMENT_HEADER = 4


def reveal(data: bytes, findings: Iterable[Finding]) -> tuple[Detail, ...]:
    """The values behind the findings that examining `data` gave, as far as they can be read."""
    known = sniff(data)
    if known is Format.PDF:
        return _of_document(pdf.properties(data), pdf.pictures(data))
    if known is Format.ZIP:
        return _of_document(archive.properties(data), archive.pictures(data))
    carriers: dict[tuple[int, int, str], list[Kind]] = defaultdict(list)
    for finding in findings:
        carriers[finding.start, finding.end, finding.place].append(finding.kind)
    details: dict[Detail, None] = {}
    if known is Format.TIFF and carriers:
        details |= dict.fromkeys(reveal_values.of_exif(data, "tags"))
    if known in {Format.HEIF, Format.AVIF}:
        details |= dict.fromkeys(_of_items(data))
    for (start, end, place), kinds in carriers.items():
        if known is Format.TIFF and place.endswith(" tag"):
            carrier = _value_of_tag(data, start)
        else:
            carrier = data[start:end]
        found = list(_of_carrier(carrier, place, known))
        if not found and _NO_TEXT.isdisjoint(kinds) and place not in _NO_TEXT_PLACES:
            told = {detail.value for detail in details}
            texts = reveal_values.of_text(_without_head(carrier, place), kinds[0], place)
            found += [text for text in texts if text.value not in told]
        details |= dict.fromkeys(found)
    return tuple(details)


def _of_document(
    properties: Iterable[tuple[str, str]], pictures: Iterable[tuple[int, bytes]]
) -> tuple[Detail, ...]:
    details = [
        reveal_values.detail(Kind.AUTHOR, "document properties", label, value.encode())
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


def _of_items(data: bytes) -> Iterator[Detail]:
    meta = next((box for box in boxes(data, 0, len(data)) if box.type == b"meta"), None)
    if meta is None:
        return
    for item in heif_tables.read(data, meta).items.values():
        if item.type in {b"Exif", b"mime"}:
            place = "Exif item" if item.type == b"Exif" else "XMP item"
            content = b"".join(data[start:end] for start, end in item.extents[:1])
            yield from _of_block(content, place)


def _value_of_tag(data: bytes, position: int) -> bytes:
    try:
        return tiff.value_at(data, position)
    except ImageError:
        return b""


def _without_head(carrier: bytes, place: str) -> bytes:
    """What of it may be text for people: not a segment's length, nor a profile's numbers."""
    if place.startswith("APP"):
        carrier = carrier[_SEGMENT_HEADER:]
    signature = carrier.find(b"acsp") if place.endswith("profile") else -1
    return carrier if signature < 0 else carrier[signature + _ICC_HEADER - _ICC_SIGNATURE :]


def _of_carrier(carrier: bytes, place: str, known: Format | None) -> Iterator[Detail]:
    if place == _AFTER:
        kind = Kind.VOICE_OR_VIDEO if b"ftyp" in carrier[:4096] else Kind.UNKNOWN_DATA
        yield Detail(kind, place, "size", f"{len(carrier)} bytes")
        return
    yield from _of_block(carrier, place)
    if known is Format.PNG and carrier[4:8] in _TEXT_CHUNKS:
        yield from _of_text_chunk(carrier, place)
    comment = _comment(carrier, place)
    if comment:
        yield reveal_values.detail(Kind.COMMENT, place, "comment", comment)


def _of_block(carrier: bytes, place: str) -> Iterator[Detail]:
    position = carrier.find(b"Photoshop 3.0\0")
    resources = carrier[position + 14 :] if position >= 0 else carrier
    if resources.startswith(b"8BIM"):
        yield from reveal_values.of_iptc(iptc.iptc(resources), place)
    elif carrier.startswith(b"\x1c"):
        yield from reveal_values.of_iptc(carrier, place)
    header = re.search(rb"II\*\0|MM\0\*", carrier[:64])
    if header:
        yield from reveal_values.of_exif(carrier[header.start() :], place)
    if b"<rdf:" in carrier:
        yield from reveal_values.of_xmp(carrier, place)


def _of_text_chunk(carrier: bytes, place: str) -> Iterator[Detail]:
    type_, payload = carrier[4:8], carrier[8:-4]
    keyword, text = png_text.read(type_, payload)
    if "<rdf:" in text:
        yield from reveal_values.of_xmp(text.encode(), place)
        return
    profile = _RAW_PROFILE.fullmatch(text) if keyword.startswith("Raw profile type") else None
    if profile:
        content = bytes.fromhex(profile[1])
        yield from _of_block(content, place)
        return
    for kind in sorted(png_text.kinds(type_, payload)):
        yield reveal_values.detail(kind, place, keyword, text.encode())


def _comment(carrier: bytes, place: str) -> bytes:
    if place == "comment segment":
        return carrier[4:]
    if place == "comment extension":
        return b"".join(gif.sub_blocks(carrier[2:]))
    return b""

from __future__ import annotations

import pytest

from safelight.images import Kind, xmp

_TOLD = {
    b"<exif:GPSLatitude>48,51.5N</exif:GPSLatitude>": {Kind.LOCATION},
    b'<rdf:li Iptc4xmpExt:Sublocation="Marais"/>': {Kind.LOCATION},
    b'xmp:CreateDate="2026-05-04"': {Kind.CAPTURE_TIME},
    b'tiff:Make="Canon"': {Kind.DEVICE},
    b'aux:SerialNumber="1"': {Kind.DEVICE_SERIAL},
    b"<mwg-rs:Regions/>": {Kind.PERSON},
    b"<dc:creator/>": {Kind.AUTHOR},
    b'photoshop:CaptionWriter="Anna"': {Kind.AUTHOR},
    b'crs:Version="1"': {Kind.SOFTWARE},
    b'crs:CameraProfile="Portrait"': {Kind.SOFTWARE, Kind.DEVICE},
    b'xmpMM:InstanceID="1"': {Kind.EDIT_HISTORY},
    b"<xmpGImg:image>": {Kind.THUMBNAIL},
    b"<xmp:Thumbnails>": {Kind.THUMBNAIL},
    b'GCamera:MotionPhoto="1"': {Kind.VOICE_OR_VIDEO},
    b'GDepth:Near="1"': {Kind.DEPTH_MAP},
    b"<ai:prompt>": {Kind.AI_PROMPT},
    b"<ai:Prompt>": {Kind.AI_PROMPT},
    b"<dc:title/><dc:rights/>": {Kind.COMMENT, Kind.AUTHOR},
    b'tiff:Software="x"': {Kind.UNKNOWN_DATA},
    b"": {Kind.UNKNOWN_DATA},
}


@pytest.mark.parametrize(("packet", "told"), _TOLD.items())
def test_a_packet_tells_what_its_words_say(packet: bytes, told: set[Kind]) -> None:
    for before in (b"", b"<x/>" * 30_000):
        assert xmp.kinds(before + packet) == told


@pytest.mark.parametrize(
    ("packet", "orientation"),
    [
        (b'tiff:Orientation="6"', 6),
        (b"<tiff:Orientation>3</tiff:Orientation>", 3),
        (b"<!-- tiff:Orientation --> tiff:Orientation = '8'", 8),
        (b'tiff:Orientation="9"', None),
        (b'exif:Orientation="6"', None),
        (b"tiff:Orientation", None),
        (b"", None),
    ],
)
def test_the_first_orientation_with_a_number_counts(packet: bytes, orientation: int | None) -> None:
    assert xmp.orientation(packet) == orientation
    assert xmp.orientation(b"<x/>" * 30_000 + packet) == orientation

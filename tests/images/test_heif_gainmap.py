"""Apple's gain maps in HEIF: their numbers stay, and nothing beside them."""

from __future__ import annotations

import struct

import piexif
import pytest

from safelight import images
from safelight.images import Length
from tests.images.test_hidden_in_boxes import heif
from tests.images.test_jpeg_pair import apple_note
from tests.support import exiftool
from tests.support.hiding import CANARY, reveals_nothing
from tests.support.more_pictures import box, full

_MAP = b"urn:com:apple:photo:2020:aux:hdrgainmap\0"
_PACKET = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF'
    b' xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
    b' xmlns:HDRGainMap="http://ns.apple.com/HDRGainMap/1.0/"'
    b' HDRGainMap:HDRGainMapVersion="65536" HDRGainMap:HDRGainMapHeadroom="2.5">'
    b"<dc:creator>" + CANARY + b"</dc:creator></rdf:Description></rdf:RDF></x:xmpmeta>"
)


def photo(packet: bytes = _PACKET, kind: bytes = _MAP) -> bytes:
    headroom = (843).to_bytes(4) + (1000).to_bytes(4)
    note = apple_note((0x0011, 2, CANARY), (0x0021, 10, headroom), (0x0030, 10, headroom))
    block = {"0th": {271: CANARY}, "Exif": {piexif.ExifIFD.MakerNote: note}}
    items = (
        (1, b"hvc1", b"\0", b"PICTURE!"),
        (2, b"hvc1", b"\0", b"GAIN MAP"),
        (3, b"mime", CANARY + b"\0application/rdf+xml\0", packet),
        (4, b"Exif", b"\0", bytes(4) + piexif.dump(block)[6:]),
    )
    links = ((b"auxl", 2, 1), (b"cdsc", 3, 2), (b"cdsc", 4, 1))
    return heif(
        *items,
        properties=full(b"auxC", kind),
        property_boxes=full(b"ipma", struct.pack(">IHBB", 1, 2, 1, 2)),
        references=b"".join(box(how, struct.pack(">HHH", one, 1, two)) for how, one, two in links),
    )


@pytest.mark.parametrize("length", list(Length))
def test_the_numbers_of_a_gain_map_stay(length: Length) -> None:
    reveals_nothing(photo())
    cleaned = images.strip(photo(), length)
    assert b"GAIN MAP" in cleaned
    assert b'HDRGainMap:HDRGainMapHeadroom="2.5"' in cleaned
    report = exiftool.read({"photo.heic": cleaned})["photo.heic"]
    assert report["Apple:HDRHeadroom"] == pytest.approx(0.843)
    assert report["Apple:HDRGain"] == pytest.approx(0.843)
    assert exiftool.left_over(report) == set()


def test_without_a_gain_map_nothing_of_them_stays() -> None:
    reveals_nothing(photo(kind=b"urn:x\0"))
    cleaned = images.strip(photo(kind=b"urn:x\0"))
    assert b"Apple iOS" not in cleaned
    assert b"HDRGainMap" not in cleaned
    assert b"GAIN MAP" not in cleaned


def test_a_packet_without_numbers_goes() -> None:
    reveals_nothing(photo(b"<x>" + CANARY + b"</x>"))
    assert b"xmpmeta" not in images.strip(photo(b"<x>" + CANARY + b"</x>"))

"""JPEGs with an HDR gain map behind them."""

from __future__ import annotations

import io
import re
import struct

import piexif
import pytest
from PIL import Image

from safelight import images
from safelight.images import Length, gainmap
from tests.support import pictures

XMP = b"http://ns.adobe.com/xap/1.0/\0"
# ISO 21496-1: versions, flags, two headrooms, one channel.
ISO = (
    gainmap.ISO_21496 + bytes(5) + struct.pack(">4I", 0, 1, 5, 2) + struct.pack(">10I", *[0, 1] * 5)
)
HDRGM = b'xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/"'


def segment(marker: int, payload: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2) + payload


def with_segments(picture: bytes, *segments: bytes) -> bytes:
    return picture[:2] + b"".join(segments) + picture[2:]


def gain_map(room: int = 300, trailer: bytes = b"") -> bytes:
    small = io.BytesIO()
    pictures.pixels(32, 24).convert("L").save(small, "JPEG")
    packet = (
        b"<rdf:RDF><rdf:Description " + HDRGM + b' hdrgm:Version="1.0" hdrgm:GainMapMax="3.5"'
        b' hdrgm:Note="CANARY" hdrgm:Latitude="48.8584" dc:creator="CANARY">'
        b"<hdrgm:Gamma><rdf:Seq><rdf:li>0.9</rdf:li><rdf:li>1.1</rdf:li></rdf:Seq></hdrgm:Gamma></rdf:Description></rdf:RDF>"
    ) + b" " * room
    iso = segment(0xE2, ISO + b"CANARY") + segment(0xE2, ISO.replace(b"\0\1", b"\7\7"))
    secrets = segment(0xE1, pictures.exif(1)) + segment(0xFE, b"CANARY")
    whole = with_segments(small.getvalue(), segment(0xE1, XMP + packet), iso, secrets)
    return whole + trailer


def ultra_hdr(second: bytes, gap: bytes = b"", tail: bytes = b"") -> bytes:
    packet = (
        b"<rdf:RDF><rdf:Description " + HDRGM + b' hdrgm:Version="1.0" dc:creator="CANARY">'
        b'<Container:Directory><rdf:Seq><rdf:li><Container:Item Item:Semantic="GainMap"'
        b' Item:Length="%d"/></rdf:li></rdf:Seq></Container:Directory></rdf:Description></rdf:RDF>'
        % len(second)
    ) + b" " * 900
    versions = gainmap.ISO_21496 + bytes(4)
    front = segment(0xE1, pictures.exif(6)) + segment(0xE1, XMP + packet) + segment(0xE2, versions)
    index = gainmap.Index((0x030000, 0), 0, 0)
    base = 2 + len(front) + 8
    blank = segment(0xE2, gainmap.index_payload(index, 0, (base, 0), base))
    size = len(with_segments(pictures.clean_jpeg(), front, blank))
    where = (size + len(gap), len(second))
    mpf = segment(0xE2, gainmap.index_payload(index, size, where, base))
    return with_segments(pictures.clean_jpeg(), front, mpf) + gap + second + tail


def second_of(data: bytes) -> bytes:
    """The second picture, found as Pillow finds it."""
    index = Image.open(io.BytesIO(data))._getmp()  # type: ignore[attr-defined]
    entry = index[0xB002][1]
    start = data.index(gainmap.MPF) + len(gainmap.MPF) + entry["DataOffset"]
    return data[start : start + entry["Size"]]


@pytest.mark.parametrize("length", Length)
@pytest.mark.parametrize(("gap", "tail"), [(b"", b""), (b"", b"CANARY"), (b"CANARY", b"CANARY")])
def test_both_pictures_are_cleaned_and_stay_together(
    length: Length, gap: bytes, tail: bytes
) -> None:
    dirty = ultra_hdr(gain_map(trailer=b"CANARY inside"), gap, tail)
    cleaned = images.strip(dirty, length)
    assert not pictures.says_secrets(cleaned)
    assert pictures.same_pixels(dirty, cleaned)
    second = second_of(cleaned)
    assert pictures.same_pixels(gain_map(), second)
    assert images.examine(cleaned).orientation == 6
    assert b'hdrgm:GainMapMax="3.5"' in second
    assert b"<rdf:li>0.9</rdf:li><rdf:li>1.1</rdf:li>" in second
    assert b"Latitude" not in second
    assert cleaned.count(gainmap.ISO_21496) == 2
    assert segment(0xE2, gainmap.ISO_21496 + bytes(4)) in cleaned
    assert segment(0xE2, ISO) in second
    said = re.search(rb'Item:Length="(\d+)"', cleaned)
    assert said is not None
    assert int(said[1]) == len(second)
    assert (len(cleaned) == len(dirty)) is (length is Length.SAME_LENGTH)
    assert images.strip(cleaned, length) == cleaned


@pytest.mark.parametrize(
    ("numbers", "kept"),
    [
        *((bytes(4), 4), (b"\0\0\0\0CANARY", 4)),
        *((bytes(99), 61), (bytes(4) + b"\x80" + bytes(299), 141)),
        *((bytes(4) + b"\x08" + bytes(99), 37), (bytes(4) + b"\x88" + bytes(99), 77)),
        *((b"\0\1\0\1" + bytes(99), 103), (b"\0\1\0\1" + bytes(999), 299)),
    ],
)
def test_of_a_description_its_numbers_stay(numbers: bytes, kept: int) -> None:
    assert gainmap.iso_payload(gainmap.ISO_21496 + numbers) == gainmap.ISO_21496 + numbers[:kept]


def test_a_second_picture_that_is_no_gain_map_goes() -> None:
    other = with_segments(pictures.clean_jpeg(), segment(0xFE, b"CANARY"))
    assert gainmap.MPF not in images.strip(ultra_hdr(other))
    assert not pictures.says_secrets(images.strip(ultra_hdr(other), Length.SAME_LENGTH))


def test_a_gain_map_that_is_cut_off_goes() -> None:
    cleaned = images.strip(ultra_hdr(gain_map()[:-40]))
    assert gainmap.MPF not in cleaned
    assert not pictures.says_secrets(cleaned)


def test_a_gain_map_whose_numbers_do_not_fit_goes_rather_than_the_length() -> None:
    dirty = ultra_hdr(gain_map(room=0))
    cleaned = images.strip(dirty, Length.SAME_LENGTH)
    assert len(cleaned) == len(dirty)
    assert not pictures.says_secrets(cleaned)
    assert pictures.same_pixels(dirty, cleaned)
    assert gainmap.MPF in images.strip(dirty)


def test_findings_tell_the_two_apart() -> None:
    places = {finding.place for finding in images.examine(ultra_hdr(gain_map())).findings}
    assert {"APP1 Exif", "gain map, APP1 Exif", "gain map, comment segment"} <= places


def apple_note(*entries: tuple[int, int, bytes]) -> bytes:
    """A maker note of rational numbers and of texts."""
    table, data = b"", b""
    start = 14 + 2 + 12 * len(entries) + 4
    for tag, type_, value in entries:
        count = 1 if type_ == 10 else len(value)
        table += tag.to_bytes(2) + type_.to_bytes(2) + count.to_bytes(4)
        table += (start + len(data)).to_bytes(4)
        data += value
    return b"Apple iOS\0\0\x01MM" + len(entries).to_bytes(2) + table + bytes(4) + data


@pytest.mark.parametrize("length", Length)
def test_apples_headroom_stays(length: Length) -> None:
    headroom = (843).to_bytes(4) + (1000).to_bytes(4)
    note = apple_note((0x0011, 2, b"CANARY unique id"), (0x0021, 10, headroom))
    block = piexif.dump({"0th": {0x010F: b"CANARY"}, "Exif": {0x927C: note}})
    packet = (
        b"<apdi:AuxiliaryImageType>urn:com:apple:photo:2020:aux:hdrgainmap"
        b"</apdi:AuxiliaryImageType><HDRGainMap:HDRGainMapVersion>65536"
        b"</HDRGainMap:HDRGainMapVersion><x>CANARY</x>" + b" " * 300
    )
    second = with_segments(pictures.clean_jpeg(), segment(0xE1, XMP + packet))
    dirty = with_exif(ultra_hdr(second), block)
    cleaned = images.strip(dirty, length)
    assert not pictures.says_secrets(cleaned)
    kept = piexif.load(cleaned)["Exif"][0x927C]
    assert kept == apple_note((0x0021, 10, headroom))
    assert b"<HDRGainMap:HDRGainMapVersion>65536<" in second_of(cleaned)


def with_exif(pair: bytes, block: bytes) -> bytes:
    """The pair with another Exif block, of the same length as the one it had."""
    old = segment(0xE1, pictures.exif(6))
    new = segment(0xE1, block.ljust(len(old) - 4, b"\0"))
    assert len(new) == len(old)
    return pair.replace(old, new)

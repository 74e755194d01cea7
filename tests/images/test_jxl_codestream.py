"""JPEG XL codestreams: names of channels and frames, and what stands behind the last frame."""

from __future__ import annotations

import io
import random
import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from safelight import images
from safelight.images import Length, jxl_frames, jxl_headers
from safelight.images.jxl_bits import Bits
from safelight.images.model import ImageError
from tests.support import more_pictures as more
from tests.support.hiding import CANARY, drawn, reveals_nothing
from tests.support.more_pictures import box

if TYPE_CHECKING:
    from collections.abc import Callable

    from safelight.images.jxl_bits import Ways

_HEAD = box(b"JXL ", b"\r\n\x87\n") + box(b"ftyp", b"jxl \0\0\0\0jxl ")
NAME = CANARY[:15]


def encoded(mode: str, size: tuple[int, int] = (64, 48), **options: object) -> bytes:
    noise = np.random.default_rng(1).integers(0, 255, (*size[::-1], 3), dtype=np.uint8)
    output = io.BytesIO()
    Image.fromarray(noise).convert(mode).save(output, "JXL", **options)
    return output.getvalue()


class Places(Bits):
    """Notes where names stand, and where channels are described."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data, 2, len(data))
        self.places: list[int] = []
        self.channels = 0

    def name(self) -> None:
        self.places.append(self.position)
        super().name()

    def number(self, ways: Ways) -> int:
        value = super().number(ways)
        if ways == jxl_headers._CHANNELS and not self.channels:
            self.channels = self.position
        return value


def bits_of(data: bytes) -> str:
    return "".join(f"{byte:08b}"[::-1] for byte in data)


def bytes_of(bits: str) -> bytes:
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[at : at + 8][::-1], 2) for at in range(0, len(bits), 8))


def named(name: bytes) -> str:
    return "10" + f"{len(name):04b}"[::-1] + bits_of(name)


def with_named_frame(stream: bytes) -> bytes:
    places = Places(stream)
    jxl_headers.read(places)
    start = places.align()
    frame = jxl_frames.Frame(64, 48)
    assert not places.flag()
    jxl_frames._header(places, jxl_headers.read(Bits(stream, 2, len(stream))), frame)
    assert not places.flag()
    header_end, behind = places.position, places.align()
    at = places.places[-1]
    bits = bits_of(stream)
    header = bits[8 * start : at] + named(NAME) + bits[at + 2 : header_end]
    return stream[:start] + bytes_of(header) + stream[behind:]


def with_named_channel(stream: bytes) -> bytes:
    places = Places(stream)
    jxl_headers.read(places)
    header_end, behind = places.position, places.align()
    bits = bits_of(stream)
    at = places.channels
    assert bits[at] == "1"
    described = "0" + "00" + "000" + "00" + named(NAME) + "0"
    return bytes_of(bits[:at] + described + bits[at + 1 : header_end]) + stream[behind:]


STREAM = encoded("RGB", quality=80)
CHANNELS = encoded("RGBA", lossless=True)
NAMED = {"a frame": with_named_frame(STREAM), "a channel": with_named_channel(CHANNELS)}
WAYS: dict[str, Callable[[bytes], bytes]] = {
    "naked": lambda stream: stream,
    "in a box": lambda stream: _HEAD + box(b"jxlc", stream),
    "in parts": lambda stream: (
        _HEAD
        + box(b"jxlp", bytes(4), stream[:9])
        + box(b"jxlp", bytes(3), b"\1", stream[9:17])
        + box(b"jxlp", b"\x80\0\0\2", stream[17:])
    ),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("what", NAMED)
def test_names_go(what: str, way: str) -> None:
    hidden = WAYS[way](NAMED[what])
    assert drawn(hidden) is not None
    for length in Length:
        cleaned = images.strip(hidden, length)
        assert len(cleaned) == len(hidden)
        assert drawn(cleaned) == drawn(hidden)
        assert images.strip(cleaned, length) == cleaned
        assert bits_of(NAME[:4]) not in bits_of(cleaned)
        assert bits_of(NAME[:4]) in bits_of(hidden) or way == "in parts"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("stream", [STREAM, CHANNELS, *NAMED.values()])
def test_what_stands_behind_the_last_frame_goes(stream: bytes, way: str) -> None:
    reveals_nothing(images.strip(WAYS[way](stream)) and WAYS[way](stream + CANARY))


@pytest.mark.parametrize(
    ("mode", "size", "options"),
    [
        ("RGB", (64, 48), {"lossless": True}),
        ("RGB", (700, 300), {"quality": 30, "effort": 7}),
        ("RGBA", (300, 300), {"quality": 90}),
        ("L", (1000, 1), {"quality": 80}),
        ("RGB", (2100, 300), {"quality": 80, "effort": 3}),
    ],
)
def test_the_end_is_where_encoders_end(
    mode: str, size: tuple[int, int], options: dict[str, object]
) -> None:
    stream = encoded(mode, size, **options)
    bits = Bits(stream, 2, len(stream))
    assert jxl_frames.end_of_frames(bits, jxl_headers.read(bits)) == len(stream)
    for size_left in (len(stream) - 1, len(stream) // 2, 4):
        bits = Bits(stream, 2, size_left)
        with pytest.raises(ImageError):
            jxl_frames.end_of_frames(bits, jxl_headers.read(bits))


def test_a_picture_whose_end_is_not_known_stays_as_it_is() -> None:
    stream = more.saved("JXL", lossless=True)
    cut = stream[: len(stream) - 5]
    assert images.strip(cut) == cut


@pytest.mark.parametrize("way", ["naked", "in a box"])
@pytest.mark.parametrize("what", NAMED)
def test_names_go_on_their_way(what: str, way: str) -> None:
    hidden = WAYS[way](NAMED[what])
    cleaner = images.StreamCleaner(images.Format.JXL, len(hidden))
    cleaned = b"".join(cleaner.feed(hidden[at : at + 5]) for at in range(0, len(hidden), 5))
    cleaner.close()
    assert cleaned == images.strip(hidden, Length.SAME_LENGTH)
    assert cleaner.findings


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA"])
@pytest.mark.parametrize("size", [(1, 1), (64, 48), (700, 500)])
@pytest.mark.parametrize("options", [{"lossless": True}, {"quality": 60}, {"decoding_speed": 4}])
def test_every_beginning_of_one_is_known(
    mode: str, size: tuple[int, int], options: dict[str, object]
) -> None:
    data = encoded(mode, size, use_container=False, **options)
    for length in (2, 3, 4, 6, 8, 12, 20, 50, 1000, len(data)):
        assert images.sniff(data[:length]) is images.Format.JXL


def sound(chance: random.Random, loudness: int) -> bytes:
    samples = [int(chance.gauss(0, loudness)) for _ in range(960)]
    return struct.pack("<h960h", 0x0AFF, *samples)


@pytest.mark.parametrize("loudness", [300, 2_000, 6_000])
def test_sound_that_begins_with_its_signature_is_seldom_one_and_stays(loudness: int) -> None:
    """Two bytes are one number of sound: without more, each ten-thousandth message is a picture."""
    chance = random.Random(loudness)
    messages = [sound(chance, loudness) for _ in range(1_000)]
    taken = [message for message in messages if images.sniff(message) is images.Format.JXL]
    assert len(taken) < 120
    assert all(images.strip(message, Length.SAME_LENGTH) == message for message in taken)

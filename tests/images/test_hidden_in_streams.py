"""Places where nobody looks in JPEG and PNG: behind what a segment or a chunk needs, in chunks that
come twice or too late, in colour profiles whose parts are out of order.
"""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image

from safelight import images
from safelight.images import Length
from safelight.images.streaming import StreamCleaner
from tests.images.test_hidden_elsewhere import profile
from tests.support import more_pictures as more
from tests.support.hiding import CANARY, reveals_nothing, together


def chunk(type_: bytes, data: bytes) -> bytes:
    return (
        struct.pack(">I4s", len(data), type_) + data + struct.pack(">I", zlib.crc32(type_ + data))
    )


_PNG = more.saved("PNG")
_HEADER_END = 33
_PIXELS = _PNG.index(b"IDAT") - 4


def png(*inside: bytes, behind: bytes = b"") -> bytes:
    """A picture with chunks before its pixels, and with some behind them."""
    end = len(_PNG) - 12
    before = _PNG[:_HEADER_END] + b"".join(inside)
    return before + _PNG[_HEADER_END:end] + behind + _PNG[end:]


def indexed(*inside: bytes, palette: bytes) -> bytes:
    """A picture of 2 by 2 pixels of one bit each, with a palette."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 1, 3, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"\0\x40\0\x80"))
    coloured = chunk(b"PLTE", palette) + b"".join(inside)
    return _PNG[:8] + header + coloured + pixels + chunk(b"IEND", b"")


_SIZES = {b"cHRM": 32, b"gAMA": 4, b"sRGB": 1, b"sBIT": 3, b"cICP": 4, b"mDCV": 24, b"cLLI": 8}
_SIZES |= {b"pHYs": 9, b"oFFs": 9, b"sTER": 1, b"bKGD": 6, b"tRNS": 6, b"acTL": 8}
_TWO = bytes(3) + b"\xff\xff\xff"
_PROFILE = more.saved("PNG", icc_profile=profile(b"CANR", b"text"))
_ICCP = b"ICC\0\0" + zlib.compress(bytes(16)) + CANARY
_THRICE = CANARY.ljust(24)
PNG = {
    **{
        f"behind {type_.decode()}": png(
            chunk(type_, b"\0\0\0\1".ljust(size, b"\0")[:size] + CANARY)
        )
        for type_, size in _SIZES.items()
    },
    **{
        f"all of {type_.decode()}": png(chunk(type_, CANARY))
        for type_ in (b"sPLT", b"hIST", b"sCAL", b"npTc", b"npLb", b"npOl")
    },
    "a palette of a picture that has none": png(chunk(b"PLTE", _THRICE)),
    "colours behind the last": indexed(palette=_TWO + _THRICE),
    "transparency behind the last": indexed(chunk(b"tRNS", b"\0\0" + CANARY), palette=_TWO),
    "colours a second time": png(chunk(b"cHRM", bytes(32)), chunk(b"cHRM", CANARY.ljust(32))),
    "pixels a second time": png(behind=chunk(b"tEXt", b"a\0b") + chunk(b"IDAT", CANARY)),
    "a frame of no animation": png(behind=chunk(b"fdAT", bytes(4) + CANARY)),
    "control of no animation": png(behind=chunk(b"fcTL", CANARY.ljust(26))),
    "behind a profile": png(chunk(b"iCCP", _ICCP)),
}
_EARLY = indexed(palette=_TWO).replace(b"\0\0\0\6PLTE", chunk(b"tRNS", CANARY) + b"\0\0\0\6PLTE")
PNG_REFUSED = {
    "a second palette": indexed(chunk(b"PLTE", _THRICE), palette=_TWO),
    "a second header": png(chunk(b"IHDR", CANARY)),
    "transparency before the colours": _EARLY,
    "a frame without control": png(
        chunk(b"acTL", struct.pack(">II", 1, 0)),
        chunk(b"fcTL", bytes(26)),
        behind=chunk(b"fdAT", bytes(4) + CANARY),
    ),
}

_JPEG = more.saved("JPEG")


def segment(marker: int, payload: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", 2 + len(payload)) + payload


def jpeg(*inside: bytes) -> bytes:
    return _JPEG[:2] + b"".join(inside) + _JPEG[2:]


def enlarged(marker: int) -> bytes:
    start = _JPEG.index(bytes((0xFF, marker)))
    size = int.from_bytes(_JPEG[start + 2 : start + 4])
    grown = segment(marker, _JPEG[start + 4 : start + 2 + size] + CANARY)
    return _JPEG[:start] + grown + _JPEG[start + 2 + size :]


JPEG_REFUSED = {
    **{f"behind the tables of {one:02X}": enlarged(one) for one in (0xDB, 0xC0, 0xC4, 0xDA)},
    "a number of lines": jpeg(segment(0xDC, b"\0\x30" + CANARY)),
    "a number of lines at the end": _JPEG[:-2] + segment(0xDC, b"\0\x30" + CANARY) + _JPEG[-2:],
    "an interval": jpeg(segment(0xDD, bytes(2) + CANARY)),
    "conditioning": jpeg(segment(0xCC, CANARY * 4)),
    "a hierarchy": jpeg(segment(0xDE, CANARY)),
}


def parted(order: str) -> tuple[bytes, bytes]:
    """A picture whose profile is in three segments that stand in this order, and the profile."""
    whole = profile(b"CANR", b"text")
    parts = {"1": whole[:200], "2": whole[200:400], "3": whole[400:]}
    pieces = (segment(0xE2, b"ICC_PROFILE\0" + bytes((int(one), 3)) + parts[one]) for one in order)
    return jpeg(*pieces), whole


_CURVE = b"curv" + bytes(8)
_TABLES = {
    "a small table": (b"A2B0", b"mft1", b"\1\1\1".ljust(40, b"\0") + bytes(513)),
    "a large table": (b"A2B0", b"mft2", b"\1\1\1".ljust(40, b"\0") + b"\0\2\0\2" + bytes(10)),
    "curves": (b"A2B0", b"mAB ", struct.pack(">BBxx5I", 1, 1, 32, 0, 0, 0, 0) + _CURVE),
    "curves the other way": (
        b"B2A0",
        b"mBA ",
        struct.pack(">BBxx5I", 1, 1, 32, 44, 0, 92, 116)
        + _CURVE
        + bytes(48)
        # A table of two points of one byte each, then a curve.
        + b"\2".ljust(16, b"\0")
        + b"\1\0\0\0"
        + bytes(4)
        + _CURVE,
    ),
    "elements": (b"D2B0", b"mpet", struct.pack(">HHIII", 1, 1, 1, 24, 4) + bytes(4)),
    "a display's table": (b"vcgt", b"vcgt", struct.pack(">IHHH", 0, 1, 2, 1) + bytes(2)),
    "a display's formula": (b"vcgt", b"vcgt", struct.pack(">I", 1) + bytes(36)),
    "phosphors": (b"chrm", b"chrm", b"\0\1\0\0" + bytes(8)),
    "names of colours": (b"ncl2", b"ncl2", b""),
    "a table cut off": (b"A2B0", b"mft1", b""),
}


def with_table(name: str) -> bytes:
    tag, kind, body = _TABLES[name]
    return more.saved("PNG", icc_profile=profile(tag, kind.ljust(8, b"\0") + body))


def profile_of(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as image:
        found = image.info["icc_profile"]
    assert isinstance(found, bytes)
    return found


@pytest.mark.parametrize("length", Length)
@pytest.mark.parametrize("name", _TABLES)
def test_what_stands_behind_a_table_of_colours_goes(name: str, length: Length) -> None:
    hidden = with_table(name)
    assert CANARY in profile_of(hidden)
    left = profile_of(images.strip(hidden, length))
    assert CANARY not in left
    body = _TABLES[name][2]
    assert body in left


PROFILES = {f"a profile in the order {order}": parted(order)[0] for order in ("132", "321", "213")}

GOES = together(png=PNG, profile=PROFILES)
REFUSED = together(png=PNG_REFUSED, jpeg=JPEG_REFUSED)


@pytest.mark.parametrize("place", GOES)
def test_what_is_hidden_goes(place: str) -> None:
    reveals_nothing(GOES[place])


@pytest.mark.parametrize("place", REFUSED)
def test_what_readers_differ_about_is_refused(place: str) -> None:
    reveals_nothing(REFUSED[place], refused=True)


@pytest.mark.parametrize("order", ["123", "132", "321", "213"])
@pytest.mark.parametrize("length", Length)
def test_a_profile_stays_whatever_the_order_of_its_parts(order: str, length: Length) -> None:
    hidden, whole = parted(order)
    with Image.open(io.BytesIO(images.strip(hidden, length))) as image:
        kept = image.info["icc_profile"]
    straight = images.strip(jpeg(segment(0xE2, b"ICC_PROFILE\0\1\1" + whole)))
    with Image.open(io.BytesIO(straight)) as image:
        assert kept == image.info["icc_profile"]


def test_bytes_behind_the_data_of_a_profile_go() -> None:
    """In the way of a PNG's compressed profile, which is otherwise clean."""
    clean = images.strip(_PROFILE)
    start = clean.index(b"iCCP") - 4
    size = int.from_bytes(clean[start : start + 4])
    payload = clean[start + 8 : start + 8 + size]
    hidden = clean[:start] + chunk(b"iCCP", payload + CANARY) + clean[start + 12 + size :]
    reveals_nothing(hidden)


def test_nothing_of_this_passes_on_its_way() -> None:
    for place, hidden in {**GOES, **REFUSED}.items():
        known = images.sniff(hidden)
        assert known is not None
        cleaner = StreamCleaner(known, len(hidden))
        try:
            assert CANARY not in cleaner.feed(hidden), place
        except images.ImageError:
            continue


@pytest.mark.parametrize("options", [{"progressive": True}, {"restart_marker_rows": 1}, {}])
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_usual_tables_are_no_damage(mode: str, options: dict[str, bool | int]) -> None:
    target = io.BytesIO()
    Image.effect_noise((40, 24), 90).convert(mode).save(target, "JPEG", **options)
    assert images.strip(target.getvalue()) == target.getvalue()

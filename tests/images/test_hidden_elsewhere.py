"""Places where nobody looks in formats without boxes: WebP, BMP, icons, Photoshop, TIFF, colour
profiles; and files whose own lengths cannot be believed.
"""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image, ImageCms

from safelight import images
from safelight.images import Length
from tests.support import more_pictures as more
from tests.support import pictures
from tests.support.hiding import CANARY, drawn, reveals_nothing, together


def chunk(type_: bytes, data: bytes) -> bytes:
    return type_ + struct.pack("<I", len(data)) + data + bytes(len(data) & 1)


def riff(*chunks: bytes) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


_VP8L = more.saved("WEBP", lossless=True)[12:]
_VP8X = chunk(b"VP8X", bytes(4) + struct.pack("<I", 63)[:3] + struct.pack("<I", 47)[:3])
WEBP = {
    "a second picture": riff(_VP8X, _VP8L, chunk(b"VP8L", CANARY)),
    "transparency of nothing": riff(_VP8X, _VP8L, chunk(b"ALPH", CANARY)),
    "a frame of no animation": riff(_VP8X, _VP8L, chunk(b"ANMF", CANARY)),
    "a second profile": riff(_VP8X, chunk(b"ICCP", b"x"), chunk(b"ICCP", CANARY), _VP8L),
}
WEBP_REFUSED = {
    "a long header": riff(chunk(b"VP8X", _VP8X[8:] + CANARY), _VP8L),
    "a long animation header": riff(_VP8X, chunk(b"ANIM", bytes(6) + CANARY), _VP8L),
}


def bmp(
    pixels: bytes,
    *,
    bits: int,
    palette: bytes = b"",
    runs: int = 0,
    said: int = 0,
    more_fields: bytes = b"",
) -> bytes:
    """A bitmap of 4 by 4 pixels; `said` is how long its runs are, by its own word."""
    size, colours = 40 + len(more_fields), len(palette) // 4
    header = struct.pack("<IiiHHIIiiII", size, 4, 4, 1, bits, runs, said, 0, 0, colours, 0)
    header += more_fields
    start = 14 + len(header) + len(palette)
    size = start + len(pixels)
    return b"BM" + struct.pack("<IHHI", size, 0, 0, start) + header + palette + pixels


_RUNS = b"\4\1\0\0" * 3 + b"\4\2\0\1"
_GREY = bytes(value for grey in range(256) for value in (grey, grey, grey, 0))
BMP = {
    "a palette that is not drawn": bmp(bytes(range(48)), bits=24, palette=CANARY),
    "colours behind the last": bmp(bytes(16), bits=8, palette=_GREY + CANARY),
    "masks of pixels that need none": bmp(bytes(48), bits=24, more_fields=CANARY[:12]),
    "fields of OS/2": bmp(bytes(48), bits=24, more_fields=CANARY.ljust(24)),
    "primaries of sRGB": bmp(
        bytes(48), bits=24, more_fields=bytes(16) + b"BGRs" + CANARY.ljust(48, b"\0")
    ),
    "no profile": bmp(
        bytes(48), bits=24, more_fields=bytes(16) + b"BGRs" + bytes(52) + CANARY[:12]
    ),
    "behind the end of runs": bmp(_RUNS + CANARY, bits=8, palette=_GREY, runs=1),
}


def ico(*, header: int = 40, palette: bytes = b"", bits: int = 32, behind: bytes = b"") -> bytes:
    fields = struct.pack("<IiiHHIIiiII", header, 4, 8, 1, bits, 0, 0, 0, 0, len(palette) // 4, 0)
    pixels = bytes(range(2 * bits)) + bytes(16)
    bitmap = fields.ljust(header, b"\0") + palette + pixels + behind
    entry = struct.pack("<BBBBHHII", 4, 4, 0, 0, 1, bits, len(bitmap), 22)
    return struct.pack("<HHH", 0, 1, 1) + entry + bitmap


ICO_REFUSED = {
    "behind a mask that is drawn": ico(bits=24, behind=CANARY),
    "a header of another kind": ico(header=64).replace(bytes(24), CANARY.ljust(24), 1),
    "a palette that is not drawn": ico(palette=CANARY),
}


def resource(number: int, data: bytes, name: bytes = b"") -> bytes:
    named = bytes([len(name)]) + name
    named += bytes(len(named) & 1)
    return b"8BIM" + struct.pack(">H", number) + named + struct.pack(">I", len(data)) + data


def block(key: bytes, data: bytes) -> bytes:
    return b"8BIM" + key + struct.pack(">I", len(data)) + data


def layers(
    *blocks: bytes,
    name: bytes = b"Sky",
    mask: bytes = b"",
    ranges: bytes = b"",
    channel: bytes = bytes(6),
    all_masks: bytes = b"",
    behind: bytes = b"",
) -> bytes:
    """The section of one layer of 2 by 2 pixels."""
    named = bytes([len(name)]) + name
    named += bytes(-len(named) % 4)
    extra = b"".join(struct.pack(">I", len(part)) + part for part in (mask, ranges))
    extra += named + b"".join(blocks)
    shown = struct.pack(">4IHHI", 0, 0, 2, 2, 1, 0, len(channel)) + b"8BIMnorm\xff\0\0\0"
    record = shown + struct.pack(">I", len(extra)) + extra
    info = struct.pack(">h", 1) + record + channel
    info += bytes(len(info) & 1)
    masks = struct.pack(">I", len(all_masks)) + all_masks
    return struct.pack(">I", len(info)) + info + masks + behind


def psd(*, colours: bytes = b"", resources: bytes = b"", section: bytes = b"") -> bytes:
    header = b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, 2, 2, 8, 3)
    sections = b"".join(
        struct.pack(">I", len(part)) + part for part in (colours, resources, section)
    )
    return header + sections + b"\0\0" + bytes(range(12))


_NAME = struct.pack(">I", len(CANARY)) + CANARY.decode().encode("utf-16-be")
PSD = {
    "the name of a resource": psd(resources=resource(1005, bytes(16), CANARY)),
    "behind a resource": psd(resources=resource(1005, bytes(16) + CANARY)),
    "colours of no palette": psd(colours=CANARY),
    "the name of a layer": psd(section=layers(name=CANARY)),
    "the times of a layer": psd(section=layers(block(b"shmd", CANARY))),
    "an unknown block": psd(section=layers(block(b"zzzz", CANARY))),
    "the group of a layer": psd(resources=resource(1026, CANARY)),
    "behind guides": psd(resources=resource(1032, bytes(16) + CANARY)),
    "behind a transfer function": psd(resources=resource(1016, bytes(112) + CANARY)),
    "behind colours of channels": psd(resources=resource(1077, bytes(4 + 3 * 13) + CANARY + b".")),
    "behind the number of a layer": psd(section=layers(block(b"lyid", bytes(4) + CANARY))),
    "behind a section": psd(section=layers(block(b"lsct", bytes(16) + CANARY))),
    "behind a mask": psd(section=layers(mask=bytes(36) + CANARY)),
    "behind a mask with parameters": psd(
        section=layers(mask=bytes(17) + b"\x10\5" + bytes(20) + CANARY)
    ),
    "a short mask": psd(section=layers(mask=CANARY[:16])),
    "behind the blending": psd(section=layers(ranges=bytes(40) + CANARY)),
    "behind the mask of all layers": psd(section=layers(all_masks=bytes(13) + CANARY)),
    "behind raw pixels": psd(section=layers(channel=bytes(6) + CANARY)),
    "behind runs": psd(section=layers(channel=b"\0\1\0\2\0\2" + b"\xff\7" * 2 + CANARY)),
    "behind deflated pixels": psd(
        section=layers(channel=b"\0\2" + zlib.compress(bytes(4)) + CANARY)
    ),
    "an embedded file": psd(section=layers(behind=block(b"lnkD", pictures.jpeg()[:-2]))),
}

_WIDE_NAME = struct.pack(">I", 7) + "CANARY\0".encode("utf-16-be")
_PATTERN = struct.pack(">IIIHH", 60, 1, 3, 1, 1) + _WIDE_NAME + b"\4same" + bytes(25)
_GRADIENT = bytes(8) + b"Nm  TEXT" + _WIDE_NAME + b"tail"
NAMES = {
    "a layer": block(b"luni", _WIDE_NAME),
    "a pattern": block(b"Patt", _PATTERN),
    "a second pattern": block(b"Pat2", _PATTERN.replace(b"\0C\0A", b"\0X\0X") + _PATTERN),
    "a gradient": block(b"GdFl", _GRADIENT),
}

_ENTRIES = {256: 4, 257: 4, 259: 1, 262: 2, 277: 3, 278: 4}
_PIXELS = bytes(range(100, 148))
_WIDTHS = {3: 2, 4: 4, 11: 4}


def tiff(
    *tags: tuple[int, int, bytes], pixels: bytes = _PIXELS, said: int | None = None, scheme: int = 1
) -> bytes:
    """A page of 4 by 4 pixels with more `tags`: number, type, value."""
    size = len(pixels) if said is None else said
    values = {tag: (3, 1, struct.pack("<H", value)) for tag, value in _ENTRIES.items()}
    values[258] = (3, 3, struct.pack("<3H", 8, 8, 8))
    values[259] = (3, 1, struct.pack("<H", scheme))
    values[279] = (4, 1, struct.pack("<I", size))
    values |= {
        tag: (type_, len(value) // _WIDTHS.get(type_, 1), value) for tag, type_, value in tags
    }
    table_end = 8 + 2 + 12 * len(values | {273: ()}) + 4
    values.setdefault(273, (4, 1, struct.pack("<I", table_end)))
    rows, rest = b"", pixels + bytes(len(pixels) & 1)
    for tag, (type_, count, value) in sorted(values.items()):
        if len(value) > 4:
            rows += struct.pack("<HHII", tag, type_, count, table_end + len(rest))
            rest += value + bytes(len(value) & 1)
        else:
            rows += struct.pack("<HHI", tag, type_, count) + value.ljust(4, b"\0")
    return b"II*\0" + struct.pack("<IH", 8, len(values)) + rows + bytes(4) + rest


def segment(marker: int, data: bytes) -> bytes:
    return b"\xff" + bytes([marker]) + struct.pack(">H", 2 + len(data)) + data


_TABLES = b"\xff\xd8" + segment(0xE1, CANARY) + segment(0xFE, CANARY) + b"\xff\xd9"
_PNG_TEXT = b"tEXtComment\0" + CANARY
_PNG = more.saved("PNG")
_TEXT_CHUNK = (
    struct.pack(">I", len(_PNG_TEXT) - 4) + _PNG_TEXT + struct.pack(">I", zlib.crc32(_PNG_TEXT))
)
TIFF = {
    "behind the rows of a strip": tiff(pixels=_PIXELS + CANARY),
    "tables of JPEG": tiff((347, 7, _TABLES)),
    "behind tables of JPEG": tiff((347, 7, b"\xff\xd8\xff\xd9" + CANARY)),
    "a part that is a JPEG without an end": tiff(pixels=pictures.jpeg()[:-2], scheme=7),
    "a part that is a WebP": tiff(pixels=riff(_VP8X, _VP8L, chunk(b"EXIF", CANARY)), scheme=50001),
    "a part that is a JPEG 2000": tiff(
        pixels=more.saved("JPEG2000", comment=CANARY.decode(), no_jp2=True), scheme=34712
    ),
    "a part that is a PNG": tiff(pixels=_PNG[:-12] + _TEXT_CHUNK + _PNG[-12:], scheme=34933),
    **{
        f"tag {tag:#06x} of another kind": tiff((tag, 7, CANARY))
        for tag in (0x011A, 0x0140, 0x0150, 0x0200, 0x8214, 0x828D, 0xC614, 0xC624, 0xC740)
    },
}


def profile(tag: bytes, kind: bytes) -> bytes:
    """An sRGB profile with one more tag."""
    base = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    (count,) = struct.unpack_from(">I", base, 128)
    entries = [struct.unpack_from(">4sII", base, 132 + 12 * number) for number in range(count)]
    value = kind.ljust(8, b"\0") + CANARY.ljust(24, b"\0")
    moved = [(name, offset + 12, size) for name, offset, size in entries]
    moved.append((tag, len(base) + 12, len(value)))
    table = b"".join(struct.pack(">4sII", *entry) for entry in moved)
    body = base[4:128] + struct.pack(">I", count + 1) + table + base[132 + 12 * count :] + value
    return struct.pack(">I", len(body) + 4) + body


PROFILES = {
    f"{name} in a {format_}": more.saved(format_, icc_profile=profile(tag, kind))
    for format_ in ("JPEG", "PNG", "WEBP", "TIFF")
    for name, tag, kind in (
        ("an unknown tag", b"CANR", b"text"),
        ("a name", b"dmnd", b"mluc"),
        ("a colour that is a text", b"lumi", b"text"),
        ("behind a colour", b"bkpt", b"XYZ " + bytes(16)),
    )
}

ICO = {"behind a mask that is not drawn": ico(behind=CANARY)}
GOES = together(webp=WEBP, bmp=BMP, ico=ICO, psd=PSD, tiff=TIFF, profile=PROFILES)
REFUSED = together(webp=WEBP_REFUSED, ico=ICO_REFUSED)


@pytest.mark.parametrize("place", GOES)
def test_what_is_hidden_goes(place: str) -> None:
    reveals_nothing(GOES[place])


@pytest.mark.parametrize("place", REFUSED)
def test_what_readers_differ_about_is_refused(place: str) -> None:
    reveals_nothing(REFUSED[place], refused=True)


@pytest.mark.parametrize("length", Length)
@pytest.mark.parametrize("said", [0, 1, 10, 47, 48])
def test_rows_stay_whatever_a_tiff_says_about_their_length(said: int, length: Length) -> None:
    hidden = tiff((270, 2, CANARY), said=said)
    cleaned = images.strip(hidden, length)
    assert _PIXELS in cleaned
    assert CANARY not in cleaned
    assert drawn(cleaned) == drawn(hidden)


@pytest.mark.parametrize("length", Length)
@pytest.mark.parametrize("place", NAMES)
def test_names_in_layers_go(place: str, length: Length) -> None:
    named = psd(section=layers(NAMES[place]))
    wide = "CANARY".encode("utf-16-be")
    assert wide in named
    cleaned = images.strip(named, length)
    assert len(cleaned) == len(named)
    assert wide not in cleaned
    for shown in (b"same", b"tail"):
        assert (shown in cleaned) is (shown in named)
    assert images.strip(cleaned, length) == cleaned


def test_a_palette_may_be_short() -> None:
    colours = bytes(range(60))
    short = bytearray(bmp(bytes(range(15)) + b"\0", bits=8, palette=colours))
    struct.pack_into("<I", short, 46, 0)
    assert drawn(bytes(short)) is not None
    assert images.strip(bytes(short)) == short


@pytest.mark.parametrize("said", [0, 4, len(_RUNS)])
def test_runs_stay_whatever_a_bmp_says_about_their_length(said: int) -> None:
    hidden = bmp(_RUNS, bits=8, palette=_GREY, runs=1, said=said) + CANARY
    cleaned = images.strip(hidden)
    assert _RUNS in cleaned
    assert CANARY not in cleaned
    assert drawn(cleaned) == drawn(hidden)


def test_numbers_that_raw_pixels_need_stay() -> None:
    factors = struct.pack("<3f", 1.5, 0.25, 2.0)
    values = {0xCD33: (11, factors), 0xCD32: (11, factors), 0xC633: (11, factors[:4])}
    values |= dict.fromkeys((0xC6BF, 0xC71F, 0xCD43), (4, b"\x41\x42\x43\0"))
    for tag, (type_, value) in values.items():
        raw = tiff((50706, 1, b"\1\7\0\0"), (tag, type_, value))
        assert value in images.strip(raw)


def in_lab(data: bytes) -> bytes:
    """The picture's colours, as its profile has them seen."""
    with Image.open(io.BytesIO(data)) as image:
        own, lab = io.BytesIO(image.info["icc_profile"]), ImageCms.createProfile("LAB")
        converted = ImageCms.profileToProfile(image, own, lab, outputMode="LAB")
    assert converted is not None
    return converted.tobytes()


def test_colours_stay() -> None:
    hidden = PROFILES["an unknown tag in a PNG"]
    assert in_lab(images.strip(hidden)) == in_lab(hidden)

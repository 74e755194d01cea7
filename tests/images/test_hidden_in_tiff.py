"""Places where nobody looks in TIFF and DNG: values that no tag has, behind packed pixels, pages
that are not the picture; and files whose numbers are wrong or missing, which stay as they look.
"""

from __future__ import annotations

import io
import lzma
import struct
import zlib
from typing import TYPE_CHECKING

import pytest
import zstandard
from PIL import Image

from safelight import images
from safelight.images import Kind, Length, packed_ends
from tests.images.test_hidden_elsewhere import tiff
from tests.support import more_pictures as more
from tests.support import pictures
from tests.support.hiding import CANARY, drawn, reveals_nothing

if TYPE_CHECKING:
    from collections.abc import Callable

_PIXELS = bytes(range(100, 148))
_SCHEMES = {"tiff_lzw": 5, "tiff_adobe_deflate": 8, "packbits": 32773, "zstd": 50000}
_DNG = (50706, 1, b"\1\7\0\0")


def codes_of(scheme: str, image: Image.Image) -> bytes:
    """What libtiff makes of a picture in one strip."""
    target = io.BytesIO()
    image.save(target, "TIFF", compression=scheme, tiffinfo={278: image.height})
    data = target.getvalue()
    with Image.open(io.BytesIO(data)) as saved:
        tagged = saved.tag_v2  # type: ignore[attr-defined]
        [start], [size] = tagged[273], tagged[279]
    return data[start : start + size]


def packed(scheme: str, image: Image.Image) -> bytes:
    """A TIFF of one strip with CANARY behind the packed pixels."""
    sizes = ((256, image.width), (257, image.height), (278, image.height))
    tags = ((tag, 3, struct.pack("<H", size)) for tag, size in sizes)
    return tiff(*tags, pixels=codes_of(scheme, image) + CANARY, scheme=_SCHEMES[scheme])


def correction(number: int, size: int, behind: bytes = b"") -> bytes:
    body = bytes(size) + behind
    return struct.pack(">IIIII", 1, number, 0, 0, len(body)) + body


_NOISE = Image.effect_noise((40, 30), 90).convert("RGB")
_FLAT = Image.new("RGB", (300, 200), (9, 80, 7))
GOES = {
    **{
        f"tag {tag:#06x} as {name}": tiff((tag, type_, value))
        for tag in (0x00FE, 0x0107, 0x0118, 0x0129, 0x0152, 0x0205, 0x013F, 0x0154, 0xC635)
        for name, type_, value in (("shorts", 3, CANARY), ("an unknown type", 77, CANARY))
    },
    "a palette of no palette picture": tiff((320, 3, CANARY)),
    "an unknown correction": tiff(_DNG, (0xC740, 7, correction(99, 0, CANARY))),
    **{
        f"behind correction {number}": tiff(_DNG, (0xC74E, 7, correction(number, size, CANARY)))
        for number, size in ((1, 20), (3, 56), (4, 8), (5, 12), (6, 16), (7, 36), (8, 44), (9, 76))
    },
    "behind a table of gains": tiff(_DNG, (0xCD2D, 7, bytes(64) + CANARY)),
    "behind a second table of gains": tiff(_DNG, (0xCD40, 7, bytes(80) + CANARY)),
    "in the strip of a DNG": tiff(_DNG, (0xC634, 7, CANARY)),
    **{
        f"behind {scheme} of {name}": packed(scheme, image)
        for scheme in _SCHEMES
        for name, image in (("noise", _NOISE), ("one colour", _FLAT))
    },
}


@pytest.mark.parametrize("place", GOES)
def test_what_is_hidden_goes(place: str) -> None:
    reveals_nothing(GOES[place])


def with_page(
    *tags: tuple[int, int, int], sub: bool = True, first: tuple[tuple[int, int, bytes], ...] = ()
) -> bytes:
    """A page, and one of 4 by 4 grey pixels with `tags` in its SubIFDs or behind it."""
    placeholder = struct.pack("<I", 0xABCDEF01)
    main = tiff(*first, *([(330, 4, placeholder)] if sub else []))
    values = {254: (4, 0), 256: (4, 4), 257: (4, 4), 258: (3, 8), 259: (3, 1), 262: (3, 1)}
    values |= {277: (3, 1), 278: (4, 4), 279: (4, 16), 273: (4, len(main))}
    values |= {tag: (type_, value) for tag, type_, value in tags}
    rows = b"".join(struct.pack("<HHII", tag, type_, 1, value)
                    for tag, (type_, value) in sorted(values.items()))  # fmt: skip
    where = struct.pack("<I", len(main) + 16)
    if sub:
        main = main.replace(placeholder, where)
    else:
        (count,) = struct.unpack_from("<H", main, 8)
        link = 10 + 12 * count
        main = main[:link] + where + main[link + 4 :]
    return main + b"PRIVATE PIXELS!!" + struct.pack("<H", len(values)) + rows + bytes(4)


_DEPTH, _MASK = (262, 3, 51177), (262, 3, 52527)
_SMALLER = (254, 4, 1)


@pytest.mark.parametrize("length", Length)
@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (with_page(_SMALLER), Kind.THUMBNAIL),
        (with_page((254, 4, 3), sub=False), Kind.THUMBNAIL),
        (with_page(_DEPTH, first=(_DNG,)), Kind.DEPTH_MAP),
        (with_page(_MASK, first=(_DNG,)), Kind.DEPTH_MAP),
        (with_page(_DEPTH, sub=False, first=(_DNG,)), Kind.DEPTH_MAP),
    ],
)
def test_pages_that_are_not_the_picture_go(data: bytes, kind: Kind, length: Length) -> None:
    assert kind in {finding.kind for finding in images.examine(data).findings}
    cleaned = images.strip(data, length)
    assert b"PRIVATE" not in cleaned
    assert drawn(cleaned) == drawn(data)
    assert images.strip(cleaned, length) == cleaned


@pytest.mark.parametrize("data", [with_page(), with_page(sub=False), with_page(first=(_DNG,))])
def test_other_pages_stay(data: bytes) -> None:
    assert b"PRIVATE PIXELS!!" in images.strip(data)


def test_one_page_of_several_goes() -> None:
    both = struct.pack("<2I", 0xABCDEF01, 0xABCDEF02)
    main = tiff(_DNG, (330, 4, both))
    tables: list[bytes] = []
    for shows in (51177, 1):
        start = len(main) + len(b"".join(tables))
        fields = [(256, 3, 4), (257, 3, 4), (258, 3, 8), (259, 3, 1), (262, 3, shows)]
        fields += ((273, 4, start), (277, 3, 1), (278, 3, 4), (279, 3, 16))
        rows = b"".join(struct.pack("<HHII", tag, type_, 1, value) for tag, type_, value in fields)
        tables.append(b"%-16d" % shows + struct.pack("<H", len(fields)) + rows + bytes(4))
    offsets = (len(main) + 16, len(main) + len(tables[0]) + 16)
    data = main.replace(both, struct.pack("<2I", *offsets)) + b"".join(tables)
    for length in Length:
        cleaned = images.strip(data, length)
        assert b"%-16d" % 51177 not in cleaned
        assert b"%-16d" % 1 in cleaned
        with Image.open(io.BytesIO(cleaned)) as image:
            assert image.tag_v2[330] == (offsets[1],)  # type: ignore[attr-defined]


@pytest.mark.parametrize("tag", [(262, 3, 32803), (262, 3, 34892), (259, 3, 34713)])
def test_camera_raw_is_refused(tag: tuple[int, int, int]) -> None:
    number, type_, value = tag
    for data in (tiff((number, type_, struct.pack("<H", value))), with_page(tag)):
        with pytest.raises(images.ImageError, match="Camera RAW"):
            images.strip(data)
    assert images.strip(with_page(tag, first=(_DNG,)))


@pytest.mark.parametrize("tag", [256, 279, 259])
def test_numbers_that_are_no_numbers_are_refused(tag: int) -> None:
    with pytest.raises(images.ImageError, match="cannot be read"):
        images.strip(tiff((tag, 11, struct.pack("<f", 4.0))))


def test_two_answers_about_one_page_are_refused() -> None:
    data = tiff((274, 3, b"\6\0"), (297, 3, b"\3\0\0\0"))
    twice = data.replace(struct.pack("<HHI", 297, 3, 2), struct.pack("<HHI", 274, 3, 1))
    with pytest.raises(images.ImageError, match="two things"):
        images.strip(twice)


@pytest.mark.parametrize("length", Length)
def test_lengths_that_reach_too_far_are_no_harm(length: Length) -> None:
    data = tiff((270, 2, CANARY), said=1 << 30)
    cleaned = images.strip(data, length)
    assert CANARY not in cleaned
    assert _PIXELS in cleaned
    assert images.strip(cleaned, length) == cleaned


def test_a_part_that_was_never_written_is_no_damage() -> None:
    pixels = zlib.compress(_PIXELS[:16])
    places = (273, 4, struct.pack("<3I", 0xABCDEF01, 0, 0))
    sizes = (279, 4, struct.pack("<3I", len(pixels), 0, 0))
    data = tiff(places, sizes, (284, 3, b"\2\0"), pixels=pixels, scheme=8)
    data = data.replace(b"\1\xef\xcd\xab", struct.pack("<I", data.index(pixels)))
    assert pixels in images.strip(data)


def test_a_jpeg_without_a_length_is_found_in_its_strips() -> None:
    photo = more.saved("JPEG")
    plain = tiff(pixels=photo, scheme=6)
    start = struct.pack("<I", plain.index(photo) + 24)
    data = tiff((513, 4, start), (270, 2, CANARY), pixels=photo, scheme=6)
    assert photo in images.strip(data)
    with pytest.raises(images.ImageError, match="how long"):
        images.strip(tiff((513, 4, struct.pack("<I", 8)), pixels=photo, scheme=6))


def test_many_pages() -> None:
    target = io.BytesIO()
    pages = [Image.new("L", (2, 2), number % 256) for number in range(1_500)]
    pages[0].save(target, "TIFF", save_all=True, append_images=pages[1:])
    assert images.strip(target.getvalue(), Length.SAME_LENGTH)


@pytest.mark.parametrize("image", [_NOISE, _FLAT, pictures.pixels()])
def test_the_end_of_lzw_is_found(image: Image.Image) -> None:
    codes, size = codes_of("tiff_lzw", image), 3 * image.width * image.height
    assert packed_ends.ends_like_lzw(codes, 8, big_endian=True)
    assert not packed_ends.ends_like_lzw(codes + CANARY, 8, big_endian=True)
    for behind in (b"", CANARY):
        assert packed_ends.lzw(codes + behind, 8, size, big_endian=True) == len(codes)
        assert packed_ends.lzw(codes + behind, 8, 1 << 40, big_endian=True) == len(codes)
    assert packed_ends.lzw(codes[:-3], 8, 1 << 40, big_endian=True) is None


@pytest.mark.parametrize("size", [0, 1, 200, 70_000, 3_000_000])
@pytest.mark.parametrize("full", [True, False])
def test_the_end_of_zstandard_is_found(size: int, *, full: bool) -> None:
    compressor = zstandard.ZstdCompressor(write_content_size=full, write_checksum=not full)
    for content in (bytes(size), pictures.pixels().tobytes() * (size // 5_000)):
        frame = compressor.compress(content)
        found = packed_ends.zstandard(frame + CANARY, 0, len(frame) + len(CANARY))
        assert found == len(frame)
        assert packed_ends.zstandard(frame, 0, len(frame) - 1) is None


def test_the_end_of_deflate_is_found_within_bounds() -> None:
    stream = zlib.compress(bytes(5_000_000))
    find: Callable[[int], int | None] = lambda most: packed_ends.deflated(  # noqa: E731
        stream + CANARY, 0, len(stream) + len(CANARY), most
    )
    assert find(5_000_000) == len(stream)
    assert find(4_999_999) is None
    assert packed_ends.deflated(lzma.compress(b""), 0, 30, 100) is None

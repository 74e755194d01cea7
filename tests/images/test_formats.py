"""Formats whose parts are found by offsets or boxes: what goes, what stays, what is refused."""

from __future__ import annotations

import io
import struct

import pytest
from PIL import Image, ImageOps

from safelight import images
from safelight.images import Format, Kind, Length
from tests.support import exiftool, pictures
from tests.support import more_pictures as more

MADE = {
    Format.AVIF: more.avif(),
    Format.HEIF: more.heic(),
    Format.TIFF: more.tiff(),
    Format.JXL: more.jxl(),
    Format.JP2: more.jp2(),
    Format.BMP: more.bmp(),
    Format.ICO: more.ico(),
    Format.PSD: more.psd(),
    Format.SVG: more.svg(),
    Format.MP4: more.movie(),
}
UNDRAWN = {Format.SVG, Format.MP4, Format.PSD}


@pytest.mark.parametrize("length", Length)
@pytest.mark.parametrize("known", MADE)
def test_secrets_go(known: Format, length: Length) -> None:
    dirty = MADE[known]
    assert images.sniff(dirty) is known
    cleaned = images.strip(dirty, length)
    assert images.sniff(cleaned) is known
    assert not pictures.says_secrets(cleaned)
    assert len(cleaned) <= len(dirty)
    assert (length is Length.COMPACT) or len(cleaned) == len(dirty)
    assert images.strip(cleaned, length) == cleaned
    assert images.examine(cleaned).findings == ()


@pytest.mark.parametrize("length", Length)
@pytest.mark.parametrize("known", [known for known in MADE if known not in UNDRAWN])
def test_the_picture_looks_the_same(known: Format, length: Length) -> None:
    before, after = (
        ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
        for data in (MADE[known], images.strip(MADE[known], length))
    )
    assert before.size == after.size
    assert before.tobytes() == after.tobytes()


def test_exiftool_finds_nothing_private() -> None:
    files = {
        f"{known}-{length}.{known.extension}": images.strip(data, length)
        for known, data in MADE.items()
        for length in Length
        if known is not Format.MP4
    }
    left = {name: exiftool.left_over(tags) for name, tags in exiftool.read(files).items()}
    assert {name: tags for name, tags in left.items() if tags} == {}


@pytest.mark.parametrize("known", MADE)
def test_findings_are_named(known: Format) -> None:
    findings = images.examine(MADE[known]).findings
    assert findings
    for finding in findings:
        assert 0 <= finding.start <= finding.end <= len(MADE[known])
        assert "CANARY" not in finding.place


@pytest.mark.parametrize("known", MADE)
def test_cut_off_anywhere_is_refused_or_cleaned(known: Format) -> None:
    data = MADE[known]
    for end in range(0, len(data), max(1, len(data) // 150)):
        try:
            cleaned = images.strip(data[:end])
        except images.ImageError:
            continue
        assert images.examine(cleaned).findings == ()


def test_dimensions() -> None:
    for known in (Format.AVIF, Format.TIFF, Format.JP2, Format.BMP, Format.SVG,
                  Format.MP4, Format.ICO):  # fmt: skip
        examination = images.examine(MADE[known])
        assert (examination.width, examination.height) == (64, 48), known


def test_a_movies_pictures_stay_and_its_tracks_of_metadata_go() -> None:
    cleaned = images.strip(more.movie())
    assert b"picture samples!" in cleaned
    assert b"TIME" not in cleaned
    assert cleaned.count(b"trak") == 1
    kinds = {finding.kind for finding in images.examine(more.movie()).findings}
    assert {Kind.LOCATION, Kind.CAPTURE_TIME} <= kinds


def test_a_tiff_with_a_loop_and_one_with_many_pages() -> None:
    output = io.BytesIO()
    pages = [pictures.pixels().rotate(angle) for angle in (0, 90, 180)]
    pages[0].save(output, "TIFF", save_all=True, append_images=pages[1:])
    data = bytearray(output.getvalue())
    for length in Length:
        cleaned = Image.open(io.BytesIO(images.strip(bytes(data), length)))
        assert cleaned.n_frames == 3  # type: ignore[attr-defined]
    first = struct.unpack_from("<I", data, 4)[0]
    count = struct.unpack_from("<H", data, first)[0]
    struct.pack_into("<I", data, first + 2 + 12 * count, first)
    images.strip(bytes(data))


def test_a_thumbnail_in_a_tiff_page_that_is_a_jpeg_is_cleaned() -> None:
    inner = pictures.jpeg(1)
    entries = [
        (256, 4, 1, 64), (257, 4, 1, 48), (258, 3, 1, 8), (259, 3, 1, 7), (262, 3, 1, 6),
        (273, 4, 1, 200), (277, 3, 1, 3), (278, 4, 1, 48), (279, 4, 1, len(inner)),
    ]  # fmt: skip
    rows = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    data = b"II*\0" + struct.pack("<IH", 8, len(entries)) + rows + bytes(4)
    data = data.ljust(200, b"\0") + inner
    for length in Length:
        cleaned = images.strip(data, length)
        assert not pictures.says_secrets(cleaned)
        assert len(cleaned) == len(data)


def test_svg_keeps_what_is_drawn() -> None:
    for length in Length:
        cleaned = images.strip(more.svg(), length)
        assert b'<rect width="9" height="9" fill="red"/>' in cleaned
        assert b"xlink:href" in cleaned
    assert b"<text>ab</text>" in images.strip(more.svg())


@pytest.mark.parametrize(
    "data",
    [
        b"<svg>",
        b"<svg></g></svg>",
        b"<svg><g></svg></g>",
        b"<svg><!-- never ends</svg>",
        b'<svg xmlns:a="b"><g xmlns:a="c"/></svg>',
        b"<svg" + b"<g>" * 10_000,
        b'<svg><image href="data:image/png;base64,AAAA"/></svg>',
    ],
)
def test_svg_that_cannot_be_followed_is_refused(data: bytes) -> None:
    with pytest.raises(images.ImageError):
        images.examine(data)


SCRIPTS = "It runs a script where it is opened."
LOADS = "It loads something from elsewhere, which tells that place who opens it and when."


@pytest.mark.parametrize(
    ("inside", "remarks"),
    [
        (b'<rect fill="url(#a)"/><a href="https://a.example/"><text>x</text></a>', ()),
        (b"<script>1</script>", (SCRIPTS,)),
        (b'<rect onload="f()"/>', (SCRIPTS,)),
        (b'<a href="javascript:f()"/>', (SCRIPTS,)),
        (b'<image href="https://a.example/x.png"/>', (LOADS,)),
        (b'<image href="//a.example/x.png"/>', (LOADS,)),
        (b"<rect style=\"fill: url( 'http://a.example/x')\"/>", (LOADS,)),
        (b"<style>@import 'x.css';</style>", (LOADS,)),
        (b"<style><![CDATA[a{background:url(//a.example)}]]></style><script/>", (LOADS, SCRIPTS)),
    ],
)
def test_scripts_and_outside_references_are_reported(
    inside: bytes, remarks: tuple[str, ...]
) -> None:
    drawing = b'<svg xmlns="http://www.w3.org/2000/svg">' + inside + b"</svg>"
    examination = images.examine(drawing)
    assert set(examination.remarks) == set(remarks)
    assert images.strip(drawing) == drawing


def test_smaller_copies_of_a_tiff_page_go() -> None:
    output = io.BytesIO()
    page, copy = pictures.pixels(), pictures.pixels(16, 12)
    copy.encoderinfo = {"tiffinfo": {254: 1}}
    page.save(output, "TIFF", save_all=True, append_images=[copy, pictures.pixels(32, 24)])
    dirty = output.getvalue()
    assert Image.open(io.BytesIO(dirty)).n_frames == 3  # type: ignore[attr-defined]
    for length in Length:
        cleaned = images.strip(dirty, length)
        with Image.open(io.BytesIO(cleaned)) as image:
            assert image.n_frames == 2  # type: ignore[attr-defined]
            assert image.size == (64, 48)
            image.seek(1)
            assert image.size == (32, 24)
        assert copy.tobytes() not in cleaned
        assert images.strip(cleaned, length) == cleaned

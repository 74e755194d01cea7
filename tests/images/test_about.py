"""The table of formats says what the code does."""

from __future__ import annotations

import pytest

from safelight import images
from safelight.images import Format, Length, about
from tests import formats_page
from tests.support import documents, pictures
from tests.support import more_pictures as more

TRAILER = b"CANARY" * 100
MADE = {
    Format.JPEG: pictures.jpeg(),
    Format.PNG: pictures.png(),
    Format.WEBP: pictures.webp(),
    Format.GIF: pictures.gif(),
    Format.HEIF: more.heic(),
    Format.AVIF: more.avif(),
    Format.TIFF: more.tiff(),
    Format.JXL: more.jxl(),
    Format.JP2: more.jp2(),
    Format.BMP: more.bmp() + TRAILER,
    Format.ICO: more.ico() + TRAILER,
    Format.PSD: more.psd(),
    Format.SVG: more.svg(),
    Format.MP4: more.movie(),
    Format.PDF: documents.pdf(),
    Format.ZIP: documents.word(),
}


def test_the_page_is_current() -> None:
    assert formats_page.PAGE.read_text() == formats_page.text(), "run `make docs`"


def test_every_format_has_a_row() -> None:
    assert set(about.ABOUT) == set(Format)
    assert {known for known in Format if known.cleanable} == set(MADE)


@pytest.mark.parametrize("known", MADE)
def test_what_the_row_says_of_lengths_is_done(known: Format) -> None:
    before = MADE[known]
    compact = images.strip(before, Length.COMPACT)
    kept = images.strip(before, Length.SAME_LENGTH)
    assert len(kept) == len(before)
    row = about.ABOUT[known]
    if row.compact == about.CUTS:
        assert len(compact) < len(before)
    elif row.compact == about.BLANKS:
        assert compact == kept[: len(compact)]
    else:
        assert (row.compact, row.same_length) == (about.ANEW, about.FITS)
        assert known.is_document


def test_refused_formats_say_so() -> None:
    assert about.ABOUT[Format.RAW].compact == "refused"
    with pytest.raises(images.ImageError):
        images.strip(b"IIU\0" + bytes(100))

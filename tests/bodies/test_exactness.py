"""Where pictures say that they end."""

from __future__ import annotations

import pytest

from safelight.bodies import exactness
from safelight.examiner import PICTURES
from tests.support import more_pictures as more
from tests.support import pictures

EXACT = {
    "jpeg": pictures.jpeg(),
    "png": pictures.png(),
    "webp": pictures.webp(),
    "heic": more.heic(),
}


@pytest.mark.parametrize("kind", EXACT)
def test_most_formats_say_where_they_end(kind: str) -> None:
    photo = EXACT[kind]
    assert exactness.ends_exactly(memoryview(photo), PICTURES)
    assert not exactness.ends_exactly(memoryview(photo[:-1]), PICTURES)
    assert not exactness.ends_exactly(memoryview(photo + b"x" * 20), PICTURES)


@pytest.mark.parametrize("tail", [0, 1, 20, 64])
@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_a_short_tail_is_told_from_the_picture(kind: str, tail: int) -> None:
    photo = EXACT[kind]
    data = memoryview(photo + b"\2" * tail)
    assert exactness.exact_end(data, 64, PICTURES) == (len(photo) if tail < 64 else None)


@pytest.mark.parametrize("data", [b"", b"no picture", more.tiff() + bytes(200)])
def test_others_do_not(data: bytes) -> None:
    assert exactness.exact_end(memoryview(data), 64, PICTURES) is None

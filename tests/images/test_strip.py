from __future__ import annotations

import dataclasses
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight import images
from safelight.images import Edit, Kind, Length, apply
from safelight.images.model import moved
from safelight.policy.conditions import FindingKind, ImageType
from tests.support import more_pictures as more
from tests.support import pictures

if TYPE_CHECKING:
    from collections.abc import Callable

SEEDS = [
    *(pictures.jpeg(), pictures.png(), pictures.webp(), pictures.gif()),
    *(more.avif(), more.heic(), more.tiff(), more.jxl(), more.jp2()),
    *(more.bmp(), more.ico(), more.psd(), more.svg(), more.movie()),
]
STARTS = [seed[:16] for seed in SEEDS]


def check(data: bytes) -> None:
    """Whatever the bytes: cleaned for certain or refused, and nothing else."""
    for length in Length:
        try:
            cleaned = images.strip(data, length)
        except images.ImageError:
            continue
        assert len(cleaned) <= len(data)
        assert images.examine(cleaned).findings == ()
        assert images.strip(cleaned, length) == cleaned
        images.reveal(data, images.examine(data).findings)


@given(st.sampled_from(STARTS), st.binary(max_size=300))
def test_any_bytes(start: bytes, rest: bytes) -> None:
    check(start + rest)


@given(st.sampled_from(SEEDS), st.data())
def test_damaged_pictures(seed: bytes, data: st.DataObject) -> None:
    damaged = bytearray(seed)
    for _ in range(data.draw(st.integers(1, 6))):
        position = data.draw(st.integers(0, len(damaged) - 1))
        damaged[position] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, 40))
    check(bytes(damaged[: len(damaged) - cut]) + data.draw(st.binary(max_size=20)))


@given(st.sampled_from(SEEDS), st.data())
def test_pictures_with_pieces_moved(seed: bytes, data: st.DataObject) -> None:
    points = sorted(data.draw(st.lists(st.integers(0, len(seed)), min_size=3, max_size=3)))
    first, second, third = points
    check(seed[:first] + seed[second:third] + seed[first:second] + seed[third:])


def test_png_with_a_mended_checksum_of_every_chunk_type() -> None:
    """A flipped type bit in any chunk is removed, kept or refused, never a crash."""
    png = pictures.png()
    position = 8
    while position < len(png):
        length = int.from_bytes(png[position : position + 4])
        for bit in (0x20, 0x01):
            type_ = bytes([png[position + 4] ^ bit]) + png[position + 5 : position + 8]
            data = png[position + 8 : position + 8 + length]
            crc = zlib.crc32(type_ + data).to_bytes(4)
            end = position + 12 + length
            check(png[: position + 4] + type_ + data + crc + png[end:])
        position += 12 + length


def test_edits_must_be_in_order() -> None:
    assert apply(b"abcdef", [Edit(1, 2, b"X"), Edit(4, 4, b"Y")]) == b"aXcdYef"
    for edits in ([Edit(3, 4), Edit(1, 2)], [Edit(0, 9)], [Edit(1, 3), Edit(2, 4)], [Edit(2, 1)]):
        with pytest.raises(ValueError, match="overlap"):
            apply(b"abcdef", edits)


@given(st.lists(st.integers(0, 30), min_size=4, max_size=12), st.data())
def test_ranges_move_with_what_stands_before_them(points: list[int], data: st.DataObject) -> None:
    """Whatever is edited: a range that is said to be proven holds the bytes that it held before."""
    text = bytes(range(32))
    sides = sorted(points)
    pieces = list(zip(sides[::2], sides[1::2], strict=False))
    chosen = data.draw(st.lists(st.booleans(), min_size=len(pieces), max_size=len(pieces)))
    edits = [
        Edit(*one, b"-" * data.draw(st.integers(0, 3)))
        for one in pieces
        if data.draw(st.booleans())
    ]
    ranges = [one for one, is_chosen in zip(pieces, chosen, strict=True) if is_chosen]
    after = apply(text, edits)
    found = [after[start:end] for start, end in moved(ranges, edits)]
    touched = [(start, end) for start, end, _ in edits]
    untouched = [text[start:end] for start, end in ranges if (start, end) not in touched]
    assert [one for one in found if one] == [one for one in untouched if one]


def planned_as(edits: tuple[Edit, ...]) -> Callable[[Length], tuple[Edit, ...]]:
    return lambda _: edits


@pytest.mark.parametrize("seed", [pictures.jpeg(), pictures.png(), pictures.webp(), more.heic()])
@pytest.mark.parametrize("length", Length)
def test_what_is_left_over_is_noticed(seed: bytes, length: Length) -> None:
    """The result is read again: a plan that forgets something gives no picture."""
    examination = images.examine(seed)
    planned = examination.edits(length)
    for forgotten in range(len(planned)):
        edits = (*planned[:forgotten], *planned[forgotten + 1 :])
        careless = dataclasses.replace(examination, plan=planned_as(edits))
        if edits:
            with pytest.raises(images.ImageError):
                images.clean(seed, careless, length)


def carelessly(seed: bytes, edits: list[Edit], length: Length) -> bytes | None:
    """What comes of a picture whose plan is this one; None where it is refused."""
    careless = dataclasses.replace(images.examine(seed), plan=planned_as(tuple(sorted(edits))))
    try:
        return images.clean(seed, careless, length)
    except (images.ImageError, ValueError):
        return None


@pytest.mark.parametrize("seed", [pictures.jpeg(), pictures.png(), pictures.webp()])
@pytest.mark.parametrize("length", Length)
@pytest.mark.parametrize("put", [b"", b"!", b"!!"])
def test_an_edit_of_pixels_is_noticed(seed: bytes, length: Length, put: bytes) -> None:
    examination = images.examine(seed)
    planned = list(examination.edits(length))
    assert carelessly(seed, planned, length) == images.strip(seed, length)
    [(start, end)] = examination.proven
    for position in (start, (start + end) // 2, end - 1):
        touching = Edit(position, position + 1, put)
        assert carelessly(seed, [*planned, touching], length) is None
    assert carelessly(seed, [*planned, Edit(start, end, put)], length) is None


@pytest.mark.parametrize("seed", [pictures.jpeg(), pictures.webp()])
@pytest.mark.parametrize("length", Length)
@pytest.mark.parametrize(("first", "last"), [(-1, -1), (1, 1), (0, -1), (1, 0), (0, 1), (-1, 0)])
def test_an_edit_in_the_wrong_place_does_no_harm(
    seed: bytes, length: Length, first: int, last: int
) -> None:
    """It is noticed, or leaves nothing but a fill byte."""
    planned = list(images.examine(seed).edits(length))
    for index, edit in enumerate(planned):
        start, end = edit.start + first, edit.end + last
        put = edit.replacement
        if length is Length.SAME_LENGTH:
            put = put[: end - start].ljust(end - start, b"\0")
        edits = [*planned[:index], Edit(start, end, put), *planned[index + 1 :]]
        result = carelessly(seed, edits, length)
        if result is not None:
            assert result.replace(b"\xff\xff", b"\xff") == images.strip(seed, length)


def test_pictures_that_cannot_be_cleaned_say_so() -> None:
    with pytest.raises(images.ImageError, match="Camera RAW"):
        images.examine(b"II*\0\x10\0\0\0CR\2\0" + bytes(20))
    with pytest.raises(images.ImageError, match="not a picture"):
        images.examine(b"hello")


def test_policies_know_every_kind_and_format() -> None:
    assert set(ImageType.__value__.__args__) == {str(known) for known in images.Format}
    assert set(FindingKind.__value__.__args__) == {str(kind) for kind in Kind}

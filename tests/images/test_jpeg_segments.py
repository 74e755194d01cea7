from __future__ import annotations

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight import images
from safelight.images import Length, jpeg_segments
from tests.support import pictures

_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
# Scans are looked at in pieces that end here, counted from where the scan starts.
_BORDERS = (131_072, 131_072 + 262_144, 131_072 + 2 * 262_144)


@given(st.lists(st.sampled_from([0x00, 0x01, 0x7F, 0xD0, 0xD7, 0xD8, 0xD9, 0xE1, 0xFF])))
def test_a_marker_is_found_where_the_rule_says(codes: list[int]) -> None:
    data = bytes(codes)
    match = _MARKER.search(data)
    assert jpeg_segments.marker_in_scan(data) == (match.start() if match else None)


@pytest.mark.parametrize("border", _BORDERS)
@pytest.mark.parametrize("shift", range(-3, 3))
def test_a_marker_across_two_pieces_is_found(border: int, shift: int) -> None:
    before = b"\xff\0" + b"\x55" * (border + shift - 4) + b"\xff\xd3"
    data = b"start" + before + b"\xff\xe1" + b"\x55" * 400_000
    assert jpeg_segments.marker_in_scan(data, 5) == 5 + len(before)
    assert jpeg_segments.marker_in_scan(before, 0) is None


@pytest.mark.parametrize("length", Length)
@pytest.mark.parametrize("border", _BORDERS)
@pytest.mark.parametrize("shift", range(-2, 2))
def test_a_segment_hidden_behind_a_long_scan_goes(border: int, shift: int, length: Length) -> None:
    clean = pictures.clean_jpeg()
    [(_, end)] = jpeg_segments.walk(clean).coded
    start = jpeg_segments.end_of_segment(clean, clean.index(b"\xff\xda"))
    longer = clean[:-2] + bytes(border + shift - (end - start))
    hidden = longer + b"\xff\xe1\0\x16CANARY and some more" + b"\xff\xd9"
    assert len(images.examine(hidden).findings) == 1
    cleaned = images.strip(hidden, length)
    assert b"CANARY" not in cleaned
    assert cleaned.startswith(longer)


def in_scans() -> bytes:
    output = io.BytesIO()
    pictures.pixels().save(output, "JPEG", progressive=True)
    return output.getvalue()


def test_scans_and_their_tables_are_one_run_up_to_what_is_no_part_of_them() -> None:
    whole = in_scans()
    [(start, end)] = jpeg_segments.walk(whole).coded
    assert whole[start : start + 2] == b"\xff\xc4"
    assert (whole[end:], whole.count(b"\xff\xda", start, end) > 2) == (b"\xff\xd9", True)
    second = whole.index(b"\xff\xda", whole.index(b"\xff\xda") + 2)
    behind = jpeg_segments.end_of_segment(whole, second)
    scan_end = jpeg_segments.marker_in_scan(whole, behind)
    assert scan_end is not None
    comment = b"\xff\xfe\0\x06note"
    parted = whole[:scan_end] + comment + whole[scan_end:]
    further = (scan_end + len(comment), end + len(comment))
    assert jpeg_segments.walk(parted).coded == [(start, scan_end), further]


def test_what_was_walked_before_is_not_walked_again_and_all_else_is() -> None:
    whole = in_scans()
    before = jpeg_segments.walk(whole)
    [(start, end)] = before.coded
    assert jpeg_segments.walk(whole, before.coded) == before
    for place in (start, end):
        hidden = whole[:place] + b"\xff\xe1\0\x08CANARY" + whole[place:]
        moved = [(start + 10, end + 10)] if place == start else [(start, end)]
        stream = jpeg_segments.walk(hidden, moved)
        assert [one.start for one in stream.segments[len(before.segments) :]] == [place]
        assert stream.coded == moved
    stray = whole[:end] + b"CANARY" + whole[end:]
    assert jpeg_segments.walk(stray, before.coded).strays == [(end, end + 6)]

"""Uploads in pieces: what is remembered, for how long, and how many."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight import images
from safelight.bodies import Piece
from safelight.images import Length
from safelight.uploads import LONGEST_PAUSE, MOST_UPLOADS, UnknownPieceError, Uploads
from tests.support import pictures

PNG = pictures.png()
CUT = PNG.index(b"IDAT") + 20


def test_an_upload_is_forgotten_after_a_while() -> None:
    now = 0.0
    uploads = Uploads(lambda: now)
    uploads.add(Piece("/a", 0), PNG[:CUT])
    now = LONGEST_PAUSE + 1
    with pytest.raises(UnknownPieceError):
        uploads.add(Piece("/a", CUT), PNG[CUT:])


def test_the_oldest_is_forgotten_when_there_are_too_many() -> None:
    uploads = Uploads()
    for number in range(MOST_UPLOADS + 1):
        uploads.add(Piece(f"/{number}", 0), PNG[:CUT])
    with pytest.raises(UnknownPieceError):
        uploads.add(Piece("/0", CUT), PNG[CUT:])
    uploads.add(Piece("/5", CUT), PNG[CUT:])


def test_parts_are_counted() -> None:
    uploads = Uploads()
    first = uploads.add(Piece("/a x", 1, counts_pieces=True), PNG[:CUT])
    second = uploads.add(Piece("/a x", 2, counts_pieces=True), PNG[CUT:])
    assert not pictures.says_secrets(first.content + second.content)
    assert pictures.same_pixels(PNG, first.content + second.content)
    with pytest.raises(UnknownPieceError):
        uploads.add(Piece("/a x", 4, counts_pieces=True), b"more")


def test_a_counted_part_says_truly_where_it_begins() -> None:
    uploads = Uploads()
    uploads.add(Piece("/a", 1, len(PNG), counts_pieces=True, start=0), PNG[:CUT])
    with pytest.raises(UnknownPieceError):
        uploads.add(Piece("/a", 2, len(PNG), counts_pieces=True, start=CUT + 1), PNG[CUT:])


LARGE = pictures.jpeg(width=400, height=300)
HEAD = LARGE.rindex(b"\xff\xda") + 20


@given(st.sets(st.integers(HEAD, len(LARGE) - 1), max_size=12))
def test_any_cut_through_pixels_gives_the_same_bytes(cuts: set[int]) -> None:
    edges = [0, *sorted(cuts), len(LARGE)]
    uploads = Uploads()
    left = [
        uploads.add(
            Piece("/a", number, len(LARGE), counts_pieces=True, start=edges[number - 1]),
            LARGE[edges[number - 1] : edges[number]],
        ).content
        for number in range(1, len(edges))
    ]
    assert b"".join(left) == images.strip(LARGE, Length.SAME_LENGTH)


def test_after_a_piece_that_cannot_be_judged_none_is() -> None:
    uploads = Uploads()
    uploads.add(Piece("/a", 0), PNG[:CUT])
    with pytest.raises(UnknownPieceError):
        uploads.add(Piece("/a", CUT + 1), PNG[CUT + 1 :])
    with pytest.raises(UnknownPieceError):
        uploads.add(Piece("/a", CUT), PNG[CUT:])


def block(identity: str) -> Piece:
    return Piece("/blob", None, identity=identity)


def listing(*identities: str) -> bytes:
    return "".join(f"<Latest>{one}</Latest>" for one in identities).encode()


LIST = Piece("/blob", None, lists=True)


def test_blocks_belong_in_the_order_of_their_coming() -> None:
    uploads = Uploads()
    for _ in range(2):  # the second upload begins anew
        first = uploads.add(block("x"), PNG[:CUT])
        assert uploads.add(block("x"), PNG[:CUT]) is first  # sent again
        second = uploads.add(block("a"), PNG[CUT:])
        assert not pictures.says_secrets(first.content + second.content)
        assert pictures.same_pixels(PNG, first.content + second.content)
        assert uploads.add(LIST, listing("x", "a")).content == listing("x", "a")


def test_blocks_that_turn_out_to_be_in_another_order_are_stopped() -> None:
    uploads = Uploads()
    uploads.add(block("x"), PNG[:CUT])
    uploads.add(block("a"), PNG[CUT:])
    with pytest.raises(UnknownPieceError):
        uploads.add(LIST, listing("a", "x"))


def test_after_a_block_that_cannot_be_judged_none_is() -> None:
    uploads = Uploads()
    uploads.forget(block("x"))
    for piece, content in ((block("a"), PNG[CUT:]), (LIST, listing("x", "a"))):
        with pytest.raises(UnknownPieceError):
            uploads.add(piece, content)
    uploads.add(block("b"), PNG[:CUT])
    assert not pictures.says_secrets(uploads.add(block("c"), PNG[CUT:]).content)


def test_a_block_before_the_beginning_stops_the_upload() -> None:
    uploads = Uploads()
    uploads.add(block("b"), PNG[CUT:])
    for piece, content in ((block("a"), PNG[:CUT]), (LIST, listing("a", "b"))):
        with pytest.raises(UnknownPieceError):
            uploads.add(piece, content)


def test_blocks_of_something_else_come_in_any_order() -> None:
    uploads = Uploads()
    for number in range(3):
        assert uploads.add(block(str(number)), b"text").content == b"text"
    assert uploads.add(LIST, listing("2", "0", "1")).type is None
    with pytest.raises(UnknownPieceError):
        uploads.add(LIST, PNG)


def test_pieces_are_kept_only_up_to_a_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safelight.uploads.MOST_REMEMBERED", 2 * CUT)
    now = 0.0
    uploads = Uploads(lambda: now)
    for number in range(3):
        now = float(number)
        uploads.add(Piece(f"/{number}", 0), PNG[:CUT])
        uploads.add(Piece(f"/{number}", CUT), PNG[CUT : CUT + 9])
        uploads.add(Piece(f"/{number}", CUT + 9), PNG[CUT + 9 : CUT + 9])
    kept = [one for one in uploads._uploads.values() if one.last is not None]
    assert sum(len(one.last[2].content) for one in kept if one.last) <= 2 * CUT
    for number in range(3):
        now += 1
        uploads.add(Piece(f"/{number + 9}", 0), PNG[:CUT])
    assert uploads._uploads["/9"].last is None
    assert uploads._uploads["/11"].last is not None

"""Announced uploads: pieces that do not say where they belong follow each other."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight import images
from safelight.bodies import Announcement, Piece
from safelight.images import Length
from safelight.sequences import Sequences
from safelight.uploads import LONGEST_PAUSE, MOST_UPLOADS, UnknownPieceError, Uploads
from tests.support import pictures

PHOTO = pictures.jpeg(width=400, height=300)
HEAD = PHOTO.rindex(b"\xff\xda") + 20
ANNOUNCED = Announcement("a", len(PHOTO), is_picture=True)


def send(sequences: Sequences, content: bytes, *, again: bool = False) -> Piece | None:
    """A piece that comes and is answered before the next."""
    turn = sequences.begin("a")
    try:
        return sequences.place(turn, content, again=again)
    finally:
        sequences.end(turn)


@given(st.sets(st.integers(HEAD, len(PHOTO) - 1), min_size=1, max_size=12))
def test_any_cut_through_pixels_gives_the_same_bytes(cuts: set[int]) -> None:
    sequences, uploads = Sequences(), Uploads()
    sequences.announce(ANNOUNCED)
    left = b""
    for start, end in itertools.pairwise([0, *sorted(cuts), len(PHOTO)]):
        piece = send(sequences, PHOTO[start:end])
        assert piece == Piece("a", start, len(PHOTO))
        left += uploads.add(piece, PHOTO[start:end]).content
    assert left == images.strip(PHOTO, Length.SAME_LENGTH)


def test_a_whole_picture_is_judged_by_itself() -> None:
    sequences = Sequences()
    sequences.announce(ANNOUNCED)
    assert send(sequences, PHOTO) is None


def test_only_what_says_so_is_taken_as_sent_again() -> None:
    sequences = Sequences()
    sequences.announce(ANNOUNCED)
    send(sequences, PHOTO[:HEAD])
    same = b"\1" * 50
    assert send(sequences, same) == Piece("a", HEAD, len(PHOTO))
    assert send(sequences, same) == Piece("a", HEAD + 50, len(PHOTO))
    assert send(sequences, same, again=True) == Piece("a", HEAD + 50, len(PHOTO))
    assert send(sequences, b"\2" * 50, again=True) == Piece("a", HEAD + 100, len(PHOTO))


def test_a_piece_after_one_that_was_refused_unread_has_no_place() -> None:
    sequences = Sequences()
    sequences.announce(ANNOUNCED)
    send(sequences, PHOTO[:HEAD])
    sequences.end(sequences.begin("a"))
    with pytest.raises(UnknownPieceError):
        send(sequences, PHOTO[HEAD:])
    with pytest.raises(UnknownPieceError):
        send(sequences, PHOTO[HEAD:])


def test_pieces_of_one_picture_at_the_same_time_have_no_place() -> None:
    sequences = Sequences()
    sequences.announce(ANNOUNCED)
    send(sequences, PHOTO[:HEAD])
    one, other = sequences.begin("a"), sequences.begin("a")
    for turn in (other, one):
        with pytest.raises(UnknownPieceError):
            sequences.place(turn, PHOTO[HEAD:], again=False)


def test_what_is_no_picture_may_come_at_the_same_time() -> None:
    sequences = Sequences()
    sequences.announce(Announcement("a", 1_000, is_picture=False))
    turns = [sequences.begin("a") for _ in range(3)]
    assert [sequences.place(turn, b"text", again=False) for turn in turns] == [None] * 3


def test_an_upload_is_forgotten_after_a_while() -> None:
    now = 0.0
    sequences = Sequences(lambda: now)
    sequences.announce(ANNOUNCED)
    now = LONGEST_PAUSE + 1
    with pytest.raises(UnknownPieceError):
        send(sequences, PHOTO[:HEAD])


def test_the_oldest_is_forgotten_when_there_are_too_many() -> None:
    sequences = Sequences()
    sequences.announce(ANNOUNCED)
    for number in range(MOST_UPLOADS):
        sequences.announce(Announcement(str(number), len(PHOTO), is_picture=True))
    with pytest.raises(UnknownPieceError):
        send(sequences, PHOTO[:HEAD])

from __future__ import annotations

import pytest

from safelight.bodies import Piece, piece_of


@pytest.mark.parametrize(
    ("headers", "path", "piece"),
    [
        ({"content-range": "bytes 10-19/30"}, "/u?x=1", Piece("/u?x=1", 10, 30)),
        ({"content-range": "bytes 0-9/20"}, "/u", Piece("/u", 0, 20)),
        ({"content-range": "bytes 0-9/*"}, "/u", Piece("/u", 0)),
        ({"x-goog-upload-command": "upload", "x-goog-upload-offset": "0"}, "/u", Piece("/u", 0)),
        (
            {"x-goog-upload-command": "upload, finalize", "x-goog-upload-offset": "5"},
            "/u",
            Piece("/u", 5),
        ),
        ({"tus-resumable": "1.0.0", "upload-offset": "5"}, "/u", Piece("/u", 5)),
        ({"upload-complete": "?0", "upload-offset": "5"}, "/u", Piece("/u", 5)),
        ({"upload-length": "10", "upload-offset": "5"}, "/u", Piece("/u", 5)),
        ({}, "/u?partNumber=2&uploadId=x", Piece("/u x", 2, counts_pieces=True)),
        ({}, "/u?comp=block&blockid=YQ%3D%3D&sig=x", Piece("/u x", None, identity="YQ==")),
        ({}, "/u?sig=x&comp=blocklist", Piece("/u x", None, lists=True)),
        ({}, "/u?upload_token=t&fragment_id=2", Piece("/u t", 3, counts_pieces=True)),
        (
            {"content-range": "bytes 10-19/30"},
            "/u?upload_token=t&fragment_id=1",
            Piece("/u t", 2, 30, counts_pieces=True, start=10),
        ),
        (
            {"content-range": "bytes 0-9/10"},
            "/u?upload_token=t&fragment_id=1",
            Piece("/u t", 2, 10, counts_pieces=True, start=0),
        ),
    ],
)
def test_pieces_are_seen(headers: dict[str, str], path: str, piece: Piece) -> None:
    assert piece_of(headers, path, 10) == piece


def test_first_pieces() -> None:
    assert Piece("/u", 0).is_first
    assert Piece("/u", 1, counts_pieces=True).is_first
    assert not Piece("/u", None).is_first
    assert not Piece("/u", 1).is_first
    assert not Piece("/u", 2, counts_pieces=True).is_first


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-range": "bytes 0-9/10"},
        {"x-goog-upload-command": "upload, finalize", "x-goog-upload-offset": "0"},
        {"x-goog-upload-command": "start"},
        {"tus-resumable": "1.0.0", "upload-offset": "0", "upload-length": "10"},
    ],
)
def test_whole_bodies_are_no_pieces(headers: dict[str, str]) -> None:
    assert piece_of(headers, "/u?a=b", 10) is None


def test_one_fragment_may_hold_all() -> None:
    headers = {"content-range": "bytes 0-9/10"}
    assert piece_of(headers, "/u?upload_token=t&fragment_id=0", 10) is None


@pytest.mark.parametrize(
    ("headers", "path"),
    [
        ({"content-range": "nonsense"}, "/u"),
        ({"content-range": "bytes 0-8/20"}, "/u"),
        ({"content-range": "bytes 9-0/20"}, "/u"),
        ({"x-goog-upload-command": "upload", "x-goog-upload-offset": "x"}, "/u"),
        ({"tus-resumable": "1.0.0", "upload-offset": "-"}, "/u"),
        ({"tus-resumable": "1.0.0", "upload-concat": "partial"}, "/u"),
        ({}, "/u?partNumber=&uploadId=x"),
        ({}, "/u?upload_token=t&fragment_id=x"),
        ({}, "/u?upload_token=t&fragment_id=1&fragment_id=2"),
        ({}, "/u?upload_token=t&upload_token=s&fragment_id=1"),
        ({"content-range": "bytes 0-8/20"}, "/u?upload_token=t&fragment_id=0"),
    ],
)
def test_what_cannot_be_understood(headers: dict[str, str], path: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whichever number it is
        piece_of(headers, path, 10)

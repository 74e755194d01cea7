from __future__ import annotations

import json

import pytest

from safelight.bodies import Announcement, announced


@pytest.mark.parametrize(
    ("more", "is_picture"),
    [
        ({"mime_type": "image/png"}, True),
        ({"mime_type": "video/mp4"}, True),
        ({"filename": "Anna.HEIC"}, True),
        ({"purpose": "vision"}, True),
        ({"mime_type": "application/jsonl", "filename": "a.jsonl", "purpose": "batch"}, False),
        ({}, False),
    ],
)
def test_what_is_announced(more: dict[str, str], *, is_picture: bool) -> None:
    request = json.dumps({"bytes": 5, **more}).encode()
    assert announced(request, b'{"id": "u"}') == Announcement("u", 5, is_picture)


@pytest.mark.parametrize(
    ("request_body", "answer"),
    [
        (b"", b""),
        (b"{}", b'{"id": "u"}'),
        (b'{"bytes": 0}', b'{"id": "u"}'),
        (b'{"bytes": "5"}', b'{"id": "u"}'),
        (b'{"bytes": 5}', b'{"id": 1}'),
        (b'{"bytes": 5}', b'{"id": ""}'),
        (b"[]", b"{}"),
        (b"[" * 100_000, b"{}"),
        (b"\xff", b"{}"),
    ],
)
def test_what_announces_nothing(request_body: bytes, answer: bytes) -> None:
    assert announced(request_body, answer) is None

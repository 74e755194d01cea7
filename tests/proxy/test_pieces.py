"""One picture over several requests, through the proxy: each piece is cleaned as it comes."""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from typing import TYPE_CHECKING

import httpx

from safelight import images
from safelight.images import Length
from tests.support import exiftool, pictures
from tests.support.origin import client_context

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.lab import Lab

PHOTO = pictures.jpeg(width=640, height=480)
CLEAN = images.strip(PHOTO, Length.SAME_LENGTH)
# Behind the head: pixels are cut.
EDGES = (0, PHOTO.rindex(b"\xff\xda") + 900, len(PHOTO) - 5_000, len(PHOTO))
KLING = "https://upload.kuaishouzt.com/api/upload"


def send_fragment(
    lab: Lab, number: int, piece: tuple[int, int], upload: str, *, ranged: bool = True
) -> int:
    """Send bytes of `PHOTO` as Kuaishou's uploader does; return the status of the answer."""
    start, end = piece
    path = lab.folder / "fragment"
    path.write_bytes(PHOTO[start:end])
    content_range = f"content-range: bytes {start}-{end - 1}/{len(PHOTO)}"
    answer = lab.curl(
        *("-H", "content-type: application/octet-stream", "--data-binary", f"@{path}"),
        *(("-H", content_range) if ranged else ()),
        f"{KLING}/fragment?upload_token={upload}&fragment_id={number}",
    )
    return answer.status


def pieces() -> list[tuple[int, tuple[int, int]]]:
    return list(enumerate(itertools.pairwise(EDGES)))


def test_fragments(lab: Lab) -> None:
    before = len(lab.proxy.records())
    for ranged in (True, False):
        lab.arrived.clear()
        lab.curl(f"{KLING}/resume?upload_token=t{ranged}")
        for number, piece in pieces():
            assert send_fragment(lab, number, piece, f"t{ranged}", ranged=ranged) == 200
        complete = f"{KLING}/complete?fragment_count=3&upload_token=t{ranged}"
        assert lab.curl("-X", "POST", complete).status == 200
        assert b"".join(received.body for received in lab.arrived) == CLEAN
        for received, (number, piece) in zip(lab.arrived[1:-1], pieces(), strict=True):
            assert received.path.endswith(f"fragment_id={number}")
            expected = f"bytes {piece[0]}-{piece[1] - 1}/{len(PHOTO)}" if ranged else None
            assert received.headers.get("content-range") == expected
    [report] = exiftool.read({"arrived": CLEAN}).values()
    assert exiftool.left_over(report) == set()
    assert pictures.same_pixels(PHOTO, CLEAN)
    records = lab.new_records(before)
    assert [(one["service"], one["road"]) for one in records] == [("kling", "fragment")] * 6


def test_fragments_of_two_uploads_in_turn(lab: Lab) -> None:
    for number, piece in pieces():
        assert send_fragment(lab, number, piece, "one") == 200
        assert send_fragment(lab, number, piece, "two") == 200
    for start in (0, 1):
        assert b"".join(received.body for received in lab.arrived[start::2]) == CLEAN


def test_a_fragment_out_of_order_stops_the_upload(lab: Lab) -> None:
    (_, first), (_, second), (_, third) = pieces()
    assert send_fragment(lab, 0, first, "x") == 200
    assert send_fragment(lab, 2, third, "x") == 403
    assert send_fragment(lab, 1, second, "x") == 403
    assert [received.body for received in lab.arrived] == [CLEAN[: EDGES[1]]]


def test_a_fragment_whose_number_and_range_disagree_is_stopped(lab: Lab) -> None:
    (_, first), _, (_, third) = pieces()
    assert send_fragment(lab, 0, first, "y") == 200
    assert send_fragment(lab, 1, third, "y") == 403
    assert len(lab.arrived) == 1


def test_fragments_side_by_side_wait_for_their_turn(lab: Lab) -> None:
    """As a page sends them: all at once, and the last, which is short, is here first."""
    context = client_context(lab.proxy.root)
    statuses: dict[int, int] = {}

    def send(number: int, start: int, end: int) -> None:

        def slowly() -> Iterator[bytes]:
            yield PHOTO[start : start + 100]
            time.sleep(0.6 - 0.2 * number)
            yield PHOTO[start + 100 : end]

        headers = {
            "content-range": f"bytes {start}-{end - 1}/{len(PHOTO)}",
            "content-length": str(end - start),
            "content-type": "application/octet-stream",
        }
        url = f"{KLING}/fragment?upload_token=side&fragment_id={number}"
        answer = httpx.post(
            url, content=slowly(), headers=headers, verify=context, proxy=lab.proxy.url
        )
        statuses[number] = answer.status_code

    threads = [threading.Thread(target=send, args=(number, *piece)) for number, piece in pieces()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == dict.fromkeys(range(3), 200)
    by_number = sorted(lab.arrived, key=lambda received: received.path)
    assert b"".join(received.body for received in by_number) == CLEAN


def test_a_fragment_waits_for_nothing_that_does_not_come(lab: Lab) -> None:
    """The first breaks off; the second, which waited for it, is refused then."""
    context = client_context(lab.proxy.root)
    (_, (start, end)), (_, second), _ = pieces()
    begun = threading.Event()

    def breaks_off() -> Iterator[bytes]:
        yield PHOTO[start : start + 100]
        begun.set()
        time.sleep(0.5)
        raise ConnectionError

    def send_first() -> None:
        headers = {
            "content-range": f"bytes {start}-{end - 1}/{len(PHOTO)}",
            "content-length": str(end - start),
        }
        url = f"{KLING}/fragment?upload_token=broken&fragment_id=0"
        with contextlib.suppress(ConnectionError):
            httpx.post(
                url, content=breaks_off(), headers=headers, verify=context, proxy=lab.proxy.url
            )

    sender = threading.Thread(target=send_first)
    sender.start()
    assert begun.wait(10)
    time.sleep(0.1)
    started = time.monotonic()
    assert send_fragment(lab, 1, second, "broken") == 403
    assert 0.2 < time.monotonic() - started < 10
    sender.join()
    assert lab.arrived == []

"""Real files with something behind, inside or beside each of their boxes: it goes, or the file is
refused."""

from __future__ import annotations

import copy
from functools import cache
from typing import TYPE_CHECKING

import pytest

from safelight import images
from safelight.images import Length
from tests.images.test_movies import recorded
from tests.support import box_tree, more_pictures
from tests.support.box_tree import Node
from tests.support.hiding import CANARY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FILMS = ("phone", "fragments", "camera", "hevc", "alac", "flac", "silent")
PICTURES: dict[str, Callable[[], bytes]] = {"heic": more_pictures.heic, "avif": more_pictures.avif}


@cache
def picture(known: str) -> bytes:
    return PICTURES[known]()


def hidden(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Where the canary was put, and the file with it."""
    clean = box_tree.read(images.strip(data))
    places = [place for place, _ in box_tree.walk(clean)]
    for number, place in enumerate(places):
        if place in {"mdat", "ftyp", "free"} or place.startswith("moof"):
            continue
        nodes = copy.deepcopy(clean)
        node = [node for _, node in box_tree.walk(nodes)][number]
        if node.inside is None:
            node.head += CANARY
            yield f"behind {place}", box_tree.written(nodes)
        else:
            node.inside.append(Node(b"zzzz", CANARY))
            yield f"inside {place}", box_tree.written(nodes)
            twice = next((one for one in node.inside if one.inside is None), None)
            if twice is not None:
                head = CANARY + twice.head[len(CANARY) :]
                node.inside[-1] = Node(twice.type, head[: max(len(twice.head), len(CANARY))])
                yield f"twice in {place}: {twice.type!r}", box_tree.written(nodes)


def left(data: bytes) -> list[str]:
    found = []
    for place, one in hidden(data):
        for length in Length:
            try:
                cleaned = images.strip(one, length)
            except images.ImageError:
                continue
            if CANARY in cleaned:
                found.append(place)
    return found


@pytest.mark.parametrize("way", FILMS)
def test_nothing_hides_at_the_boxes_of_a_film(way: str, tmp_path: Path) -> None:
    assert left(recorded(tmp_path / "film", way)) == []


@pytest.mark.parametrize("known", PICTURES)
def test_nothing_hides_at_the_boxes_of_a_picture(known: str) -> None:
    assert left(picture(known)) == []


def test_what_stands_behind_a_box_is_cleaned_rather_than_refused(tmp_path: Path) -> None:
    behind = [
        one
        for place, one in hidden(recorded(tmp_path / "film", "phone"))
        if place.startswith("behind")
    ]
    assert len(behind) > 25
    for one in behind:
        assert CANARY not in images.strip(one)


TRAILED: dict[str, Callable[[], bytes]] = {
    **PICTURES,
    "jxl": more_pictures.jxl,
    "jp2": more_pictures.jp2,
    "mp4": more_pictures.movie,
}


@pytest.mark.parametrize("size", [3, 8, len(CANARY), 99 * len(CANARY)])
@pytest.mark.parametrize("known", TRAILED)
def test_what_is_no_box_behind_the_last_goes(known: str, size: int) -> None:
    whole = TRAILED[known]()
    trailed = whole + (99 * CANARY)[:size]
    cut = images.strip(trailed, Length.COMPACT)
    same = images.strip(trailed, Length.SAME_LENGTH)
    assert cut == images.strip(whole, Length.COMPACT)
    assert len(same) == len(trailed)
    assert CANARY[:3] not in same[len(whole) :]
    assert images.strip(same, Length.SAME_LENGTH) == same


@pytest.mark.parametrize("known", TRAILED)
def test_a_file_that_is_cut_off_is_refused(known: str) -> None:
    whole = TRAILED[known]()
    with pytest.raises(images.ImageError):
        images.strip(whole[: len(whole) // 2])

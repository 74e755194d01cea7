"""`make bench`: how fast pictures are cleaned, as a part of how fast they are copied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safelight import images
from safelight.images import STREAMED, Length, StreamCleaner
from tests.bench import clock, photographs

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.photographs import Photograph

_PIECE = 65_536


def main() -> None:
    """Print one row for each picture."""
    print("| format | size | copy | compact | same length | on its way | compact / copy |")
    print("|---|---|---|---|---|---|---|")
    for photo in photographs.all_of_them():
        print(_row(photo), flush=True)
    print("\nCopy: one allocation and one memcpy of the same bytes, in turns with the others.")
    print("The last column is how much of the speed of a copy is reached: 1 would be all of it.")


def _row(photo: Photograph) -> str:
    data = photo.data
    whole = memoryview(data)
    tasks: dict[str, Callable[[], object]] = {
        "copy": lambda: b"".join((whole[:1], whole[1:])),
        "compact": lambda: images.strip(data, Length.COMPACT),
        "same": lambda: images.strip(data, Length.SAME_LENGTH),
    }
    if images.sniff(data) in STREAMED:
        tasks["stream"] = lambda: _streamed(data)
    times = clock.medians(tasks)
    stream = clock.shown(times["stream"]) if "stream" in times else "-"
    return (
        f"| {photo.format} | {len(data) / 1e6:.2f} MB | {clock.shown(times['copy'])} "
        f"| {clock.shown(times['compact'])} | {clock.shown(times['same'])} | {stream} "
        f"| {times['copy'] / times['compact']:.2f} |"
    )


def _streamed(data: bytes) -> int:
    known = images.sniff(data)
    assert known is not None
    cleaner = StreamCleaner(known, len(data))
    sent = sum(
        len(cleaner.feed(data[start : start + _PIECE])) for start in range(0, len(data), _PIECE)
    )
    cleaner.close()
    return sent


if __name__ == "__main__":
    main()

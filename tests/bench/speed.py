"""`make bench`: how fast pictures are cleaned, as a part of how fast they are copied."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from safelight import images
from safelight.images import STREAMED, Length, StreamCleaner
from tests.bench import clock, libraries, peers, photographs

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.photographs import Photograph

_PIECE = 65_536


def main() -> None:
    """Print one row for each picture."""
    columns = (
        *("format", "size", "copy", "compact", "same length", "on its way", "copy / compact"),
        *("copy of the file", "compact file", "copy / compact"),
    )
    print(f"| {' | '.join(columns)} |")
    print("|---" * len(columns) + "|")
    with tempfile.TemporaryDirectory() as folder:
        for photo in photographs.all_of_them():
            print(_row(photo, Path(folder)), flush=True)
    print("\nCopy: one allocation and one memcpy of the same bytes; of a file, read and written.")
    print("Copy / compact: how much of the speed of a copy is reached; 1 would be all of it.")


def _row(photo: Photograph, folder: Path) -> str:
    data = photo.data
    source, target = folder / f"photo.{photo.ending}", folder / f"clean.{photo.ending}"
    source.write_bytes(data)
    tasks: dict[str, Callable[[], object]] = {
        "copy": lambda: libraries.copy(data),
        "compact": lambda: images.strip(data, Length.COMPACT),
        "same": lambda: images.strip(data, Length.SAME_LENGTH),
    }
    if images.sniff(data) in STREAMED:
        tasks["stream"] = lambda: _streamed(data)
    files: dict[str, Callable[[], object]] = {
        "copy of the file": lambda: peers.copy(source, target),
        "compact file": lambda: target.write_bytes(images.strip(source.read_bytes())),
    }
    times = clock.medians(tasks) | clock.medians(files)
    shown = {name: clock.shown(taken) for name, taken in times.items()}
    cells = (
        *(photo.format, f"{len(data) / 1e6:.2f} MB"),
        *(shown["copy"], shown["compact"], shown["same"], shown.get("stream", "-")),
        f"{times['copy'] / times['compact']:.2f}",
        *(shown["copy of the file"], shown["compact file"]),
        f"{times['copy of the file'] / times['compact file']:.2f}",
    )
    return f"| {' | '.join(cells)} |"


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

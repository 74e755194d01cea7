"""`make bench-peers`: Safelight and other tools on the same files in the same run."""

from __future__ import annotations

import datetime as dt
import os
import platform
import sys
import tempfile
import warnings
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from safelight import images
from tests.bench import clock, libraries, peers, photographs
from tests.support import exiftool, pictures, vips

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.libraries import Library
    from tests.bench.peers import Peer
    from tests.bench.photographs import Photograph

    type Task = Callable[[Photograph], object]

PAGE = Path(__file__).parents[2] / "docs" / "peers.md"
_ENDINGS = {"jpeg": "jpg", "tiff": "tif", "heif": "heic"}
_TEXT = """\
# Safelight and other tools that clean pictures

Measured by `make bench-peers` on {day}, with Python {python} on {cores} cores ({machine}), under
a load of {load:.0f} in the last quarter of an hour.

## What they clean

Of {count} pictures (the non-hostile ones of the corpus that was given), how many a tool cleaned
perfectly: ExifTool finds nothing but what rendering needs, no planted secret is left, and a decoder
that Safelight does not use (libvips; where it cannot read the format, this is not asked) shows the
same pixels, orientation, timing and loops.

| tool | perfect | private data left | shown differently | refused |
|---|---|---|---|---|
{cleaned}

## How long they take

Median, in turns; in brackets how many times what Safelight takes to make it compact. A dash means
that the tool refuses the format, or took more than five seconds for a smaller picture.

### From file to file

{files}

### From bytes to bytes

{memory}
"""
_MEASURE = "safelight, compact"


def main() -> None:
    """Measure, print, write the page."""
    warnings.simplefilter("ignore")
    tools = dict(peers.available())
    for name in [name for name, peer in tools.items() if peer is None]:
        print(f"not available: {name}", file=sys.stderr)
    found = {name: peer for name, peer in tools.items() if peer is not None}
    corpus = _corpus()
    photos = [photo for photo in photographs.all_of_them() if photo.format != "progressive JPEG"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cleaned = [_judged(name, peer, corpus, folder) for name, peer in found.items()]
        for photo in photos:
            _path(photo, folder).write_bytes(photo.data)
        by_file = {"copy": peers.copy} | found
        files = _times(
            photos, {name: _from_file_to_file(peer, folder) for name, peer in by_file.items()}
        )
    called = {name: call for name, call in libraries.available() if call is not None}
    memory = _times(photos, {name: _from_bytes_to_bytes(call) for name, call in called.items()})
    page = _TEXT.format(
        day=dt.datetime.now(tz=dt.UTC).date(),
        python=platform.python_version(),
        cores=os.cpu_count(),
        machine=platform.machine(),
        load=os.getloadavg()[2],
        count=len(corpus),
        cleaned="\n".join(cleaned) or "| no corpus was given | | | | |",
        files=files,
        memory=memory,
    )
    print(page)
    PAGE.write_text(page)


def _corpus() -> dict[str, bytes]:
    root = os.environ.get("SAFELIGHT_CORPUS")
    files: dict[str, bytes] = {}
    for path in sorted(Path(root).rglob("*")) if root else ():
        data = path.read_bytes() if path.is_file() else b""
        known = images.sniff(data)
        if known is not None and known.cleanable and path.parent.name != "hostile":
            ending = _ENDINGS.get(str(known), str(known))
            files[f"{len(files):04}.{ending}"] = data
    return files


def _judged(name: str, peer: Peer, corpus: dict[str, bytes], folder: Path) -> str:
    results: dict[str, bytes] = {}
    for file, data in corpus.items():
        source, target = folder / f"in-{file}", folder / f"out-{file}"
        source.write_bytes(data)
        target.unlink(missing_ok=True)
        try:
            peer(source, target)
            results[file] = target.read_bytes()
        except Exception:  # noqa: BLE001, S112 - whatever a tool raises, it refused
            continue
    reports = exiftool.read(results)
    private = {
        file
        for file, after in results.items()
        if pictures.says_secrets(after) or exiftool.left_over(reports.get(file, {"None:Read": ""}))
    }
    different = {
        file
        for file, after in results.items()
        if (before := vips.looks(corpus[file])) and vips.looks(after) != before
    }
    perfect = len(results) - len(private | different)
    refused = len(corpus) - len(results)
    return f"| {name} | {perfect} | {len(private)} | {len(different)} | {refused} |"


def _times(photos: list[Photograph], found: dict[str, Task]) -> str:
    """A table of what each tool takes for each picture, and how many times what Safelight takes."""
    rows: dict[str, list[str]] = {name: [] for name in found}
    too_long: set[tuple[str, str]] = set()
    for photo in photos:
        asked = {name: task for name, task in found.items() if (name, photo.format) not in too_long}
        tasks = {name: partial(task, photo) for name, task in asked.items() if _works(task, photo)}
        times = clock.medians(tasks, rounds=20)
        too_long |= {(name, photo.format) for name in times if times[name] > clock.LONG}
        for name, row in rows.items():
            row.append(_cell(times[name], times[_MEASURE]) if name in times else "-")
    head = " | ".join(f"{photo.format} {photo.size}" for photo in photos)
    lines = [f"| tool | {head} |", "|---" * (len(photos) + 1) + "|"]
    lines += [f"| {name} | {' | '.join(row)} |" for name, row in rows.items()]
    return "\n".join(lines)


def _cell(seconds: float, ours: float) -> str:
    ratio = seconds / ours
    digits = 2 if ratio < 1 else 1 if ratio < 10 else 0
    return f"{clock.shown(seconds)} ({ratio:.{digits}f} x)"


def _works(task: Task, photo: Photograph) -> bool:
    try:
        task(photo)
    except Exception:  # noqa: BLE001 - whatever a tool raises, it refused
        return False
    return True


def _from_file_to_file(peer: Peer, folder: Path) -> Task:
    return lambda photo: peer(_path(photo, folder), folder / f"clean.{photo.ending}")


def _path(photo: Photograph, folder: Path) -> Path:
    return folder / f"{photo.size}.{photo.ending}"


def _from_bytes_to_bytes(library: Library) -> Task:
    return lambda photo: library(photo.data)


if __name__ == "__main__":
    main()

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
from tests.bench import clock, peers, photographs
from tests.support import exiftool, pictures, vips

if TYPE_CHECKING:
    from tests.bench.peers import Peer

PAGE = Path(__file__).parents[2] / "docs" / "peers.md"
_ENDINGS = {"jpeg": "jpg", "tiff": "tif", "heif": "heic"}
_TEXT = """\
# Safelight and other tools that clean pictures

Measured by `make bench-peers` on {day}, with Python {python} on {cores} cores ({machine}).

## What they clean

Of {count} pictures (the non-hostile ones of the corpus that was given), how many a tool cleaned
perfectly: ExifTool finds nothing but what rendering needs, no planted secret is left, and a decoder
that Safelight does not use (libvips; where it cannot read the format, this is not asked) shows the
same pixels, orientation, timing and loops.

| tool | perfect | private data left | shown differently | refused |
|---|---|---|---|---|
{cleaned}

## How long they take

From file to file, median, in turns. A dash means that the tool refuses the format.

{times}
"""


def main() -> None:
    """Measure, print, write the page."""
    warnings.simplefilter("ignore")
    tools = dict(peers.available())
    for name in [name for name, peer in tools.items() if peer is None]:
        print(f"not available: {name}", file=sys.stderr)
    found = {name: peer for name, peer in tools.items() if peer is not None}
    corpus = _corpus()
    with tempfile.TemporaryDirectory() as folder:
        cleaned = [_judged(name, peer, corpus, Path(folder)) for name, peer in found.items()]
        times = _times(found, Path(folder))
    page = _TEXT.format(
        day=dt.datetime.now(tz=dt.UTC).date(),
        python=platform.python_version(),
        cores=os.cpu_count(),
        machine=platform.machine(),
        count=len(corpus),
        cleaned="\n".join(cleaned) or "| no corpus was given | | | | |",
        times=times,
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


def _times(found: dict[str, Peer], folder: Path) -> str:
    photos = [photo for photo in photographs.all_of_them() if photo.format != "progressive JPEG"]
    rows: dict[str, list[str]] = {name: [] for name in found}
    for photo in photos:
        source, target = folder / f"photo.{photo.ending}", folder / f"clean.{photo.ending}"
        source.write_bytes(photo.data)
        working = {name: peer for name, peer in found.items() if _works(peer, source, target)}
        tasks = {name: partial(peer, source, target) for name, peer in working.items()}
        times = clock.medians(tasks, rounds=20)
        for name, row in rows.items():
            row.append(clock.shown(times[name]) if name in times else "-")
    head = " | ".join(f"{photo.format} {photo.size}" for photo in photos)
    lines = [f"| tool | {head} |", "|---" * (len(photos) + 1) + "|"]
    lines += [f"| {name} | {' | '.join(row)} |" for name, row in rows.items()]
    return "\n".join(lines)


def _works(peer: Peer, source: Path, target: Path) -> bool:
    target.unlink(missing_ok=True)
    try:
        peer(source, target)
    except Exception:  # noqa: BLE001 - whatever a tool raises, it refused
        return False
    return target.exists()


if __name__ == "__main__":
    main()

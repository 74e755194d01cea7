"""Coverage-guided fuzzing of one format: `make fuzz FORMAT=jpeg SECONDS=60`.

Whatever the bytes, a picture is cleaned for certain or refused with ImageError. It starts from the
picture that the tests make, and from the small ones in the folder that SAFELIGHT_CORPUS names.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import atheris

with atheris.instrument_imports(include=["safelight.images"]):
    from safelight import images

from tests.support import documents, pictures
from tests.support import more_pictures as more

if TYPE_CHECKING:
    from collections.abc import Iterator

_LARGEST_SEED = 50_000
SEEDS = {
    "jpeg": pictures.jpeg,
    "png": pictures.png,
    "webp": pictures.webp,
    "gif": pictures.gif,
    "avif": more.avif,
    "heif": more.heic,
    "tiff": more.tiff,
    "jxl": more.jxl,
    "jp2": more.jp2,
    "bmp": more.bmp,
    "ico": more.ico,
    "psd": more.psd,
    "svg": more.svg,
    "mp4": more.movie,
    "pdf": documents.pdf,
    "zip": documents.archive,
}


def check(data: bytes) -> None:
    for length in images.Length:
        try:
            cleaned = images.strip(data, length)
        except images.ImageError:
            continue
        assert len(cleaned) <= len(data) or images.sniff(data) is images.Format.PDF
        assert images.strip(cleaned, length) == cleaned
        images.reveal(data, images.examine(data).findings)


def seeds(known: str) -> Iterator[bytes]:
    """Pictures of this format to start from."""
    yield SEEDS[known]()
    root = os.environ.get("SAFELIGHT_CORPUS")
    for path in Path(root).rglob("*") if root else ():
        data = path.read_bytes() if path.is_file() else b""
        if len(data) <= _LARGEST_SEED and images.sniff(data) == known:
            yield data


def main() -> None:
    known, seconds = sys.argv[1], sys.argv[2]
    corpus = Path(tempfile.mkdtemp(prefix=f"fuzz-{known}-"))
    for number, seed in enumerate(seeds(known)):
        (corpus / f"seed-{number}").write_bytes(seed)
    options = [f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2048"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

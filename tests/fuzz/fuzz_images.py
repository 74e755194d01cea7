"""Coverage-guided fuzzing of one format: `make fuzz FORMAT=jpeg SECONDS=60`.

Whatever the bytes, a picture is cleaned for certain or refused with ImageError.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["safelight.images"]):
    from safelight import images

from tests.support import documents, pictures
from tests.support import more_pictures as more

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


def main() -> None:
    known, seconds = sys.argv[1], sys.argv[2]
    corpus = Path(tempfile.mkdtemp(prefix=f"fuzz-{known}-"))
    (corpus / "seed").write_bytes(SEEDS[known]())
    options = [f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2048"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

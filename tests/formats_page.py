"""Writes docs/formats.md: `make docs`. A test checks that it was done."""

from __future__ import annotations

from pathlib import Path

from safelight.images import about

PAGE = Path(__file__).parents[1] / "docs" / "formats.md"
_TEXT = """\
# What is done to each format

Written by `make docs` from `addons/safelight/images/about.py`; change it there.

In every format what is needed to show the picture stays, and what tells something goes. In MP4,
HEIC, JPEG XL, JPEG 2000, PSD, SVG and DNG, data put into unusual places on purpose can survive.
Compressed pixels are never decoded or changed. What is *compact* is as short as it can be without
moving what is found by its place; *same length* keeps the size to the byte. Formats that are
cleaned *on their way* need not be there as a whole: they are walked from front to back in bounded
memory, which works for the same length only.

{table}

A file for which one length cannot be had raises `UnalterableError`, which says the format and the
length; a file that cannot be walked to its end raises `ImageError`. Neither is ever passed on.
"""


def text() -> str:
    """The page as it should be."""
    return _TEXT.format(table=about.table())


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(text())

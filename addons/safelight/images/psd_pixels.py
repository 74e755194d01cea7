"""Where the pixels of a Photoshop document end: raw rows, packed rows with a table of their
lengths, or zlib (Adobe's specification, "Channel Image Data" and "Image Data Section").
"""

from __future__ import annotations

import sys
from array import array

from safelight.images import packed_ends

_RAW, _RUNS, _ZIP, _ZIP_WITH_PREDICTION = range(4)


def end(data: bytes, start: int, limit: int, rows: int, row: int, *, large: bool) -> int | None:
    """Behind the pixels whose compression is said at `start`, of so many rows of `row` bytes each;
    None where they do not end before `limit`."""
    compression = int.from_bytes(data[start : start + 2])
    start += 2
    found: int | None = None
    if compression == _RAW:
        found = start + rows * row
    elif compression == _RUNS:
        size = 4 if large else 2
        table_end = start + rows * size
        if table_end <= limit:
            lengths = array("I" if large else "H", data[start:table_end])
            if sys.byteorder == "little":
                lengths.byteswap()
            found = table_end + sum(lengths)
    elif compression in {_ZIP, _ZIP_WITH_PREDICTION}:
        found = packed_ends.deflated(data, start, limit, rows * row)
    return found if found is not None and found <= limit else None

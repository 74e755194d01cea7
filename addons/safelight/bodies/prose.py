"""Short text of words, which takes next to no time to look into."""

from __future__ import annotations

from typing import TYPE_CHECKING

import stringzilla

from safelight.bodies import base64_runs
from safelight.bodies.base64_runs import SHORTEST_WRAPPING

if TYPE_CHECKING:
    from safelight.bodies.model import Recogniser

LONGEST = 1 << 14  # bytes
# What is packed or encoded has no spaces, and where it is shorter holds no picture with something
# to say; what is packed without being encoded has control characters.
_SPACED = bytes(32 if byte == 32 else 65 for byte in range(256))
_PACKED = b" " + b"A" * SHORTEST_WRAPPING
_CONTROLS = bytes((*range(9), 11, *range(14, 32), 127))


def is_prose(body: bytes, recogniser: Recogniser) -> bool:
    """Can nothing be packed in this short text, so that looking for pictures in it takes a time
    that only its length decides?"""
    if len(body) > LONGEST or stringzilla.find_first_of(body, _CONTROLS) >= 0:
        return False
    if stringzilla.find(b" " + stringzilla.translate(body, _SPACED), _PACKED) >= 0:
        return False
    # Only where lines of base64 are indented, spaces stand in it.
    runs = base64_runs.runs(body, 0, len(body), recogniser)
    if any(last - first >= SHORTEST_WRAPPING for first, last in runs):
        return False
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True

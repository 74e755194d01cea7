"""Short text of words, which takes next to no time to look into."""

from __future__ import annotations

import re

LONGEST = 1 << 14  # bytes
# What is packed or encoded has no spaces, and where it is shorter holds no picture with something
# to say; what is packed without being encoded has control characters.
_PACKED = re.compile(rb"[^ ]{400}|[\x00-\x08\x0b\x0e-\x1f\x7f]")


def is_prose(body: bytes) -> bool:
    """Can nothing be packed in this short text, so that looking for pictures in it takes a time
    that only its length decides?"""
    if len(body) > LONGEST or _PACKED.search(body) is not None:
        return False
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True

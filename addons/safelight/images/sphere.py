"""Spherical Video V1 (Google's RFC): an XML packet in a track that says how to show a film all
around; only its numbers stay.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from safelight.images.model import Kind

if TYPE_CHECKING:
    from safelight.images.blanking import Blanks
    from safelight.images.boxes import Box

_ID = bytes.fromhex("ffcc8263f8554a938814587a02521fdd")
_HEAD = (
    b'<?xml version="1.0"?><rdf:SphericalVideo'
    b' xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
    b' xmlns:GSpherical="http://ns.google.com/videos/1.0/spherical/">'
)
_TAIL = b"</rdf:SphericalVideo>"
_VALUE = re.compile(
    rb"<GSpherical:(Spherical|Stitched|ProjectionType|StereoMode|InitialView\w{1,20}Degrees"
    rb"|FullPano\w{1,20}Pixels|Cropped\w{1,30}Pixels)>\s{0,9}([\w.-]{1,20})\s{0,9}</GSpherical:\1>"
)
_STITCHER = b"<GSpherical:StitchingSoftware>-</GSpherical:StitchingSoftware>"
MOST_BYTES = 20_000


def scrub(blanks: Blanks, box: Box) -> bool:
    """Keep what shows the film of a `uuid` box; False if it is another or has no room for it."""
    data = blanks.data
    start = box.payload + len(_ID)
    if data[box.payload : start] != _ID or box.end - box.payload > MOST_BYTES:
        return False
    values = dict(_VALUE.findall(data[start : box.end]))
    written = b"".join(
        b"<GSpherical:%b>%b</GSpherical:%b>" % (key, value, key) for key, value in values.items()
    )
    room = box.end - start
    packets = (_HEAD + written + _STITCHER + _TAIL, _HEAD + written + _TAIL)
    packet = next((one.ljust(room) for one in packets if len(one) <= room), b"")
    if not values or not packet:
        return False
    if packet != data[start : box.end]:
        blanks.find({Kind.SOFTWARE}, "uuid box", start, box.end)
        blanks.put(start, packet)
    return True

"""ICC profiles (ICC.1:2022): what colours are computed from stays, everything else is blanked."""

from __future__ import annotations

import struct
from functools import lru_cache, wraps
from typing import TYPE_CHECKING

from safelight.images import icc_elements

if TYPE_CHECKING:
    from collections.abc import Callable

_HEADER_SIZE = 128
_ENTRY = struct.Struct(">4sII")
MOST_TAGS = 200
SMALL = 4096
_NOWHERE = 0xFFFFFFFF
# Tags of section 9.2 that say how colours are converted, with those of Apple's displays.
_COLOUR_TAGS = frozenset(
    b"A2B0 A2B1 A2B2 A2B3 B2A0 B2A1 B2A2 B2A3 B2D0 B2D1 B2D2 B2D3 D2B0 D2B1 D2B2 D2B3 "
    b"rXYZ gXYZ bXYZ rTRC gTRC bTRC kTRC wtpt bkpt chad chrm cicp ciis clro gamt gbd0 gbd1 "
    b"lumi meas view pre0 pre1 pre2 rig0 rig2 vcgt ndin aarg aabg aagg scrn resp ncl2 "
    b"c2sp s2cp svcn swpt".split()
)
_TEXT_TYPES = frozenset({b"desc", b"mluc", b"text", b"dict"})
# Date; device maker and model; creator, profile id, reserved: section 7.2.
_PRIVATE_HEADER = tuple((start, bytes(size)) for start, size in ((24, 12), (48, 8), (80, 48)))


class ProfileError(ValueError):
    """The profile's tag table cannot be followed."""


def remembered(work: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """`work` that is done once for each small profile: the few of cameras and programs come again
    with every picture."""
    again = lru_cache(maxsize=64)(work)

    @wraps(work)
    def done(profile: bytes) -> bytes:
        return again(profile) if len(profile) <= SMALL else work(profile)

    return done


@remembered
def scrubbed(profile: bytes) -> bytes:
    """A profile of the same length and colours that describes nothing else.

    Raises ProfileError when its structure is broken.
    """
    if len(profile) < _HEADER_SIZE + 4 or profile[36:40] != b"acsp":
        raise ProfileError("it is not an ICC profile")
    (count,) = struct.unpack_from(">I", profile, _HEADER_SIZE)
    table_end = _HEADER_SIZE + 4 + 12 * count
    if count > MOST_TAGS or table_end > len(profile):
        raise ProfileError("its tag table is broken")
    result = bytearray(len(profile))
    result[:table_end] = profile[:table_end]
    for start, blank in _PRIVATE_HEADER:
        result[start : start + len(blank)] = blank
    readable = 8 * len(profile)
    table = profile[_HEADER_SIZE + 4 : table_end]
    for number, (tag, offset, size) in enumerate(_ENTRY.iter_unpack(table)):
        if offset + size > len(profile):
            # Colour management passes over such a tag, or refuses the profile; so it does still.
            position = _HEADER_SIZE + 4 + _ENTRY.size * number
            _ENTRY.pack_into(result, position, tag, _NOWHERE, _NOWHERE)
            continue
        if offset < table_end:
            continue
        readable -= size
        if readable < 0:
            raise ProfileError("its tags overlap")
        kept = _kept_size(profile, tag, offset, size)
        result[offset : offset + kept] = profile[offset : offset + kept]
    return bytes(result)


def _kept_size(profile: bytes, tag: bytes, offset: int, size: int) -> int:
    """How many bytes of a tag's element are needed."""
    if tag in _COLOUR_TAGS:
        return min(size, icc_elements.length(profile, offset, size))
    # The type stays, so that readers find an empty text instead of none.
    return min(size, 4) if profile[offset : offset + 4] in _TEXT_TYPES else 0

"""ICC profiles (ICC.1:2022): blank what describes the owner's devices, keep every colour."""

from __future__ import annotations

import struct

_HEADER_SIZE = 128
MOST_TAGS = 200
_PRIVATE_TAGS = {
    b"desc",
    b"dmnd",
    b"dmdd",
    b"cprt",
    b"mmod",
    b"meta",
    b"targ",
    b"calt",
    b"dscm",
    b"vued",
    b"devs",
    b"ncol",
    b"psid",
    b"tech",
    b"dict",
    b"CIED",
    b"DevD",
    b"arts_",
}
_TEXT_TYPES = {b"desc", b"mluc", b"text", b"dict"}
# Date, device maker and model, creator, profile id, reserved: section 7.2.
_PRIVATE_HEADER = ((24, 36), (48, 56), (80, 84), (84, 100), (100, 128))


class ProfileError(ValueError):
    """The profile's tag table cannot be followed."""


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
    for start, end in _PRIVATE_HEADER:
        result[start:end] = bytes(end - start)
    readable = 8 * len(profile)
    for position in range(_HEADER_SIZE + 4, table_end, 12):
        tag = profile[position : position + 4]
        offset, size = struct.unpack_from(">II", profile, position + 4)
        if offset + size > len(profile) or offset < table_end:
            continue  # colour management passes over a tag that points outside, and so do we
        readable -= size
        if readable < 0:
            raise ProfileError("its tags overlap")
        if tag not in _PRIVATE_TAGS:
            result[offset : offset + size] = profile[offset : offset + size]
        elif profile[offset : offset + 4] in _TEXT_TYPES:
            # The type stays, so that readers find an empty text instead of none.
            result[offset : offset + 4] = profile[offset : offset + min(4, size)].ljust(4, b"\0")
    return bytes(result)

"""Tags of TIFF 6.0, its supplements and DNG 1.7 that a picture needs to look the same, each with
the types and the number of values it has.
"""

from __future__ import annotations

from PIL import TiffTags

from safelight.images.keeping import COPYRIGHT_TAG, LONGEST_COPYRIGHT, Keep, keeps

STRIP_OFFSETS, STRIP_COUNTS = 0x0111, 0x0117
TILE_OFFSETS, TILE_COUNTS = 0x0144, 0x0145
FREE_OFFSETS, FREE_COUNTS = 0x0120, 0x0121
JPEG_OFFSET, JPEG_LENGTH = 0x0201, 0x0202
JPEG_TABLE_TAGS = (0x0207, 0x0208, 0x0209)  # old JPEG: quantisation, DC and AC tables
SUB_IFDS = 0x014A
ORIENTATION = 0x0112
WIDTH, HEIGHT = 0x0100, 0x0101
BITS, COMPRESSION, PHOTOMETRIC, SAMPLES, ROWS, PLANAR = (
    *(0x0102, 0x0103, 0x0106, 0x0115, 0x0116, 0x011C),
)
TILE_WIDTH, TILE_HEIGHT = 0x0142, 0x0143
ICC_PROFILE = 0x8773
OLD_SUBFILE, NEW_SUBFILE = 0x00FF, 0x00FE
DNG_VERSION = 0xC612
JPEG_TABLES = 0x015B
ICC_PROFILES = frozenset({ICC_PROFILE, 0xC68F, 0xC691})
OPCODES = frozenset({0xC740, 0xC741, 0xC74E})
GAIN_MAPS = frozenset({0xCD2D, 0xCD40})
COLOUR_MAP, INDEXED = 0x0140, 0x015A

_BYTES, _TEXT = frozenset({1, 2, 6, 7}), frozenset({1, 2})
_WHOLE = frozenset({3, 4, 8, 9, 13, 16, 17, 18})
_NUMBERS = _WHOLE | {5, 10, 11, 12}
# Single numbers are sometimes written as bytes, as long as they fit into the entry.
_INLINE = 4
# How many values there may be: as many as the file has, or so many for each sample of a pixel.
_ANY, _EACH, _TWO_EACH = 1 << 40, -1, -2
_FEWEST_SAMPLES, MOST_SAMPLES = 4, 0xFFFF
_CURVES = 3 << 16

_SHAPES: tuple[tuple[frozenset[int], int, tuple[int, ...]], ...] = (
    # Structure, photometry and resolution.
    (_WHOLE, 1, (NEW_SUBFILE, OLD_SUBFILE, WIDTH, HEIGHT, PHOTOMETRIC, 0x0107, 0x0108, 0x0109)),
    (_WHOLE, 1, (0x010A, ORIENTATION, SAMPLES, ROWS, PLANAR, 0x0122, 0x0124, 0x0125, 0x0128)),
    (_WHOLE, 1, (0x013D, TILE_WIDTH, TILE_HEIGHT, 0x0146, 0x0147, 0x0148, 0x014C, 0x014E)),
    (_WHOLE, 1, (INDEXED, 0x0200, JPEG_OFFSET, JPEG_LENGTH, 0x0203, 0x0213)),
    # Pixar's, SGI's and IT8's sizes; how JPEG XL was written.
    (_WHOLE, 1, (0x80E3, 0x80E5, 0x80E6, 0x8214, 0x8215, 0x84E3, 0xCD4A, 0xCD4B)),
    (_WHOLE, 2, (0x0129, 0x0141, 0x0212, 0x828D, 0xC5F2)),
    (_WHOLE, 6, (0x0156,)),
    (_WHOLE, _EACH, (BITS, COMPRESSION, 0x0118, 0x0119, 0x0152, 0x0153, 0x0205, 0x0206, 0x80E4)),
    (_WHOLE, _EACH, JPEG_TABLE_TAGS),
    (_WHOLE | {1}, _TWO_EACH, (0x0150,)),
    (_NUMBERS, 1, (0x011A, 0x011B, 0x011E, 0x011F, 0xCD49)),
    (_NUMBERS, 2, (0x013E,)),
    (_NUMBERS, 3, (0x0211,)),
    (_NUMBERS, 6, (0x013F, 0x0214)),
    (_NUMBERS, _EACH, (0x0154, 0x0155)),
    (_WHOLE, _ANY, (STRIP_OFFSETS, STRIP_COUNTS, TILE_OFFSETS, TILE_COUNTS, SUB_IFDS)),
    (_WHOLE, _CURVES, (0x0123, 0x012D, COLOUR_MAP)),
    (_BYTES, _ANY, (ICC_PROFILE, JPEG_TABLES)),
    # DNG: how raw values become colours. No serials, names, dates or thumbnails.
    (_BYTES, 4, (DNG_VERSION, 0xC613)),
    (_BYTES, 8, (0xCD47,)),
    (_BYTES | _WHOLE, _EACH, (0xC616,)),
    (_BYTES | _WHOLE, 64, (0x828E,)),
    (_WHOLE, 1, (0xC617, 0xC635, 0xC65A, 0xC65B, 0xC6BF, 0xC6FD, 0xC71F, 0xC7A3, 0xC7A4)),
    (_WHOLE, 1, (0xC7A6, 0xCD31, 0xCD43)),
    (_WHOLE, 2, (0xC619, 0xC71E)),
    (_WHOLE, 3, (0xC6F9, 0xC725)),
    (_WHOLE, 4, (0xC68D, 0xCD38)),
    (_WHOLE, 64, (0xC68E,)),
    (_WHOLE, _CURVES, (0xC618,)),
    (_NUMBERS, 1, (0xC62A, 0xC62B, 0xC62C, 0xC62D, 0xC62E, 0xC631, 0xC632, 0xC633, 0xC65C)),
    (_NUMBERS, 1, (0xC6F7, 0xC764, 0xC7A5)),
    (_NUMBERS, 2, (0xC61E, 0xC61F, 0xC620, 0xC629)),
    (_NUMBERS, 4, (0xC7B5,)),
    (_NUMBERS, 36, (0xC621, 0xC622, 0xC623, 0xC624, 0xC625, 0xC626, 0xC627, 0xC628, 0xC690)),
    (_NUMBERS, 36, (0xC692, 0xC714, 0xC715, 0xC761, 0xCD32, 0xCD33, 0xCD34, 0xCD3A)),
    (_NUMBERS, 1024, (0xC61A, 0xC61D)),
    (_NUMBERS, _ANY, (0xC61B, 0xC61C, 0xC6FA, 0xC6FB, 0xC6FC, 0xC726, 0xCD39)),
    (_BYTES, _ANY, (0xC68F, 0xC691, *sorted(OPCODES), *sorted(GAIN_MAPS), 0xCD3F)),
    (_BYTES, 4096, (0xCD35, 0xCD36, 0xCD37)),
    # Raw converters choose the colour profile by the camera's name, and match signatures.
    (_TEXT, 128, (0xC614, 0xC6F3, 0xC6F4)),
)
# Without these pixels cannot be found.
ESSENTIAL = frozenset(
    {WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, SAMPLES, ROWS, PLANAR, TILE_WIDTH, TILE_HEIGHT}
    | {STRIP_OFFSETS, STRIP_COUNTS, TILE_OFFSETS, TILE_COUNTS}
)
KEPT = {tag: (types, most) for types, most, several in _SHAPES for tag in several}


def is_kept(tag: int, type_: int, count: int, samples: int = MOST_SAMPLES) -> bool:
    """Is it a tag that a picture of so many samples a pixel needs, with values that it can have?"""
    if tag == COPYRIGHT_TAG and keeps(Keep.COPYRIGHT):
        return type_ in _TEXT and count <= LONGEST_COPYRIGHT
    if tag not in KEPT:
        return False
    types, most = KEPT[tag]
    if type_ in _BYTES and count <= _INLINE and types is not _TEXT:
        return True
    return type_ in types and count <= (most if most > 0 else -most * max(samples, _FEWEST_SAMPLES))


def name(tag: int) -> str:
    """What people call it; its number where nobody does."""
    found: str = TiffTags.lookup(tag).name
    return f"{tag:#06x}" if found == "unknown" else found


# Tags that say things, by what they say. Everything that is not kept goes, known here or not.
LOCATION = frozenset({0x8825, 0x830E, 0x8482, 0x85D8, 0x87AF, 0x87B0, 0x87B1, 0xA480, 0xA481})
EXIF_IFD, GPS_IFD = 0x8769, 0x8825
XMP, IPTC, PHOTOSHOP = 0x02BC, 0x83BB, 0x8649
IMAGE_SOURCE_DATA = 0x935C
C2PA = 0xCD41

"""Tags of TIFF 6.0, its supplements and DNG 1.7 that a picture needs to look the same."""

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

KEPT = frozenset(
    {
        # Structure, photometry and resolution.
        *(NEW_SUBFILE, OLD_SUBFILE, WIDTH, HEIGHT, 0x0102, 0x0103, 0x0106, 0x0107, 0x0108),
        *(0x0109, 0x010A, STRIP_OFFSETS, ORIENTATION, 0x0115, 0x0116, STRIP_COUNTS, 0x0118),
        *(0x0119, 0x011A, 0x011B, 0x011C, 0x011E, 0x011F, 0x0122, 0x0123, 0x0124, 0x0125),
        *(0x0128, 0x0129, 0x012D, 0x013D, 0x013E, 0x013F, 0x0140, 0x0141, 0x0142, 0x0143),
        *(TILE_OFFSETS, TILE_COUNTS, 0x0146, 0x0147, 0x0148, SUB_IFDS, 0x014C, 0x014E, 0x0150),
        *(0x0152, 0x0153, 0x0154, 0x0155, 0x0156, 0x0157, 0x0158, 0x0159, 0x015A, 0x015B),
        *(0x0200, JPEG_OFFSET, JPEG_LENGTH, 0x0203, 0x0205, 0x0206, *JPEG_TABLE_TAGS),
        *(0x0211, 0x0212, 0x0213, 0x0214, ICC_PROFILE, 0x80E3, 0x80E4, 0x80E5, 0x80E6, 0x8214),
        # SGI and LogLuv scaling, CFA patterns, JPEG XL, LERC and WebP compression details.
        *(0x80E8, 0x828D, 0x828E, 0x84E3, 0xC5F2, 0xC5F3, 0xCD49, 0xCD4A, 0xCD4B),
        # DNG: how raw values become colours. No serials, names, dates or thumbnails.
        *(DNG_VERSION, 0xC613, 0xC616, 0xC617, 0xC618, 0xC619, 0xC61A, 0xC61B, 0xC61C, 0xC61D),
        *(0xC61E, 0xC61F, 0xC620, 0xC621, 0xC622, 0xC623, 0xC624, 0xC625, 0xC626, 0xC627),
        *(0xC628, 0xC629, 0xC62A, 0xC62B, 0xC62C, 0xC62D, 0xC62E, 0xC632, 0xC635, 0xC65A),
        *(0xC65B, 0xC65C, 0xC68D, 0xC68E, 0xC714, 0xC715, 0xC725, 0xC726, 0xC740, 0xC741),
        *(0xC74E, 0xC7A5, 0xC7A6, 0xC7B5, 0xC7E8, 0xC7A3, 0xC7A4, 0xC6F7, 0xC6F9, 0xC6FA),
        *(0xC6FB, 0xC6FC, 0xC6FD, 0xC761, 0xC764, 0xC7E9),
        *(0xC631, 0xC633, 0xC68F, 0xC690, 0xC691, 0xC692, 0xC6BF, 0xC6F3, 0xC6F4, 0xC71E, 0xC71F),
        *(0xCD2D, 0xCD31, 0xCD32, 0xCD33, 0xCD34, 0xCD35, 0xCD36, 0xCD37, 0xCD38, 0xCD39, 0xCD3A),
        *(0xCD3F, 0xCD40, 0xCD43),
        0xC614,  # UniqueCameraModel: raw converters choose the colour profile by it
    }
)
ICC_PROFILES = frozenset({ICC_PROFILE, 0xC68F, 0xC691})
JPEG_TABLES = 0x015B
OPCODES = frozenset({0xC740, 0xC741, 0xC74E})
# Values that are bytes or text where they do not fit in the entry; others are numbers.
_TEXTS = frozenset({0xC614, 0xC6F3, 0xC6F4})
_BYTES = ICC_PROFILES | OPCODES | _TEXTS | {JPEG_TABLES, 0x828E, 0xC616}
_BYTES |= {0xCD2D, 0xCD40, 0xCD3F, 0xCD35, 0xCD36, 0xCD37}
# Numbers of which there may be many: places, curves and tables of colours.
_LONG = frozenset(
    {STRIP_OFFSETS, STRIP_COUNTS, TILE_OFFSETS, TILE_COUNTS, SUB_IFDS, 0x0122, 0x0123, 0x012D}
    | {0xC618, 0xC61B, 0xC61C, 0xC6FA, 0xC6FB, 0xC6FC, 0xC726, 0xCD39, *_BYTES}
)
_COLOUR_MAP, _LARGEST_COLOUR_MAP = 0x0140, 3 << 16
_MOST_NUMBERS = 1024
_LONGEST_TEXT = 128
_BYTE_TYPES = frozenset({1, 2, 6, 7})
_TEXT_TYPES = frozenset({1, 2})
_INLINE = 8


def is_kept(tag: int, type_: int, count: int) -> bool:
    """Is it a tag that a picture needs, with a value of the kind that it has?"""
    if tag == COPYRIGHT_TAG and keeps(Keep.COPYRIGHT):
        return type_ in _TEXT_TYPES and count <= LONGEST_COPYRIGHT
    if tag not in KEPT or (type_ in _BYTE_TYPES and count > _INLINE and tag not in _BYTES):
        return False
    if tag in _TEXTS and (type_ not in _TEXT_TYPES or count > _LONGEST_TEXT):
        return False
    most = _LARGEST_COLOUR_MAP if tag == _COLOUR_MAP else _MOST_NUMBERS
    return tag in _LONG or count <= most


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

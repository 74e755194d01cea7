"""The `ftyp` box (ISO/IEC 14496-12 section 4.3): brands that are known stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safelight.images.model import ImageError, Kind

if TYPE_CHECKING:
    from safelight.images.blanking import Blanks
    from safelight.images.boxes import Box

MOST_BRANDS = 64
# Registered at mp4ra.org: what files with pictures and movies say they are.
_KNOWN = frozenset(
    b"isom iso2 iso3 iso4 iso5 iso6 iso7 iso8 iso9 isoa isob isoc mp41 mp42 mp71 avc1 hvc1 av01 "
    b"MSNV XAVC dby1 mmp4 dash msdh msix cmfc cmf2 cmff cmfs cmfl 3gp4 3gp5 3gp6 3gp7 3gp8 3gp9 "
    b"3gr6 3gs6 3ge6 3gg6 3gh9 3g2a 3g2b 3g2c mif1 mif2 mif3 msf1 miaf MiHA MiHB MiHE MiPr MiAB "
    b"MA1A MA1B avif avis avio avci avcs heic heix heim heis hevc hevx hevm hevs vvic vvis evbi "
    b"jpeg jpgs j2ki j2is 1pic pred tmap jpxb jphc mjp2 unif geo1".split()
) | {b"qt  ", b"M4V ", b"M4A ", b"M4B ", b"M4P ", b"jp2 ", b"jpx ", b"jpm ", b"jph ", b"jxl "}
_NONE = bytes(4)


def scrub(blanks: Blanks, box: Box) -> None:
    """Put the main brand in place of those that nobody registered. Raises ImageError."""
    data = blanks.data
    size = box.end - box.payload
    if size < 8 or size % 4 or size > 8 + 4 * MOST_BRANDS:
        raise ImageError("This file does not say rightly what it is.")
    main = data[box.payload : box.payload + 4]
    for position in range(box.payload + 8, box.end, 4):
        brand = data[position : position + 4]
        if brand not in _KNOWN and brand not in (main, _NONE):
            blanks.find({Kind.UNKNOWN_DATA}, "brand of an unknown kind", position, position + 4)
            blanks.put(position, main)

"""What is done to each format, in words: for people, and for docs/formats.md."""

from __future__ import annotations

from dataclasses import dataclass

from safelight.images.model import Format
from safelight.images.streaming import STREAMED

CUTS = "cut out"
BLANKS = "blanked in place, the tail cut off"
ANEW = "written anew"
FILLS = "blanked in place"
FITS = "written anew and padded; refused if it does not fit"


@dataclass(frozen=True, slots=True)
class About:
    """Names of the format, what stays, what goes, and how that is done in each length."""

    names: str
    kept: str
    gone: str
    compact: str
    same_length: str = FILLS


_ALWAYS = "Exif, XMP, IPTC, comments, content credentials"
ABOUT = {
    Format.JPEG: About(
        "JPEG, Ultra HDR, MPO",
        "scans, tables, JFIF density, Adobe colour transform, orientation, colour profile without "
        "its texts, HDR gain map with its numbers",
        f"{_ALWAYS}, thumbnails, motion photos and whatever else stands behind the picture, "
        "segments between scans, unknown segments",
        CUTS,
    ),
    Format.PNG: About(
        "PNG, APNG",
        "pixels, palette, transparency, gamma, colour, density, animation, orientation",
        f"{_ALWAYS}, texts, AI prompts, times, unknown chunks, what stands behind the picture",
        CUTS,
    ),
    Format.WEBP: About(
        "WebP",
        "pixels, alpha, animation, colour profile without its texts, orientation",
        f"{_ALWAYS}, unknown chunks, also in frames, chunks that are never shown, what stands "
        "behind the picture",
        CUTS,
    ),
    Format.GIF: About(
        "GIF",
        "frames, palettes, timing, loops",
        "comments, XMP, other application data, drawn plain text, what stands behind the picture",
        CUTS,
    ),
    Format.HEIF: About(
        "HEIC, HEIF",
        "coded pictures, tiles, alpha, HDR gain map, turning and mirroring, colour",
        f"{_ALWAYS}, thumbnails, depth maps and other mattes, times and texts of sequences, "
        "unknown properties, groups and boxes, messages to decoders, bytes that belong to nothing",
        BLANKS,
    ),
    Format.AVIF: About(
        "AVIF",
        "coded pictures, tiles, alpha, HDR gain map, turning and mirroring, colour",
        f"{_ALWAYS}, thumbnails, depth maps and other mattes, times and texts of sequences, "
        "unknown properties, groups and boxes, messages to decoders, bytes that belong to nothing",
        BLANKS,
    ),
    Format.TIFF: About(
        "TIFF, BigTIFF, DNG",
        "every page but smaller copies, what decodes it, density, orientation, colour; in DNG "
        "what raw pixels need",
        f"{_ALWAYS}, smaller copies of pages, maps of depth, masks, texts of pages, private tags, "
        "values that no tag has, metadata of strips that are JPEG, PNG, WebP or JPEG 2000, bytes "
        "that belong to nothing. A DNG's preview pages stay, cleaned",
        BLANKS,
    ),
    Format.JXL: About(
        "JPEG XL",
        "codestream, gain map",
        f"{_ALWAYS}, also compressed ones, JPEG reconstruction data, names of channels and frames, "
        "unknown boxes, what stands behind the codestream",
        CUTS,
    ),
    Format.JP2: About(
        "JPEG 2000",
        "codestream, palette, colour, resolution",
        f"{_ALWAYS}, comments in the codestream and its tiles, unknown segments and boxes, also in "
        "the header. Compositions of several codestreams are refused",
        CUTS,
    ),
    Format.BMP: About(
        "BMP",
        "header, palette, pixels, colour profile without its texts",
        "gaps, palettes that are not drawn, fields that nobody reads, paths of profiles, what "
        "stands behind the picture",
        BLANKS,
    ),
    Format.ICO: About(
        "ICO, CUR",
        "bitmaps and PNGs without their metadata",
        "gaps between the pictures, what stands behind them",
        BLANKS,
    ),
    Format.PSD: About(
        "PSD",
        "layers, channels, the colour profile without its texts, resolution",
        f"{_ALWAYS}, names of layers, gradients and patterns, embedded files, thumbnails, paths, "
        "history, other resources, what stands behind the pixels of layers",
        CUTS,
    ),
    Format.SVG: About(
        "SVG",
        "everything that is drawn; scripts and references elsewhere stay, and are reported",
        "comments, also in style sheets, metadata, titles, labels and descriptions, texts that are "
        "not drawn, names that nothing uses, paths on disks, what belongs to editors, metadata of "
        "pictures inside",
        CUTS,
    ),
    Format.MP4: About(
        "MP4, MOV",
        "pictures and sound, how they are played",
        "places, times, makers, names of encoders, their notes between coded pictures, tracks of "
        "text, depth and metadata, media data that belongs to no track, unknown boxes at every "
        "level",
        BLANKS,
    ),
    Format.PDF: About(
        "PDF",
        "pages, fonts, forms, notes; pictures and attached pictures without their metadata",
        "properties, XMP, previews, private data of programs, keys that nothing needs, folders, "
        "comments, authors and times of notes, earlier versions. Signed documents are refused",
        ANEW,
        FITS,
    ),
    Format.ZIP: About(
        "DOCX, XLSX, PPTX, ODT and their like; ZIP",
        "content; pictures without their metadata; other files as they are packed",
        "properties, previews, names of authors, numbers of editing sessions, comments of programs "
        "and their data, files that do not belong to the document, folders, times of the files, "
        "printers, what stands between the files. An archive without pictures is left alone",
        ANEW,
        FITS,
    ),
    Format.RAW: About(
        "CR2, CR3, NEF, ARW, RAF and other camera RAW",
        "nothing: it is refused",
        "its serial numbers and what its colours are computed from stand in the same place",
        "refused",
        "refused",
    ),
}


def table() -> str:
    """All formats as a Markdown table."""
    rows = [
        "| format | what stays | what goes | compact | same length | on its way |",
        "|---|---|---|---|---|---|",
    ]
    for known, about in ABOUT.items():
        streamed = "yes" if known in STREAMED else "no"
        cells = (about.names, about.kept, about.gone, about.compact, about.same_length, streamed)
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)

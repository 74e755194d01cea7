"""Pictures with secrets, made here: every secret holds the word CANARY."""

from __future__ import annotations

import base64
import io
import re
import zlib

import piexif
from PIL import Image, PngImagePlugin

CANARY = b"CANARY"


def pixels(width: int = 64, height: int = 48) -> Image.Image:
    """A small picture in which every pixel differs from its neighbours."""
    image = Image.new("RGB", (width, height))
    image.putdata(
        [(x * 4 % 256, y * 5 % 256, (x * y) % 256) for y in range(height) for x in range(width)]
    )
    return image


def exif(orientation: int = 6) -> bytes:
    """An Exif block with a place, a time, a device and a thumbnail."""
    thumbnail = io.BytesIO()
    pixels(16, 12).save(thumbnail, "JPEG")
    block: bytes = piexif.dump(
        {
            "0th": {
                piexif.ImageIFD.Make: b"CANARY Cameras",
                piexif.ImageIFD.Model: b"CANARY 5",
                piexif.ImageIFD.Artist: b"CANARY Anna",
                piexif.ImageIFD.Orientation: orientation,
            },
            "Exif": {
                piexif.ExifIFD.DateTimeOriginal: b"2026:05:04 12:34:56",
                piexif.ExifIFD.BodySerialNumber: b"CANARY-123456",
            },
            "GPS": {
                piexif.GPSIFD.GPSLatitudeRef: b"N",
                piexif.GPSIFD.GPSLatitude: ((48, 1), (51, 1), (3024, 100)),
                piexif.GPSIFD.GPSLongitudeRef: b"E",
                piexif.GPSIFD.GPSLongitude: ((2, 1), (17, 1), (4020, 100)),
            },
            "1st": {},
            "thumbnail": thumbnail.getvalue(),
        }
    )
    return block


def jpeg(orientation: int = 6, *, width: int = 64, height: int = 48) -> bytes:
    """A JPEG that says where, when, with what and by whom it was taken."""
    output = io.BytesIO()
    pixels(width, height).save(
        output, "JPEG", quality=90, exif=exif(orientation), comment=b"CANARY comment"
    )
    return output.getvalue()


def large_jpeg() -> bytes:
    """A JPEG of more than 9 MB: what upload libraries send in pieces."""
    output = io.BytesIO()
    noise = Image.effect_noise((3_000, 3_000), 90).convert("RGB")
    noise.save(output, "JPEG", quality=97, exif=exif(), comment=b"CANARY comment")
    assert output.tell() > 9_000_000
    return output.getvalue()


def clean_jpeg() -> bytes:
    """A JPEG that says nothing."""
    output = io.BytesIO()
    pixels().save(output, "JPEG", quality=90)
    return output.getvalue()


def png() -> bytes:
    """A PNG with text, a prompt and Exif."""
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", "CANARY Anna")
    text.add_text("parameters", "CANARY prompt", zip=True)
    output = io.BytesIO()
    pixels().save(output, "PNG", pnginfo=text, exif=exif()[6:])
    return output.getvalue()


def webp() -> bytes:
    """A lossless WebP with Exif and XMP."""
    output = io.BytesIO()
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>CANARY</x:xmpmeta>"
    pixels().save(output, "WEBP", lossless=True, exif=exif()[6:], xmp=xmp)
    return output.getvalue()


def gif() -> bytes:
    """An animated GIF with a comment."""
    output = io.BytesIO()
    frames = [pixels().rotate(angle).convert("P") for angle in (0, 90, 180)]
    frames[0].save(
        output,
        "GIF",
        save_all=True,
        append_images=frames[1:],
        duration=80,
        loop=0,
        comment=b"CANARY comment",
    )
    return output.getvalue()


def says_secrets(data: bytes) -> bool:
    """Is a secret left in `data`, plain, in base64 or in a zlib stream that starts anywhere?"""
    if CANARY in data:
        return True
    for text in re.findall(rb"[A-Za-z0-9+/\r\n]{40,}", data):
        packed = text.translate(None, b"\r\n")
        if CANARY in base64.b64decode(packed[: len(packed) // 4 * 4]):
            return True
    start = data.find(b"x")
    while start >= 0:
        try:
            if CANARY in zlib.decompressobj().decompress(data[start:], 1 << 20):
                return True
        except zlib.error:
            pass
        start = data.find(b"x", start + 1)
    return False


def same_pixels(before: bytes, after: bytes) -> bool:
    """Do both decode to the same pixels, as stored (without turning)?"""
    first, second = Image.open(io.BytesIO(before)), Image.open(io.BytesIO(after))
    return first.size == second.size and first.tobytes() == second.tobytes()

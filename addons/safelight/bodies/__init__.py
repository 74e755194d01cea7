"""Request bodies: find the images in them, put cleaned ones back, touch nothing else."""

from safelight.bodies.coding import CodingError, ExpandsTooFarError
from safelight.bodies.coding import decode as decode_coding
from safelight.bodies.coding import encode as encode_coding
from safelight.bodies.model import (
    Doubt,
    Doubtful,
    Encoding,
    Name,
    Recogniser,
    Shape,
    Site,
    Survey,
)
from safelight.bodies.promises import binds_bytes, is_piece, promises_length
from safelight.bodies.rewrite import content, rewrite
from safelight.bodies.survey import survey

__all__ = [
    "CodingError",
    "Doubt",
    "Doubtful",
    "Encoding",
    "ExpandsTooFarError",
    "Name",
    "Recogniser",
    "Shape",
    "Site",
    "Survey",
    "binds_bytes",
    "content",
    "decode_coding",
    "encode_coding",
    "is_piece",
    "promises_length",
    "rewrite",
    "survey",
]

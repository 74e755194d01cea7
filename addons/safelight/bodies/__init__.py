"""Request bodies: find the images in them, put cleaned ones back, touch nothing else."""

from safelight.bodies.announced import Announcement, announced
from safelight.bodies.coding import CodingError, ExpandsTooFarError
from safelight.bodies.coding import decode as decode_coding
from safelight.bodies.coding import encode as encode_coding
from safelight.bodies.declared import Declaration
from safelight.bodies.declared import neutral as neutral_declaration
from safelight.bodies.digests import DigestError, with_md5
from safelight.bodies.digests import renewed as renewed_digests
from safelight.bodies.form_piece import FormPiece, form_piece, upload_of
from safelight.bodies.hidden import beside_the_body
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
from safelight.bodies.pieces import Piece, is_partial, piece_of
from safelight.bodies.promises import is_signed, promises_length
from safelight.bodies.prose import is_prose
from safelight.bodies.rewrite import content, rewrite, stands_at
from safelight.bodies.survey import survey

__all__ = [
    "Announcement",
    "CodingError",
    "Declaration",
    "DigestError",
    "Doubt",
    "Doubtful",
    "Encoding",
    "ExpandsTooFarError",
    "FormPiece",
    "Name",
    "Piece",
    "Recogniser",
    "Shape",
    "Site",
    "Survey",
    "announced",
    "beside_the_body",
    "content",
    "decode_coding",
    "encode_coding",
    "form_piece",
    "is_partial",
    "is_prose",
    "is_signed",
    "neutral_declaration",
    "piece_of",
    "promises_length",
    "renewed_digests",
    "rewrite",
    "stands_at",
    "survey",
    "upload_of",
    "with_md5",
]

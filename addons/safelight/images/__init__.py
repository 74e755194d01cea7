"""Lossless removal of metadata: bytes in, findings and edits out. No pixel is ever decoded."""

from safelight.images.embedded import ANCHORS, find_embedded
from safelight.images.keeping import Keep
from safelight.images.model import (
    Detail,
    Edit,
    Examination,
    Finding,
    Format,
    ImageError,
    Kind,
    Length,
    UnalterableError,
    apply,
)
from safelight.images.reveal import reveal
from safelight.images.sniff import BEGINNINGS, sniff
from safelight.images.streaming import STREAMED, StreamCleaner
from safelight.images.strip import clean, examine, strip

__all__ = [
    "ANCHORS",
    "BEGINNINGS",
    "STREAMED",
    "Detail",
    "Edit",
    "Examination",
    "Finding",
    "Format",
    "ImageError",
    "Keep",
    "Kind",
    "Length",
    "StreamCleaner",
    "UnalterableError",
    "apply",
    "clean",
    "examine",
    "find_embedded",
    "reveal",
    "sniff",
    "strip",
]

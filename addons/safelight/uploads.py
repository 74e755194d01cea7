"""Uploads that arrive in pieces: each piece is cleaned as it comes, its length stays.

What is known of an upload is kept between its pieces, for a while and for a bounded number of
them. A piece that does not follow the one before cannot be judged.
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from safelight import bodies, images
from safelight.examiner import PICTURES
from safelight.images import ImageError, StreamCleaner

if TYPE_CHECKING:
    from collections.abc import Callable

    from safelight.bodies import Piece

MOST_UPLOADS = 64
MOST_REMEMBERED = 64_000_000  # bytes
LONGEST_PAUSE = 600  # seconds
_TAIL = 65_536  # bytes
_LISTED = re.compile(rb">([^<>\s]+)</(?:Latest|Uncommitted|Committed)>")


class UnknownPieceError(Exception):
    """This piece cannot be judged; the text says why, in a sentence for people."""


@dataclass(frozen=True, slots=True)
class CleanPiece:
    """What may leave of a piece, what kind of picture it is of (None: of none), and what was
    found in it and before."""

    content: bytes
    type: str | None = None
    kinds: frozenset[str] = frozenset()

    @property
    def extension(self) -> str:
        """The usual end of a file name, without the dot."""
        return images.Format(str(self.type)).extension


@dataclass(slots=True)
class _Upload:
    cleaner: StreamCleaner | None
    type: str | None
    next: int | None
    touched: float
    size: int = 0
    last: tuple[int | str | None, bytes, CleanPiece] | None = None
    identities: list[str] = field(default_factory=list)
    tail: bytes = b""
    stopped: bool = False
    approved: frozenset[str] = frozenset()


class Uploads:
    """All uploads in pieces that are on their way."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._uploads: OrderedDict[str, _Upload] = OrderedDict()

    def add(self, piece: Piece, content: bytes) -> CleanPiece:
        """Clean the next piece of an upload. Raises UnknownPieceError and ImageError; then the
        upload is forgotten, and none of its later pieces is judged."""
        with self._lock:
            try:
                return self._add(piece, content)
            except (UnknownPieceError, ImageError):
                self._stop(piece)
                raise

    def forget(self, piece: Piece) -> None:
        """Judge no later piece of this upload."""
        with self._lock:
            self._stop(piece)

    def approve(self, piece: Piece, reasons: frozenset[str]) -> None:
        """Somebody said yes to this upload, whatever these reasons say against it."""
        with self._lock:
            upload = self._uploads.get(piece.upload)
            if upload is not None:
                upload.approved |= reasons
                upload.touched = self._clock()

    def approved(self, piece: Piece) -> frozenset[str]:
        """The reasons in spite of which somebody said yes to this upload."""
        upload = self._uploads.get(piece.upload)
        return upload.approved if upload is not None else frozenset()

    def _stop(self, piece: Piece) -> None:
        upload = self._uploads.pop(piece.upload, None)
        if piece.position is None:
            # A later piece could be taken for the first of another upload.
            kept = self._uploads[piece.upload] = upload or _Upload(None, None, None, self._clock())
            kept.stopped = True

    def is_next(self, piece: Piece) -> bool:
        """Has every piece before this one come? Does not wait for those that are being cleaned."""
        if piece.is_first or piece.position is None:
            return True
        upload = self._uploads.get(piece.upload)
        return upload is not None and upload.next is not None and upload.next >= piece.position

    def _add(self, piece: Piece, content: bytes) -> CleanPiece:
        self._drop_old()
        upload = self._uploads.get(piece.upload)
        if upload is not None and upload.stopped:
            if images.sniff(content) is None:
                raise UnknownPieceError("What came before it was stopped.")
            upload = None
        if piece.lists:
            return self._listed(piece, upload, content)
        digest = hashlib.sha256(content).digest()
        place = piece.identity or piece.position
        if upload is not None and upload.last is not None:
            position, seen, clean = upload.last
            if (position, seen) == (place, digest):
                return clean  # sent again
        if piece.is_first or (piece.position is None and upload is None):
            upload = self._uploads[piece.upload] = self._begun(piece, content)
        elif upload is None or upload.next != piece.position:
            raise UnknownPieceError("It is a piece of something whose beginning was not seen.")
        if piece.start not in {None, upload.size}:
            raise UnknownPieceError("It is a piece that says two things of where it belongs.")
        upload.touched = self._clock()
        upload.size += len(content)
        if piece.position is None:
            upload.identities.append(piece.identity)
        else:
            upload.next = piece.position + (1 if piece.counts_pieces else len(content))
        clean = _cleaned(upload, content)
        upload.last = (place, digest, clean)
        self._forget_pieces()
        return clean

    def _listed(self, piece: Piece, upload: _Upload | None, content: bytes) -> CleanPiece:
        """The end of an upload whose pieces were taken to belong in the order of their coming."""
        listed = [one.decode("ascii", "replace") for one in _LISTED.findall(content)]
        if upload is not None and upload.cleaner is not None and listed != upload.identities:
            raise UnknownPieceError("Its pieces came in another order than the one they have.")
        self._uploads.pop(piece.upload, None)
        return _without_pictures(content)

    def _forget_pieces(self) -> None:
        """Pieces are kept so that they can be sent again; all together not too many bytes."""
        kept = [one for one in self._uploads.values() if one.last is not None]
        size = sum(len(one.last[2].content) for one in kept if one.last)
        for one in sorted(kept, key=lambda upload: upload.touched):
            if size <= MOST_REMEMBERED:
                return
            size -= len(one.last[2].content) if one.last else 0
            one.last = None

    def _begun(self, piece: Piece, content: bytes) -> _Upload:
        known = images.sniff(content)
        cleaner = StreamCleaner(known, piece.total) if known is not None else None
        return _Upload(cleaner, str(known) if known else None, piece.position, self._clock())

    def _drop_old(self) -> None:
        oldest = self._clock() - LONGEST_PAUSE
        for key in [key for key, one in self._uploads.items() if one.touched < oldest]:
            del self._uploads[key]
        while len(self._uploads) >= MOST_UPLOADS:
            self._uploads.popitem(last=False)


def _cleaned(upload: _Upload, content: bytes) -> CleanPiece:
    if upload.cleaner is None:
        # A picture may begin at the end of one piece and go on in the next.
        upload.tail = _without_pictures(upload.tail + content).content[-_TAIL:]
        return CleanPiece(content)
    cleaned = upload.cleaner.feed(content) + upload.cleaner.settle()
    kinds = frozenset(str(finding.kind) for finding in upload.cleaner.findings)
    return CleanPiece(cleaned, upload.type, kinds)


def _without_pictures(content: bytes) -> CleanPiece:
    found = bodies.survey(content, "", PICTURES)
    if found.sites or found.doubts:
        raise UnknownPieceError("A picture stands inside something that is sent in pieces.")
    return CleanPiece(content)

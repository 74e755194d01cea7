"""What the engine and the proxy ask about uploads in pieces: which piece is this, is it its turn,
what may leave of it, and which digest fits what left of all.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from safelight import bodies
from safelight.examiner import PICTURES
from safelight.sequences import Sequences
from safelight.uploads import Uploads

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safelight.case import Case, Outcome, Upload
    from safelight.sequences import Turn
    from safelight.services import Destination
    from safelight.uploads import CleanPiece

# How pieces travel that do not say where they belong.
_IN_FORMS = "multipart_pieces"


def _of_its_sender(piece: bodies.Piece, upload: Upload) -> bodies.Piece:
    """Two people may send to the same path at the same time."""
    destination = upload.destination
    sender = f"{upload.client} {upload.identity}"
    where = f"{destination.service.id} {destination.host_pattern}"
    return replace(piece, upload=f"{sender} {where} {piece.upload}")


class Pieces:
    """All uploads in pieces that are on their way."""

    def __init__(self) -> None:
        self._uploads = Uploads()
        self._sequences = Sequences()

    def announced(self, destination: Destination, request: bytes, answer: bytes) -> None:
        """Learn of an upload from the request that announced it and its answer."""
        takes_pieces = any(road.encoding == _IN_FORMS for road in destination.service.roads)
        announcement = bodies.announced(request, answer) if takes_pieces else None
        if announcement is not None:
            self._sequences.announce(announcement)

    def begin(self, destination: Destination, path: str) -> Turn | None:
        """A request begins to come; its turn if it brings a piece that does not say which."""
        road = destination.road
        if road is None or road.encoding != _IN_FORMS:
            return None
        return self._sequences.begin(bodies.upload_of(path))

    def end(self, turn: Turn, *, lost: bool = False) -> None:
        """An answer to a piece begins, or its connection is `lost`."""
        self._sequences.end(turn, lost=lost)

    def said(self, headers: Mapping[str, str], path: str, size: int) -> bodies.Piece | None:
        """The piece that a request of `size` bytes says it brings, if any."""
        try:
            return bodies.piece_of(headers, path, size)
        except ValueError:
            return None

    def is_next(self, upload: Upload) -> bool:
        """Were all pieces before this one judged?"""
        piece = self.said(upload.headers, upload.path, len(upload.body))
        return piece is None or self._uploads.is_next(_of_its_sender(piece, upload))

    def find(self, case: Case) -> bodies.Piece | None:
        """The piece that `case` brings; None when it is to be judged by itself. Notes the form
        that it stands in. Raises ValueError and UnknownPieceError."""
        upload = case.upload
        if upload.turn is None:
            piece = bodies.piece_of(upload.headers, upload.path, len(case.body))
            # Some protocols call all of a picture its first piece.
            whole = piece and piece.is_first and PICTURES.is_whole(memoryview(case.body))
            return None if whole or piece is None else _of_its_sender(piece, upload)
        case.form = bodies.form_piece(case.body, upload.headers.get("content-type", ""))
        # OpenAI's libraries count here how often they have sent the same before.
        again = upload.headers.get("x-stainless-retry-count", "0") != "0"
        content = bodies.content(case.body, case.form.site)
        return self._sequences.place(upload.turn, content, again=again)

    def clean(self, piece: bodies.Piece, content: bytes) -> CleanPiece:
        """What may leave of a piece. Raises UnknownPieceError and ImageError."""
        return self._uploads.add(piece, content)

    def forget(self, piece: bodies.Piece) -> None:
        """Judge no later piece of this upload."""
        self._uploads.forget(piece)

    def approve(self, piece: bodies.Piece, reasons: frozenset[str]) -> None:
        """Somebody said yes to this upload, whatever these reasons say against it."""
        self._uploads.approve(piece, reasons)

    def approved(self, piece: bodies.Piece, reasons: frozenset[str]) -> bool:
        """Did somebody say yes to this upload in spite of all these reasons?"""
        return bool(reasons) and reasons <= self._uploads.approved(piece)

    def judged(self, upload: Upload, outcome: Outcome) -> None:
        """Note what becomes of a piece that does not say where it belongs."""
        if upload.turn is None:
            return
        if outcome.refusal is not None:
            self._sequences.forget(upload.turn.upload)
            return
        content_type = upload.headers.get("content-type", "")
        try:
            came, left = (
                bodies.content(body, bodies.form_piece(body, content_type).site)
                for body in (upload.body, outcome.body)
            )
        except ValueError:
            return  # a policy let it go in doubt, as it is
        self._sequences.count(upload.turn, came, left)

    def with_digest(self, path: str, body: bytes) -> bytes:
        """The request that completes an upload, with the digest of what left of it."""
        came, left = self._sequences.digests(bodies.upload_of(path))
        return bodies.with_md5(body, came, left)

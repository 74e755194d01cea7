"""Announced uploads whose pieces do not say where they belong: they are taken to follow each other
in the order in which they come, which is certain only while one comes after the other.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from safelight.bodies import Piece
from safelight.examiner import PICTURES
from safelight.uploads import LONGEST_PAUSE, MOST_UPLOADS, UnknownPieceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from safelight.bodies import Announcement


@dataclass(slots=True)
class Turn:
    """One piece's time on its way, from its first byte until an answer to it begins.

    `crossed`: another piece of the upload was still on its way when this one began to come.
    `again`: it is the same as the one before, sent once more.
    """

    upload: str
    crossed: bool = False
    placed: bool = False
    over: bool = False
    again: bool = False


def _md5() -> hashlib._Hash:
    return hashlib.md5(usedforsecurity=False)


@dataclass(slots=True)
class _Sequence:
    """`joined`: are its pieces those of one picture? None while nobody knows."""

    announced: Announcement
    touched: float
    joined: bool | None = None
    start: int = 0
    next: int = 0
    digest: bytes = b""
    turn: Turn | None = None
    came: hashlib._Hash = field(default_factory=_md5)
    left: hashlib._Hash = field(default_factory=_md5)


class Sequences:
    """All announced uploads that are on their way: a bounded number of them, for a while."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._sequences: OrderedDict[str, _Sequence] = OrderedDict()

    def announce(self, announcement: Announcement) -> None:
        """Expect the pieces of an upload."""
        with self._lock:
            self._sequences[announcement.upload] = _Sequence(announcement, self._clock())
            while len(self._sequences) > MOST_UPLOADS:
                self._sequences.popitem(last=False)

    def begin(self, upload: str) -> Turn:
        """A piece of `upload` begins to come."""
        with self._lock:
            turn = Turn(upload)
            known = self._sequences.get(upload)
            if known is not None:
                before, known.turn = known.turn, turn
                turn.crossed = before is not None and not before.over
                if before is not None and before.over and not before.placed:
                    del self._sequences[upload]  # it was refused unread, so one is missing
            return turn

    def forget(self, upload: str) -> None:
        """Give no later piece of this upload a place."""
        with self._lock:
            self._sequences.pop(upload, None)

    def end(self, turn: Turn, *, lost: bool = False) -> None:
        """The service, or Safelight, answers the piece; `lost`: its connection broke off."""
        with self._lock:
            turn.over = True
            known = self._sequences.get(turn.upload)
            if lost and not turn.placed and known is not None and known.turn is turn:
                known.turn = None  # nothing of it left, so it can only be sent again

    def place(self, turn: Turn, content: bytes, *, again: bool) -> Piece | None:
        """Which piece this is; None when it is to be judged by itself.

        `again`: the client says that it may have sent it before. Raises UnknownPieceError; then
        no later piece of the upload has a place.
        """
        with self._lock:
            known = self._sequences.get(turn.upload)
            if known is None or known.touched < self._clock() - LONGEST_PAUSE:
                raise UnknownPieceError("It is a piece of something whose beginning was not seen.")
            try:
                piece = _placed(known, turn, content, again=again)
            except UnknownPieceError:
                del self._sequences[turn.upload]
                raise
            turn.placed = True
            known.touched = self._clock()
            return piece

    def count(self, turn: Turn, came: bytes, left: bytes) -> None:
        """A piece leaves as `left` in place of `came`."""
        with self._lock:
            known = self._sequences.get(turn.upload)
            if known is not None and not turn.again:
                known.came.update(came)
                known.left.update(left)

    def digests(self, upload: str) -> tuple[str, str]:
        """MD5 of what came of an upload and of what left, in hexadecimal; twice nothing if the
        upload is not known."""
        with self._lock:
            known = self._sequences.get(upload)
            return (known.came.hexdigest(), known.left.hexdigest()) if known else ("", "")


def _placed(known: _Sequence, turn: Turn, content: bytes, *, again: bool) -> Piece | None:
    size = known.announced.size
    digest = hashlib.sha256(content).digest()
    turn.again = again and digest == known.digest
    known.digest = digest
    if known.joined is None and len(content) == size:
        return None
    if known.joined is None:
        known.joined = PICTURES.starts_image(content, size)
        if known.announced.is_picture and not known.joined:
            raise UnknownPieceError("It was announced as a picture, but does not begin as one.")
    if not known.joined:
        return None
    if turn.crossed:
        raise UnknownPieceError("Pieces came at the same time, so their order is not known.")
    if not turn.again:
        known.start, known.next = known.next, known.next + len(content)
    return Piece(turn.upload, known.start, size)

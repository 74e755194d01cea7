"""Feeds a picture's bytes to its format's walk and gives out what may leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safelight.images.damage import STUMBLES, damaged
from safelight.images.jpeg_segments import marker_in_scan
from safelight.images.model import Format, ImageError, Length, UnalterableError
from safelight.images.streaming import boxed, gif, jpeg, png, webp
from safelight.images.streaming.steps import Blank, Pass, PassScan, Progress, Put, Take

if TYPE_CHECKING:
    from collections.abc import Callable

    from safelight.images.model import Finding
    from safelight.images.streaming.steps import Steps

_UNKNOWN_SIZE = 1 << 62
MOST_GUESSED = 8
_CUT_BADLY = "This picture is cut into pieces at places where it cannot be cleaned."
_WALKS: dict[Format, Callable[[Progress], Steps]] = {
    Format.JPEG: jpeg.walk,
    Format.PNG: png.walk,
    Format.WEBP: webp.walk,
    Format.GIF: gif.walk,
    Format.JXL: boxed.walk_jxl,
    Format.MP4: boxed.walk_movie,
}
# Formats that are walked from front to back. TIFF, HEIF and the others say at one place what
# stands at another, so they have to be there as a whole.
STREAMED = frozenset(_WALKS)


class StreamCleaner:
    """Cleans one picture of `size` bytes; what comes out is as long as what goes in.

    Fed in pieces of any size, it gives the same bytes. Memory does not grow with the picture.
    Once it has raised, what was given out before is not a picture and must not be completed.
    """

    def __init__(self, known: Format, size: int | None) -> None:
        """`size` is None where nobody knows it yet. Raises UnalterableError for formats that
        cannot be cleaned on their way."""
        if known not in _WALKS:
            raise UnalterableError(known, Length.SAME_LENGTH)
        self._format = known
        self._sized = size is not None
        self._progress = Progress(_UNKNOWN_SIZE if size is None else size, [])
        self._steps = _WALKS[known](self._progress)
        self._buffer = bytearray()
        self._fed = 0
        self._given = 0
        self._remaining = 0
        self._tail = b""
        self._guess = b""
        self._step: object = None
        self._advance(None)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was found and taken out so far."""
        return tuple(self._progress.findings)

    def feed(self, piece: bytes) -> bytes:
        """Take the next piece; return what may leave. Raises ImageError."""
        self._fed += len(piece)
        if self._fed > self._progress.size:
            raise ImageError("This picture is longer than it was said to be.")
        self._buffer += piece
        self._tail = (self._tail + piece[-MOST_GUESSED:])[-MOST_GUESSED:]
        output: list[bytes] = []
        while self._work(output):
            pass
        given = b"".join(output)
        self._given += len(given)
        if not self._guess:
            return given
        size = min(len(given), len(self._guess))
        if given[:size] != self._guess[:size]:
            raise UnalterableError(self._format, Length.SAME_LENGTH, _CUT_BADLY)
        self._guess = self._guess[size:]
        return given[size:]

    def settle(self) -> bytes:
        """Give out what is held back, so that as much has left as came.

        A few bytes, such as half of a chunk's header, can be guessed; `feed` sees whether that was
        right. Raises UnalterableError when more is held.
        """
        held = self._fed - self._given - len(self._guess)
        if held + len(self._guess) > MOST_GUESSED:
            raise UnalterableError(self._format, Length.SAME_LENGTH, _CUT_BADLY)
        guess = self._tail[-held:] if held else b""
        self._guess += guess
        return guess

    def close(self) -> None:
        """Say that all pieces were fed. Raises ImageError unless the picture is complete."""
        ended = self._step is None or (not self._sized and isinstance(self._step, Blank))
        if (self._sized and self._fed != self._progress.size) or not ended:
            raise ImageError(f"This {self._format.upper()} is cut off.")

    def _work(self, output: list[bytes]) -> bool:
        """Do what the current step allows; False when it needs more bytes."""
        step, buffer = self._step, self._buffer
        if isinstance(step, Put):
            output.append(step.data)
            self._advance(b"")
        elif isinstance(step, Take):
            if len(buffer) < step.size:
                return False
            self._advance(self._consumed(step.size))
        elif isinstance(step, Pass | Blank):
            count = min(self._remaining, len(buffer))
            if not count and self._remaining:
                return False
            passed = self._consumed(count)
            output.append(passed if isinstance(step, Pass) else bytes(count))
            self._remaining -= count
            if not self._remaining:
                self._advance(b"")
        elif isinstance(step, PassScan):
            marker = marker_in_scan(buffer)
            # A marker may stand half in this piece and half in the next.
            held_back = 1 if buffer.endswith(b"\xff") else 0
            end = len(buffer) - held_back if marker is None else marker
            output.append(self._consumed(end))
            if marker is None:
                return False
            self._advance(b"")
        else:
            return False
        return True

    def _consumed(self, count: int) -> bytes:
        taken = bytes(memoryview(self._buffer)[:count])
        del self._buffer[:count]
        self._progress.position += count
        return taken

    def _advance(self, answer: bytes | None) -> None:
        """Ask the walk for its next step; None when it is finished."""
        try:
            self._step = self._steps.send(answer)  # type: ignore[arg-type]
        except StopIteration:
            self._step = None
        except STUMBLES as error:
            raise damaged(self._format) from error
        if isinstance(self._step, Take | Pass | Blank):
            self._remaining = self._step.size
            if self._step.size > self._progress.left:
                raise ImageError(f"This {self._format.upper()} is cut off.")

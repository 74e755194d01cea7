"""What a format's walk asks of the stream, step by step. Each yields what it wants next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from safelight.images.model import ImageError, told

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from safelight.images.model import Finding, Found

# The largest part of a picture that is held to be looked at; pixels never are.
MOST_HELD = 4_000_000


@dataclass(frozen=True, slots=True)
class Take:
    """Hand over the next `size` bytes. They do not leave unless they are put."""

    size: int


@dataclass(frozen=True, slots=True)
class Put:
    """Let these bytes leave."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Pass:
    """Let the next `size` bytes leave as they are."""

    size: int


@dataclass(frozen=True, slots=True)
class Blank:
    """Let zeros leave in place of the next `size` bytes."""

    size: int


@dataclass(frozen=True, slots=True)
class PassScan:
    """Let entropy-coded JPEG data leave, up to the next marker that ends it."""


type Step = Take | Put | Pass | Blank | PassScan
type Steps = Generator[Step, bytes, None]


@dataclass(slots=True)
class Progress:
    """What a walk knows: the whole picture's size, how far it is, what it found."""

    size: int
    findings: list[Finding]
    position: int = 0

    @property
    def left(self) -> int:
        """How many bytes are still to come."""
        return self.size - self.position

    def report(self, found: Iterable[Finding | Found], start: int) -> None:
        """Note what was found in a part that starts at `start` in the picture."""
        self.findings += [
            one._replace(start=one.start + start, end=one.end + start) for one in told(found)
        ]


def held(size: int) -> Take:
    """Take a part as a whole. Raises ImageError when it is too large to be held."""
    if size > MOST_HELD:
        raise ImageError("A part of this picture is too large to be looked at on its way.")
    return Take(size)

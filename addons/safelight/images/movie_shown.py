"""What of a movie is shown and heard, where in the file it stands, and what else stands there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from safelight.images.model import ImageError, Kind
from safelight.images.movie_boxes import name

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

    from safelight.images.blanking import Blanks, Ranges
    from safelight.images.boxes import Box
    from safelight.images.coding import Coding
    from safelight.images.movie_samples import Defaults


@dataclass(slots=True)
class Shown:
    """The tracks that stay and how they are coded, and where in the file their samples stand."""

    tracks: dict[int, Coding | None] = field(default_factory=dict)
    samples: list[tuple[int, int]] = field(default_factory=list)
    coded: dict[Coding, list[tuple[int, int]]] = field(default_factory=dict)
    defaults: dict[int, Defaults] = field(default_factory=dict)

    def add(self, track: int, samples: Iterable[tuple[int, int]]) -> None:
        """Note samples of a track that stays."""
        noted = len(self.samples)
        self.samples += samples
        coding = self.tracks[track]
        if coding is not None:
            self.coded.setdefault(coding, []).extend(self.samples[noted:])


def notes(data: bytes, shown: Shown) -> Iterator[tuple[int, bytes]]:
    """What to put where between the units of coded pictures and sound. Raises ImageError."""
    left = 2 * len(data)
    for coding, ranges in shown.coded.items():
        for start, end in sorted(set(ranges)):
            stop = min(end, len(data))
            left -= max(stop - start, 0)
            if left < 0:
                raise ImageError("This movie refers to the same place too often.")
            yield from coding.changes(data, start, stop)


def media_of(
    blanks: Blanks, top: Iterable[Box], described: Container[bytes], shown: Ranges
) -> list[Box]:
    """The boxes with media data: some writers put it in boxes of other types than that. Those
    `described` are left out."""
    media = [box for box in top if box.type == b"mdat"]
    for box in top:
        if (
            box.type not in described
            and box.type != b"mdat"
            and shown.touches(box.payload, box.end)
        ):
            blanks.put(box.start + 4, b"mdat")
            blanks.find({Kind.UNKNOWN_DATA}, f"type of the {name(box)} box", box.start, box.end)
            media.append(box)
    return media


def blank_unshown(blanks: Blanks, media: Iterable[Box], shown: Ranges) -> None:
    """Blank what of media data nothing shown refers to: metadata, or residue of an editor."""
    for box in media:
        gaps = [blanks.blank(*gap) for gap in shown.gaps(box.payload, box.end)]
        if any(gaps):
            place = "between the parts of the file"
            blanks.find({Kind.UNKNOWN_DATA}, place, box.payload, box.end)

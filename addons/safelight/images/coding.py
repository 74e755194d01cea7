"""How the pictures of a track or an item are coded, and what can be taken out of them without
touching a pixel.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple

from safelight.images import aac, av1, descriptors, motion_jpeg, mpeg4, nal_units

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from safelight.images.boxes import Box

    type Changes = Iterator[tuple[int, bytes]]

# Boxes that say how long the sizes of units are: their codec, the byte and the bit where it stands.
_UNITS = {
    b"avcC": (nal_units.AVC, 4, 0),
    b"hvcC": (nal_units.HEVC, 21, 0),
    b"lhvC": (nal_units.HEVC, 4, 0),
    b"vvcC": (nal_units.VVC, 4, 1),
}

_USUAL_WIDTH = 4


class Units(NamedTuple):
    """Units of a codec, each behind its size in `width` bytes."""

    codec: nal_units.Codec
    width: int

    def changes(self, data: bytes, start: int, end: int) -> Changes:
        """What to put where in `data[start:end]`."""
        return nal_units.changes(data, start, end, self.codec, self.width)

    def fitting(self, data: bytes, start: int, end: int) -> tuple[Units, int, bool]:
        """With sizes in 4 bytes where these fit: readers of pictures do not ask for others. Where
        the units end comes with it, and whether all of them are needed for certain."""
        usual = self if self.width == _USUAL_WIDTH else Units(self.codec, _USUAL_WIDTH)
        after, needed = nal_units.walked(data, start, end, self.codec, _USUAL_WIDTH)
        if after == end or usual is self:
            return usual, after, needed
        return self, *nal_units.walked(data, start, end, self.codec, self.width)

    @staticmethod
    def filler(room: int) -> bytes:
        """What may stand behind the units."""
        return bytes(room)


class Whole(Enum):
    """Codecs whose chunks are looked at as a whole."""

    AV1 = auto()
    MPEG = auto()
    JPEG = auto()
    AAC = auto()

    def changes(self, data: bytes, start: int, end: int) -> Changes:
        """What to put where in `data[start:end]`."""
        return _CHANGES[self](data, start, end)

    def fitting(self, data: bytes, start: int, end: int) -> tuple[Whole, int, bool]:
        """This one, where its units end, and that they may not be needed."""
        return self, av1.behind(data, start, end) if self is Whole.AV1 else end, False

    @staticmethod
    def filler(room: int) -> bytes:
        """What may stand behind the units."""
        return av1.padding(room)


type Coding = Units | Whole

_CHANGES: dict[Whole, Callable[[bytes, int, int], Changes]] = {
    Whole.AV1: av1.changes,
    Whole.MPEG: mpeg4.changes,
    Whole.JPEG: motion_jpeg.changes,
    Whole.AAC: aac.changes,
}
_BY_TYPE = {
    **dict.fromkeys([b"m2v1", b"mp2v", b"mpg2", b"m1v ", b"mp1v"], Whole.MPEG),
    **dict.fromkeys([b"jpeg", b"mjpa", b"mjpb", b"mjpg", b"MJPG"], Whole.JPEG),
}
_BY_OBJECT_TYPE = {
    **dict.fromkeys(descriptors.VISUAL, Whole.MPEG),
    **dict.fromkeys(descriptors.AAC, Whole.AAC),
    0x6C: Whole.JPEG,
}


def of(data: bytes, type_: bytes, described: Iterable[Box]) -> Coding | None:
    """How the pictures of a track or item of a type are coded, by the boxes that describe them;
    None where nothing can be taken out of them."""
    for box in described:
        if box.type in _UNITS:
            codec, byte, bit = _UNITS[box.type]
            return Units(codec, (data[box.payload + byte] >> bit & 3) + 1)
        if box.type == b"av1C":
            return Whole.AV1
        if box.type == b"esds":
            return _BY_OBJECT_TYPE.get(descriptors.object_type(data, box))
    return _BY_TYPE.get(type_)

"""Which chunks of a PNG have a place, and how many of their bytes are read (W3C PNG, third edition,
section 11; the `CgBI` of Apple).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from safelight.images.model import ImageError

KEPT = frozenset(
    b"IHDR PLTE IDAT IEND tRNS cHRM gAMA iCCP sBIT sRGB cICP mDCV cLLI bKGD pHYs "
    b"acTL fcTL fdAT CgBI oFFs sTER".split()
)
CRITICAL = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND", b"CgBI"})
_SIZES = {
    b"IHDR": 13,
    b"IEND": 0,
    b"CgBI": 4,
    b"cHRM": 32,
    b"gAMA": 4,
    b"sRGB": 1,
    b"cICP": 4,
    b"mDCV": 24,
    b"cLLI": 8,
    b"pHYs": 9,
    b"oFFs": 9,
    b"sTER": 1,
    b"acTL": 8,
    b"fcTL": 26,
}
_ANIMATION = frozenset({b"fcTL", b"fdAT"})
# Decoders that read on at a second one do not agree on what they show.
_ONCE = CRITICAL - {b"IDAT"} | {b"acTL", b"tRNS"}
_INDEXED = 3
# By colour type: bytes of `sBIT`, of `bKGD`, and of `tRNS` where it is no list.
_BY_COLOUR = {
    b"sBIT": {0: 1, 2: 3, _INDEXED: 3, 4: 2, 6: 4},
    b"bKGD": {0: 2, 2: 6, _INDEXED: 1, 4: 2, 6: 6},
    b"tRNS": {0: 2, 2: 6},
}


@dataclass(slots=True)
class Order:
    """What has come so far of the chunks that stay: each once, save for those of an animation.

    The pixels of a frame are `controlled` by a chunk before them.
    """

    seen: set[bytes] = field(default_factory=set)
    controlled: bool = False
    depth: int = 8
    colour: int = 2
    entries: int = 0

    def has_place(self, type_: bytes) -> bool:
        """May a chunk that stays stand here? Decoders pass over those that may not. Raises
        ImageError where there is a second of what there must be one, or where decoders do not
        agree on whether it moves."""
        if type_ in self.seen:
            if type_ in _ONCE:
                raise ImageError("This PNG says the same thing twice.")
            return False
        if type_ in _ANIMATION:
            return self._has_place_in_animation(type_)
        if type_ == b"acTL":
            self._check_animation(type_)
        elif type_ == b"IDAT":
            self.controlled = False
        self.seen.add(type_)
        return type_ != b"PLTE" or self.colour == _INDEXED

    def _has_place_in_animation(self, type_: bytes) -> bool:
        if type_ == b"fdAT" and self.controlled and b"IDAT" in self.seen:
            return True
        self._check_animation(type_)
        self.controlled = b"acTL" in self.seen
        return self.controlled

    def _check_animation(self, type_: bytes) -> None:
        """Raise ImageError where decoders do not agree on what moves; behind a picture that never
        said that it does, nothing does."""
        moves, shown = b"acTL" in self.seen, b"IDAT" in self.seen
        wrong = {
            b"acTL": shown,
            b"fcTL": not shown and not moves,
            # With control, it would not come here.
            b"fdAT": not shown or moves,
        }
        if wrong[type_]:
            raise ImageError("This PNG does not move as it should.")

    def used(self, type_: bytes, payload: bytes) -> int:
        """How many bytes of a chunk's payload are read; the others only fill it up. Raises
        ImageError where that would be told by a chunk that has yet to come."""
        size = len(payload)
        if type_ == b"IHDR" and size == _SIZES[type_]:
            self.depth, self.colour = payload[8], payload[9]
        elif type_ == b"PLTE":
            self.entries = min(size // 3, 1 << min(self.depth, 8))
            return 3 * self.entries
        elif type_ == b"tRNS" and self.colour == _INDEXED:
            if b"PLTE" not in self.seen:
                raise ImageError("This PNG says how clear its colours are before it names them.")
            return min(self.entries, size)
        known = _BY_COLOUR[type_].get(self.colour, 0) if type_ in _BY_COLOUR else size
        return min(size, _SIZES.get(type_, known))

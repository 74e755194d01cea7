"""A Merkle tree of which only the right edge is kept (RFC 6962 section 2.1)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Frontier:
    """A tree of `size` leaves. `peaks` are the roots of its perfect subtrees, largest first."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def with_leaf(self, leaf: bytes) -> Frontier:
        """The tree with one more leaf behind the others."""
        grown = hashlib.sha256(b"\0" + leaf).digest()
        peaks, rest = list(self.peaks), self.size
        while rest & 1:
            grown = _node(peaks.pop(), grown)
            rest >>= 1
        return Frontier(self.size + 1, (*peaks, grown))

    def root(self) -> bytes:
        """The hash of the whole tree, 32 bytes."""
        if not self.peaks:
            return hashlib.sha256(b"").digest()
        *others, root = self.peaks
        for peak in reversed(others):
            root = _node(peak, root)
        return root


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()

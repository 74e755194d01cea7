"""The tables of an Exif block (TIFF 6.0 section 2), read within its bounds."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    # Tag, type, number of components, and the value or where it stands.
    type Row = tuple[int, int, int, bytes]

MOST_ENTRIES = 4096
EXIF_IFD, GPS_IFD, INTEROP_IFD = 0x8769, 0x8825, 0xA005
FURTHER_IFDS = frozenset({EXIF_IFD, INTEROP_IFD})
TYPE_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_INTEGERS = {1: 1, 3: 2, 4: 4}
_RATIONAL = 5
_ORDERS: dict[bytes, Literal["little", "big"]] = {b"II*\0": "little", b"MM\0*": "big"}
_ROWS = {"little": struct.Struct("<HHI4s"), "big": struct.Struct(">HHI4s")}


class Tables:
    """Reads the IFDs in one TIFF structure, each once; no longer `intact` where one is broken."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.intact = data[:4] in _ORDERS
        self._order = _ORDERS.get(data[:4], "big")
        self._budget = MOST_ENTRIES
        self._seen: set[int] = set()

    def first(self) -> int:
        """Where the first IFD stands; 0 for nowhere."""
        return self._number(self.data[4:8]) if self.intact else 0

    def next(self, offset: int) -> int:
        """Where the IFD behind that at `offset` stands; 0 for nowhere."""
        count = self._number(self.data[offset : offset + 2])
        position = offset + 2 + 12 * count
        return self._number(self.data[position : position + 4])

    def rows(self, offset: int) -> Iterable[Row]:
        """The entries of the IFD at `offset`."""
        start = offset + 2
        if offset < 8 or offset in self._seen or start > len(self.data):
            self.intact = False
            return ()
        self._seen.add(offset)
        said = self._number(self.data[offset:start])
        count = min(said, self._budget, (len(self.data) - start) // 12)
        self._budget -= count
        if count != said:
            self.intact = False
        return _ROWS[self._order].iter_unpack(self.data[start : start + 12 * count])

    def value(self, row: Row, most: int = 64) -> bytes:
        """An entry's value, or `most` bytes of it; b"" for a type that is not known."""
        _, type_, components, inline = row
        length = TYPE_SIZES.get(type_, 0) * components
        if length <= len(inline):
            return inline[:length]
        place = self._number(inline)
        return self.data[place : place + min(length, most)]

    def fits(self, row: Row) -> bool:
        """Does the value stand within the structure?"""
        _, type_, components, inline = row
        length = TYPE_SIZES.get(type_, 0) * components
        whole = length <= len(inline) or self._number(inline) + length <= len(self.data)
        return whole and type_ in TYPE_SIZES

    def integer(self, row: Row) -> int | None:
        """The first number of an entry; None where it is none."""
        _, type_, components, inline = row
        width = _INTEGERS.get(type_)
        if not width or not components:
            return None
        value = inline if width * components <= len(inline) else self.value(row)
        return self._number(value[:width])

    def rational(self, row: Row) -> tuple[int, int] | None:
        """Numerator and denominator; None where it is no fraction."""
        value = self.value(row)
        if row[1] != _RATIONAL or len(value) < 8:
            return None
        return self._number(value[:4]), self._number(value[4:8])

    def _number(self, value: bytes) -> int:
        return int.from_bytes(value, self._order)

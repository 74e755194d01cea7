"""Numbers in the headers of a JPEG XL codestream (ISO/IEC 18181-1 section 6.2 and annex B)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safelight.images.model import ImageError

if TYPE_CHECKING:
    from collections.abc import Container

# Ways to write a number: how many bits, and what is added to them.
type Ways = tuple[tuple[int, int], ...]

ENUM: Ways = ((0, 0), (0, 1), (4, 2), (6, 18))
_NAME: Ways = ((0, 0), (4, 0), (5, 16), (10, 48))

_LONGEST_EXTENSIONS = 1 << 16  # bits


class NoCodestreamError(ImageError):
    """What is read here breaks a rule that every writer keeps."""


class Bits:
    """Reads bits of `data[start:end]`, the lowest of each byte first."""

    def __init__(self, data: bytes, start: int, end: int) -> None:
        self.data = data
        self.end = end
        self.position = 8 * start
        # Where the letters of names stand: position in bits, and how many letters.
        self.names: list[tuple[int, int]] = []

    def read(self, count: int) -> int:
        """The next `count` bits. Raises ImageError past the end."""
        first, position = divmod(self.position, 8)
        self.position += count
        last = (self.position + 7) // 8
        if last > self.end:
            raise ImageError("This JPEG XL is cut off.")
        whole = int.from_bytes(self.data[first:last], "little")
        return whole >> position & (1 << count) - 1

    def flag(self) -> bool:
        """The next bit."""
        return bool(self.read(1))

    def number(self, ways: Ways) -> int:
        """A number written in one of four ways."""
        bits, offset = ways[self.read(2)]
        return self.read(bits) + offset

    def one_of(self, known: Container[int]) -> int:
        """An enumerator. Raises NoCodestreamError for one that is not `known`."""
        value = self.number(ENUM)
        if value not in known:
            raise NoCodestreamError("This JPEG XL holds a value that does not exist.")
        return value

    def long(self) -> int:
        """A number of up to 64 bits."""
        way = self.read(2)
        if way < 3:
            return (0, 1, 17)[way] + self.read((0, 4, 8)[way])
        value, shift = self.read(12), 12
        while self.flag():
            size = 8 if shift < 60 else 4
            value |= self.read(size) << shift
            shift += 8
            if size == 4:
                break
        return value

    def skip(self, count: int) -> None:
        """Leave out `count` bits. Raises ImageError past the end."""
        self.position += count
        if self.position > 8 * self.end:
            raise ImageError("This JPEG XL is cut off.")

    def name(self) -> None:
        """A name, for people alone, in UTF-8."""
        letters = self.number(_NAME)
        position = self.position
        name = self.read(8 * letters).to_bytes(letters, "little")
        if letters:
            self.names.append((position, letters))
        try:
            name.decode()
        except UnicodeDecodeError as error:
            raise NoCodestreamError("This JPEG XL has a name that is no text.") from error

    def extensions(self) -> None:
        """What later versions may say; nothing does yet."""
        which = self.long()
        size = sum(self.long() for number in range(64) if which >> number & 1)
        if size > _LONGEST_EXTENSIONS:
            raise NoCodestreamError("This JPEG XL has an extension that is too long.")
        self.skip(size)

    def align(self) -> int:
        """Go on at the next whole byte, behind bits that are zero, and say which that is."""
        if self.read(-self.position % 8):
            raise NoCodestreamError("This JPEG XL has bits where none may be.")
        return self.position // 8

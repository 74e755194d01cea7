"""Numbers in the headers of a JPEG XL codestream (ISO/IEC 18181-1 section 6.2 and annex B)."""

from __future__ import annotations

from safelight.images.model import ImageError

# Ways to write a number: how many bits, and what is added to them.
type Ways = tuple[tuple[int, int], ...]

ENUM: Ways = ((0, 0), (0, 1), (4, 2), (6, 18))
_NAME: Ways = ((0, 0), (4, 0), (5, 16), (10, 48))


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
        """A name, for people alone."""
        letters = self.number(_NAME)
        position = self.position
        self.skip(8 * letters)
        if letters:
            self.names.append((position, letters))

    def extensions(self) -> None:
        """What later versions may say; nothing does yet."""
        which = self.long()
        sizes = [self.long() for number in range(64) if which >> number & 1]
        self.skip(sum(sizes))

    def align(self) -> int:
        """Go on at the next whole byte, and say which that is."""
        self.position = (self.position + 7) // 8 * 8
        return self.position // 8

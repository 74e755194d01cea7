"""The members of a ZIP archive (APPNOTE 6.3.10), read strictly and written plainly."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from safelight.images.blank import is_blank
from safelight.images.model import ImageError

if TYPE_CHECKING:
    from collections.abc import Iterable

STORED, DEFLATED = 0, 8
MOST_MEMBERS = 100_000
LONGEST_COMMENT = 0xFFFF
# The first moment a member can be dated; office programs write it.
_NO_TIME = 0x00210000
_ENCRYPTED, _DESCRIPTOR_FOLLOWS, _UTF8 = 0x1, 0x8, 0x800
_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_ZIP64_EXTRA, _PADDING_EXTRA = 0x0001, 0xA220
_PADDING_SIGNATURE = 0xA028
_SHORTEST_PADDING, LONGEST_PADDING = 8, 0xFFF0
_WHOLE_32, _WHOLE_16 = 0xFFFFFFFF, 0xFFFF


@dataclass(frozen=True, slots=True)
class Member:
    """One file in an archive: `packed` are its bytes as they stand there.

    `dated` says whether its headers tell more than how to unpack it: times, owners, comments.
    """

    name: bytes
    method: int
    utf8: bool
    crc: int
    size: int
    packed: memoryview
    made_by: int
    internal: int
    external: int
    start: int
    end: int
    dated: bool

    def unpacked(self, limit: int) -> bytes:
        """The first `limit` bytes of its content. Raises ImageError."""
        if self.method == STORED:
            return bytes(self.packed[:limit])
        if self.method != DEFLATED:
            raise ImageError("A file in this ZIP is packed in a way that cannot be read.")
        unpacking = zlib.decompressobj(-zlib.MAX_WBITS)
        content = unpacking.decompress(self.packed, limit)
        if unpacking.unused_data:
            raise ImageError("Bytes stand behind the end of a file in this ZIP.")
        return content


@dataclass(frozen=True, slots=True)
class Archive:
    """The members in the order they stand in; `hides` says that bytes stand beside them."""

    members: tuple[Member, ...]
    comment: bytes
    hides: bool


def read(data: bytes) -> Archive:
    """Read an archive by its directory. Raises ImageError unless the members stand one after
    the other and each says of itself what the directory says."""
    end = data.rfind(b"PK\5\6", max(0, len(data) - _END.size - LONGEST_COMMENT))
    if end < 0 or end + _END.size > len(data):
        raise ImageError("This ZIP is cut off.")
    _, disk, first_disk, here, count, size, offset, comment_size = _END.unpack_from(data, end)
    directory_end = end
    locator = end - 20
    if locator >= 0 and data[locator : locator + 4] == b"PK\6\7":
        (record,) = struct.unpack_from("<Q", data, locator + 8)
        if data[record : record + 4] != b"PK\6\6":
            raise ImageError("This ZIP is damaged.")
        here, count, size, offset = struct.unpack_from("<4Q", data, record + 24)
        disk = first_disk = 0
        directory_end = record
    if disk or first_disk or here != count or count > MOST_MEMBERS:
        raise ImageError("This ZIP has several disks or too many files.")
    if offset + size != directory_end or end + _END.size + comment_size != len(data):
        raise ImageError("This ZIP is damaged.")
    members, position = [], offset
    for _ in range(count):
        member, position = _member(data, position, directory_end)
        members.append(member)
    members.sort(key=lambda member: member.start)
    hides, reached = position != directory_end, 0
    for member in members:
        if member.start < reached:
            raise ImageError("Files in this ZIP overlap.")
        hides |= not is_blank(data, reached, member.start)
        reached = member.end
    hides |= not is_blank(data, reached, offset)
    if reached > offset:
        raise ImageError("Files in this ZIP overlap.")
    return Archive(tuple(members), data[end + _END.size :], hides)


def _member(data: bytes, position: int, directory_end: int) -> tuple[Member, int]:
    """The member that the directory entry at `position` names, and where the next entry is."""
    if position + _CENTRAL.size > directory_end or data[position : position + 4] != b"PK\1\2":
        raise ImageError("This ZIP is damaged.")
    fields = _CENTRAL.unpack_from(data, position)
    _, made_by, _, flags, method, *_, crc, packed, size = fields[:10]
    name_size, extra_size, comment_size, disk, internal, external, start = fields[10:]
    time = fields[5] | fields[6] << 16
    name_at = position + _CENTRAL.size
    extra_at = name_at + name_size
    name = data[name_at:extra_at]
    extra = data[extra_at : extra_at + extra_size]
    size, packed, start = _widened(extra, [size, packed, start])
    if flags & _ENCRYPTED:
        raise ImageError("This ZIP is locked with a password, so it cannot be looked into.")
    if disk not in {0, _WHOLE_16} or data[start : start + 4] != b"PK\3\4":
        raise ImageError("This ZIP is damaged.")
    local = _LOCAL.unpack_from(data, start)
    local_flags, local_method, local_name, local_extra = local[2], local[3], local[9], local[10]
    content = start + _LOCAL.size + local_name + local_extra
    name_there = data[start + _LOCAL.size : start + _LOCAL.size + local_name]
    if name_there != name or local_method != method or local_flags & _ENCRYPTED:
        raise ImageError("This ZIP says two things about one file.")
    end = content + packed
    if end > len(data):
        raise ImageError("This ZIP is cut off.")
    extra_there = data[start + _LOCAL.size + local_name : content]
    told = time != _NO_TIME or (local[4] | local[5] << 16) != _NO_TIME or bool(comment_size)
    told |= _tells(extra) or _tells(extra_there)
    member = Member(
        name,
        method,
        bool(flags & _UTF8),
        crc,
        size,
        memoryview(data)[content:end],
        made_by,
        internal,
        external,
        start,
        _after_descriptor(data, end, crc) if local_flags & _DESCRIPTOR_FOLLOWS else end,
        told,
    )
    return member, extra_at + extra_size + comment_size


def _after_descriptor(data: bytes, position: int, crc: int) -> int:
    """Behind the checksum and sizes that follow a member: 12 to 24 bytes (section 4.3.9)."""
    if data[position : position + 4] == b"PK\7\x08":
        position += 4
    if data[position : position + 4] != crc.to_bytes(4, "little"):
        raise ImageError("This ZIP is damaged.")
    sizes_32 = position + 12
    return sizes_32 if data[sizes_32 : sizes_32 + 2] == b"PK" else position + 20


def _fields(extra: bytes) -> list[tuple[int, bytes]]:
    found, position = [], 0
    while position + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, position)
        found.append((kind, extra[position + 4 : position + 4 + size]))
        position += 4 + size
    if position != len(extra):
        found.append((-1, extra[position:]))
    return found


def _tells(extra: bytes) -> bool:
    """Does an extra field say more than sizes and padding?"""
    for kind, value in _fields(extra):
        padding = kind == _PADDING_EXTRA and not value[4:].strip(b"\0")
        if kind != _ZIP64_EXTRA and not padding:
            return True
    return False


def _widened(extra: bytes, numbers: list[int]) -> list[int]:
    """Sizes and offset, from the ZIP64 field where they do not fit (section 4.5.3)."""
    wide = next((value for kind, value in _fields(extra) if kind == _ZIP64_EXTRA), b"")
    for index, number in enumerate(numbers):
        if number == _WHOLE_32:
            if len(wide) < 8:
                raise ImageError("This ZIP is damaged.")
            numbers[index] = int.from_bytes(wide[:8], "little")
            wide = wide[8:]
    return numbers


def packed(content: bytes, method: int) -> bytes:
    """`content` as a member holds it."""
    if method == STORED:
        return content
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return deflate.compress(content) + deflate.flush()


def write(members: Iterable[Member], size: int | None = None) -> bytes | None:
    """A plain archive of `members`, `size` bytes long if given; None where padding cannot
    reach that. Padding stands where packages keep theirs (ECMA-376-2 annex C.3), the rest in
    the archive's comment."""
    members = tuple(members)
    lean = sum(_LOCAL.size + _CENTRAL.size + 2 * len(one.name) + len(one.packed) for one in members)
    spare = 0 if size is None else size - lean - _END.size
    if spare < 0:
        return None
    pieces: list[bytes | memoryview] = []
    directory: list[bytes] = []
    offset = 0
    for number, member in enumerate(members):
        # The first file of an OpenDocument says its type and must have no extra field.
        room = min(spare, LONGEST_PADDING) if number else 0
        extra = _padding(room)
        spare -= len(extra)
        header = _header(member, extra)
        directory.append(_entry(member, offset))
        pieces += [header, member.packed]
        offset += len(header) + len(member.packed)
    if spare > LONGEST_COMMENT:
        return None
    tail = b"".join(directory)
    count = len(members)
    end = _END.pack(b"PK\5\6", 0, 0, count, count, len(tail), offset, spare)
    return b"".join([*pieces, tail, end, b" " * spare])


def _padding(room: int) -> bytes:
    if room < _SHORTEST_PADDING:
        return b""
    body = struct.pack("<HH", _PADDING_SIGNATURE, 0).ljust(room - 4, b"\0")
    return struct.pack("<HH", _PADDING_EXTRA, len(body)) + body


def _header(member: Member, extra: bytes) -> bytes:
    flags = _UTF8 if member.utf8 else 0
    size, packed_size = member.size, len(member.packed)
    fields = (b"PK\3\4", 20, flags, member.method, 0, _NO_TIME >> 16, member.crc)
    sizes = (packed_size, size, len(member.name), len(extra))
    return _LOCAL.pack(*fields, *sizes) + member.name + extra


def _entry(member: Member, offset: int) -> bytes:
    flags = _UTF8 if member.utf8 else 0
    versions = (member.made_by, 20, flags, member.method, 0, _NO_TIME >> 16, member.crc)
    sizes = (len(member.packed), member.size, len(member.name), 0, 0, 0)
    places = (member.internal, member.external, offset)
    return _CENTRAL.pack(b"PK\1\2", *versions, *sizes, *places) + member.name

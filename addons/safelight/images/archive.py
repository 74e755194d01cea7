"""ZIP archives and office documents: the pictures inside and what documents say of themselves.

An archive that holds neither is left as it is. What does not change keeps its packed bytes.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from safelight.images import office, office_package, zip_members
from safelight.images.embedded import find_embedded
from safelight.images.model import (
    Edit,
    Examination,
    Finding,
    Format,
    ImageError,
    Kind,
    Length,
    UnalterableError,
    apply,
)
from safelight.images.sniff import sniff

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from safelight.images.zip_members import Archive, Member

    type Examine = Callable[[bytes], Examination]

MOST_UNPACKED = 256_000_000
_HEAD = 65_536
# Compound files hold embedded objects and macros; pictures in them cannot be cleaned.
_COMPOUND_FILE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@dataclass(slots=True)
class _Walk:
    """`changes` says what becomes of the member that starts there; `unpacked` counts bytes."""

    data: bytes
    archive: Archive
    examine: Examine
    unpacked: int = 0
    findings: list[Finding] = field(default_factory=list)
    changes: dict[int, Examination | bytes | None] = field(default_factory=dict)

    def find(self, kind: Kind, place: str, start: int, end: int) -> None:
        self.findings.append(Finding(kind, place, start, end))

    def whole(self, member: Member) -> bytes:
        """A member's content. Raises ImageError when it is not what its headers say."""
        content = member.unpacked(MOST_UNPACKED - self.unpacked + 1)
        self.unpacked += len(content)
        if self.unpacked > MOST_UNPACKED:
            raise ImageError("This ZIP unpacks to more than can be looked at.")
        if len(content) != member.size or zlib.crc32(content) != member.crc:
            raise ImageError("A file in this ZIP is damaged.")
        return content


def examine(data: bytes, examine_inside: Examine) -> Examination:
    """Examine an archive; `examine_inside` examines a picture in it. Raises ImageError."""
    walk = _Walk(data, zip_members.read(data), examine_inside)
    by_name = {member.name: member for member in walk.archive.members}
    is_office = office.is_document(set(by_name))
    gone: frozenset[bytes] = frozenset()
    if is_office:
        if len(by_name) != len(walk.archive.members):
            raise ImageError("This document holds two files of one name.")
        gone = office_package.superfluous(set(by_name), lambda name: walk.whole(by_name[name]))
    count = 0
    for member in walk.archive.members:
        if member.name in gone:
            kind, place = office.superfluous(member.name)
            walk.find(kind, place, member.start, member.end)
            walk.changes[member.start] = None
            continue
        if is_office and office.is_concerned(member.name):
            _part(walk, member, gone)
            continue
        head = member.unpacked(_HEAD) if member.size else b""
        if sniff(head) is not None:
            count += 1
            _picture(walk, member, count)
        elif head.startswith(_COMPOUND_FILE) and find_embedded(walk.whole(member)) is not None:
            raise ImageError("A picture stands in an object inside this document.")
    if is_office or walk.findings:
        _beside(walk)
    plan = _Plan(walk)
    return Examination(Format.ZIP, 0, 0, 1, tuple(walk.findings), plan.edits)


def pictures(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Every picture in an archive that `examine` accepted, numbered from 1."""
    number = 0
    for member in zip_members.read(data).members:
        if member.size and sniff(member.unpacked(_HEAD)) is not None:
            number += 1
            yield number, member.unpacked(MOST_UNPACKED)


def properties(data: bytes) -> Iterator[tuple[str, str]]:
    """What the properties of an office document say, by their names."""
    for member in zip_members.read(data).members:
        if office.is_properties(member.name):
            yield from office.values(member.unpacked(MOST_UNPACKED))


def _part(walk: _Walk, member: Member, gone: frozenset[bytes]) -> None:
    cleaned = office.cleaned(member.name, walk.whole(member), gone)
    for kind, place in sorted(cleaned.told):
        walk.find(
            kind, f"{place} in {member.name.decode('ascii', 'replace')}", member.start, member.end
        )
    if cleaned.told:
        walk.changes[member.start] = cleaned.content


def _picture(walk: _Walk, member: Member, number: int) -> None:
    examination = walk.examine(walk.whole(member))
    for finding in examination.findings:
        place = f"file {number} inside: {finding.place}"
        walk.find(finding.kind, place, member.start, member.end)
    if examination.findings or examination.edits(Length.COMPACT):
        # Findings hold nothing of the picture, unlike what can still be looked at.
        walk.changes[member.start] = replace(examination, found=examination.findings)


def _beside(walk: _Walk) -> None:
    """What the archive itself tells of files that are private, and what hides between them."""
    data, archive = walk.data, walk.archive
    if any(member.dated for member in archive.members):
        walk.find(Kind.CAPTURE_TIME, "times of the files inside", 0, len(data))
    if archive.comment.strip(b" "):
        start = len(data) - len(archive.comment)
        walk.find(Kind.COMMENT, "comment of the archive", start, len(data))
    if archive.hides:
        walk.find(Kind.UNKNOWN_DATA, "between the files inside", 0, len(data))


@dataclass(frozen=True, slots=True)
class _Plan:
    walk: _Walk

    def edits(self, length: Length) -> tuple[Edit, ...]:
        """One edit: archives are written anew, since every offset in them moves."""
        walk = self.walk
        if not walk.findings and not walk.changes:
            return ()
        kept = [self._kept(member, length) for member in walk.archive.members]
        size = len(walk.data) if length is Length.SAME_LENGTH else None
        written = zip_members.write((member for member in kept if member is not None), size)
        if written is None:
            raise UnalterableError(Format.ZIP, length)
        return (Edit(0, len(walk.data), written),)

    def _kept(self, member: Member, length: Length) -> Member | None:
        if member.start not in self.walk.changes:
            return member
        change = self.walk.changes[member.start]
        if change is None:
            return None
        if isinstance(change, Examination):
            before = member.unpacked(MOST_UNPACKED)
            content = self._cleaned(before, change, length)
        else:
            content = change
        packed = zip_members.packed(content, member.method)
        return replace(
            member, packed=memoryview(packed), size=len(content), crc=zlib.crc32(content)
        )

    @staticmethod
    def _cleaned(before: bytes, examination: Examination, length: Length) -> bytes:
        """Same length where that is asked for and possible; padding makes up for the rest."""
        try:
            return apply(before, examination.edits(length))
        except UnalterableError:
            return apply(before, examination.edits(Length.COMPACT))

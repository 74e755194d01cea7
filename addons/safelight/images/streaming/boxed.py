"""JPEG XL and movies on their way: box by box; pixels and samples pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from safelight.images import jxl, jxl_codestream, movie, movie_boxes, movie_file, xmp
from safelight.images.blank import is_blank
from safelight.images.blanking import Blanks, Ranges
from safelight.images.boxes import MOST_BOXES, Box
from safelight.images.model import (
    Finding,
    Format,
    ImageError,
    Kind,
    Length,
    UnalterableError,
    apply,
)
from safelight.images.streaming.coded import Chunks
from safelight.images.streaming.steps import MOST_HELD, Blank, Pass, Put, Take, held

if TYPE_CHECKING:
    from collections.abc import Generator

    from safelight.images.streaming.steps import Progress, Step, Steps

MOST_INDEX = 4 * MOST_HELD
_LOOK = 65_536
# Where names of channels and of the first frame stand in a codestream.
_LONGEST_HEADER = 4_096
_HELD = frozenset({b"ftyp", b"styp", b"sidx"})
# What makes a single box of JPEG XL a file that can be examined.
_PIXELS_BEFORE = b"\0\0\0\x08jxlc"


@dataclass(frozen=True, slots=True)
class _Header:
    """A box's header as it stands, its type, and how many bytes follow it."""

    data: bytes
    type: bytes
    payload: int


def _header(progress: Progress) -> Generator[Step, bytes, _Header]:
    data = yield Take(8)
    size, type_ = int.from_bytes(data[:4]), data[4:]
    if size == 1:
        data += yield Take(8)
        size = int.from_bytes(data[8:])
    payload = size - len(data) if size else progress.left
    if not 0 <= payload <= progress.left:
        raise ImageError("This picture is cut off or damaged.")
    return _Header(data, type_, payload)


def walk_jxl(progress: Progress) -> Steps:
    """Steps that clean a JPEG XL."""
    start = yield Take(2)
    if start == jxl.NAKED:
        yield from _codestream(progress, start, progress.left)
        return
    # The signature box is the first of all: 12 bytes.
    yield Put(start)
    yield Pass(10)
    order = jxl.Order({b"JXL "})
    seen_exif = False
    for _ in range(MOST_BOXES):
        if not progress.left:
            break
        begin = progress.position
        header = yield from _header(progress)
        end = progress.position + header.payload
        if header.type in jxl.KEPT:
            payload = yield Take(min(4, header.payload))
            order.check(header.type, header.payload, payload)
            yield Put(header.data)
            if header.type == b"jxlp":
                yield Put(payload)
                payload = yield Take(min(2, header.payload - len(payload)))
            yield from _codestream(progress, payload, end - progress.position)
        else:
            box = header.data + (yield held(header.payload))
            yield Put(_clean_box(progress, box, begin, first=not seen_exif))
            seen_exif |= header.type == b"Exif"
    if progress.left or not order.is_whole:
        raise ImageError("This JPEG XL holds no whole picture.")


def _codestream(progress: Progress, start: bytes, left: int) -> Steps:
    """Let something pass that began with `start`; if that is a codestream, without the names that
    stand at its beginning."""
    if not start.startswith(jxl.NAKED):
        yield Put(start)
        yield Pass(left)
        return
    begin = progress.position - len(start)
    data = start + (yield Take(min(left, _LONGEST_HEADER)))
    blanks = Blanks(data)
    jxl_codestream.scrub(blanks, 0, len(data))
    progress.report(blanks.findings, begin)
    yield Put(apply(data, blanks.edits(Length.SAME_LENGTH)))
    yield Pass(left - (len(data) - len(start)))


def _clean_box(progress: Progress, box: bytes, begin: int, *, first: bool) -> bytes:
    shift = len(_PIXELS_BEFORE)
    data = _PIXELS_BEFORE + box
    examination = jxl.examine(data)
    progress.report(examination.findings, begin - shift)
    if box[4:8] == b"Exif" and not first:
        payload = 16 if box[:4] == b"\0\0\0\1" else 8
        where = Box(b"Exif", shift, shift + payload, len(data))
        return apply(data, jxl.skipped(data, where))[shift:]
    return apply(data, examination.edits(Length.SAME_LENGTH))[shift:]


def walk_movie(progress: Progress) -> Steps:
    """Steps that clean a movie whose index stands before its samples. Where it stands behind
    them, nobody knows yet which of them are metadata: such movies are unalterable here."""
    shown: Ranges | None = None
    chunks = Chunks({})
    seen: set[bytes] = set()
    for _ in range(MOST_BOXES):
        if not progress.left:
            break
        begin = progress.position
        header = yield from _header(progress)
        if header.type == b"moov" and shown is None:
            if header.payload > MOST_INDEX:
                raise ImageError("The index of this movie is too large to be looked at.")
            data = header.data + (yield Take(header.payload))
            blanks = Blanks(data)
            index = movie.scrub(blanks, Box(b"moov", 0, len(header.data), len(data)))
            shown, chunks = Ranges(index.samples), Chunks(index.coded)
            progress.report(blanks.findings, begin)
            yield Put(apply(data, blanks.edits(Length.SAME_LENGTH)))
        elif header.type == b"moof" or (header.type == b"mdat" and shown is None):
            why = "A movie whose index is not at its start cannot be cleaned on its way."
            raise UnalterableError(Format.MP4, Length.SAME_LENGTH, why)
        elif header.type == b"mdat" or (shown and _holds(shown, progress, header)):
            yield Put(header.data[:4] + b"mdat" + header.data[8:])
            yield from _pass(progress, header.payload, shown or Ranges(()), chunks)
        elif header.type in _HELD and header.type not in seen:
            data = header.data + (yield held(header.payload))
            blanks = Blanks(data)
            box = Box(header.type, 0, len(header.data), len(data))
            movie_file.beside(blanks, box, again=False)
            progress.report(blanks.findings, begin)
            yield Put(apply(data, blanks.edits(Length.SAME_LENGTH)))
        else:
            yield from _free(progress, header, begin)
        seen.add(header.type)
    if progress.left or shown is None:
        raise ImageError("This movie is cut off.")


def _holds(shown: Ranges, progress: Progress, header: _Header) -> bool:
    """Does a box of another type hold media data?"""
    start = progress.position
    return header.type not in movie_file.KEPT and shown.touches(start, start + header.payload)


def _pass(progress: Progress, size: int, shown: Ranges, chunks: Chunks) -> Steps:
    """Let a box's payload pass cleaned, with zeros where nothing stands that is shown."""
    end = progress.position + size
    for start, stop in list(shown.gaps(progress.position, end)):
        yield from chunks.walk(progress, start)
        tells = False
        while progress.position < stop:
            gap = yield Take(min(stop - progress.position, _LOOK))
            tells |= not is_blank(gap)
            yield Put(bytes(len(gap)))
        if tells:
            place = "between the parts of the file"
            progress.findings.append(Finding(Kind.UNKNOWN_DATA, place, start, stop))
    yield from chunks.walk(progress, end)


def _free(progress: Progress, header: _Header, begin: int) -> Steps:
    """Make a box one that readers pass over."""
    kinds = {Kind.UNKNOWN_DATA}
    tells = header.type not in movie_boxes.PASSED_OVER
    blank = header.payload
    yield Put(header.data[:4] + (b"free" if tells else header.type) + header.data[8:])
    if header.payload <= MOST_HELD:
        payload = yield Take(header.payload)
        kinds = xmp.kinds(payload)
        tells |= not is_blank(payload)
        yield Put(bytes(len(payload)))
        blank = 0
    if tells or blank:
        place = "box beside the movie"
        progress.findings += [
            Finding(kind, place, begin, progress.position + blank) for kind in sorted(kinds)
        ]
    yield Blank(blank)

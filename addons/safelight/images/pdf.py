"""PDF (ISO 32000-2): the pictures inside and what the document says of itself.

An update of a PDF leaves the old objects where they were, so what is cleaned is written anew: then
only what something refers to is there. The structure is read and written by pikepdf (qpdf).
"""

from __future__ import annotations

import io
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import pikepdf
from pikepdf import Array, Dictionary, Name, Stream

from safelight.images import icc, packed_ends, pdf_filters, pdf_keys
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

    from pikepdf import Object, Pdf

    type Examine = Callable[[bytes], Examination]

MOST_OBJECTS = 500_000
DEEPEST = 100
# Bytes of packed streams whose end is looked for, and what each may unpack to.
MOST_FOLLOWED = 2_000_000
_PICTURE_FILTERS = {"/DCTDecode", "/JPXDecode"}
_PRIVATE_KEYS = {
    "/Metadata": (Kind.EDIT_HISTORY, "XMP metadata"),
    "/PieceInfo": (Kind.EDIT_HISTORY, "private data of a program"),
    "/LastModified": (Kind.EDIT_HISTORY, "time of a change"),
    "/Thumb": (Kind.THUMBNAIL, "preview of a page"),
    "/SpiderInfo": (Kind.EDIT_HISTORY, "where pages came from"),
    "/CreatorInfo": (Kind.SOFTWARE, "program that made a layer"),
}
# Section 12.5.6.2: what a note on a page says of its author and its times.
_PRIVATE_KEYS_OF_NOTES = {
    "/T": (Kind.AUTHOR, "author of a note"),
    "/M": (Kind.EDIT_HISTORY, "time of a note"),
    "/CreationDate": (Kind.EDIT_HISTORY, "time of a note"),
    "/NM": (Kind.EDIT_HISTORY, "number of a note"),
}
_UNNEEDED = (Kind.UNKNOWN_DATA, "key that nothing needs")
_END = b"%%EOF"
# A comment behind an object, or behind the line of bytes that are no letters at the beginning.
_COMMENT = re.compile(rb"endobj[\s\0]*+%(?!%EOF)")
_COMMENT_AT_START = re.compile(
    rb"[\s\0]*+%PDF-[\d.]+\s++(?:%[^\r\n]*?[\x80-\xff][^\r\n]*\s+)?+%[^\r\n]"
)
_SRGB, _SRGB_NAMED, _SRGB_SIZE = b"sRGB IEC61966-2.1", 0x190, 3144
_TIMES_OF_FILES = ("/CreationDate", "/ModDate", "/Mac")


@dataclass(slots=True)
class _Cleaner:
    """Takes what is private out of an open PDF and notes what that was."""

    size: int
    examine: Examine
    signed: bool = False
    pictures: int = 0
    packed: int = 0
    findings: dict[Finding, None] = field(default_factory=dict)

    def find(self, kind: Kind, place: str) -> None:
        self.findings[Finding(kind, place, 0, self.size)] = None

    def clean(self, document: Pdf) -> None:
        if "/Info" in document.trailer:
            self.find(Kind.AUTHOR, "document properties")
            del document.trailer["/Info"]
        for key in pdf_keys.unneeded_in_trailer(document.trailer):
            self.find(*_UNNEEDED)
            del document.trailer[key]
        if "/Prev" in document.trailer and not document.is_linearized:
            self.find(Kind.EDIT_HISTORY, "earlier versions of the document")
        for number, thing in enumerate(document.objects):
            if number > MOST_OBJECTS:
                raise ImageError("This PDF has too many parts.")
            if isinstance(thing, Stream):
                self._stream(thing)
            self._keys(thing, DEEPEST)

    def _keys(self, thing: Object, depth: int) -> None:
        """Take private keys out of a dictionary and what stands directly in it."""
        if not depth:
            raise ImageError("This PDF is nested too deeply.")
        if isinstance(thing, Array):
            values = list(thing)
        elif isinstance(thing, Stream | Dictionary):
            items = dict(thing.items())
            self.signed = self.signed or "/ByteRange" in items
            self._drop(thing, items, _PRIVATE_KEYS)
            self._drop(thing, items, dict.fromkeys(pdf_keys.unneeded(items), _UNNEEDED))
            if "/Rect" in items and items.get("/Subtype") != Name.Widget:
                self._drop(thing, items, _PRIVATE_KEYS_OF_NOTES)
            for key, instead in pdf_keys.places(items):
                self.find(Kind.PERSON, "folder on somebody's disk")
                thing[key] = instead
            values = list(items.values())
        else:
            return
        for value in values:
            if isinstance(value, Dictionary | Array) and not value.is_indirect:
                self._keys(value, depth - 1)

    def _drop(
        self, thing: Object, items: dict[str, Object], keys: dict[str, tuple[Kind, str]]
    ) -> None:
        """Take `keys` out of a dictionary and of its `items`."""
        for key in keys.keys() & items.keys():
            self.find(*keys[key])
            del thing[key], items[key]

    def _stream(self, stream: Stream) -> None:
        filters = pdf_filters.names(stream)
        if _PICTURE_FILTERS & set(filters[-1:]):
            self._picture(stream, filters)
        elif stream.get("/Type") == Name.EmbeddedFile:
            self._file(stream, filters)
        elif "/N" in stream and stream.get("/Type") != Name.ObjStm:
            self._profile(stream, filters)
        elif filters == ["/FlateDecode"]:
            self._packed(stream)

    def _picture(self, stream: Stream, filters: list[str]) -> None:
        content = pdf_filters.unpacked(stream.read_raw_bytes(), stream, filters[:-1])
        cleaned = self._cleaned(content)
        if cleaned != content:
            options = stream.get("/DecodeParms")
            if isinstance(options, Array):
                options = options[-1]
            kept = options if isinstance(options, Dictionary) else None
            stream.write(cleaned, filter=Name(filters[-1]), decode_parms=kept)

    def _file(self, stream: Stream, filters: list[str]) -> None:
        """A file attached to the document: without its times, and cleaned if that can be."""
        about = stream.get("/Params", Dictionary())
        for key in _TIMES_OF_FILES:
            if key in about:
                self.find(Kind.EDIT_HISTORY, "times of an attached file")
                del about[key]
        content = pdf_filters.unpacked(stream.read_raw_bytes(), stream, filters)
        if sniff(content) is None:
            return
        cleaned = self._cleaned(content)
        if cleaned != content:
            stream.write(cleaned)
            # Both are optional and no longer true.
            for key in ("/Size", "/CheckSum"):
                if key in about:
                    del about[key]

    def _packed(self, stream: Stream) -> None:
        """Cut off what stands behind the end of a packed stream, but for the end of a line."""
        packed = stream.read_raw_bytes()
        self.packed += len(packed)
        if self.packed > MOST_FOLLOWED:
            return
        end = packed_ends.deflated(packed, 0, len(packed), MOST_FOLLOWED)
        if end is not None and packed[end:].strip(b"\r\n \0"):
            self.find(Kind.UNKNOWN_DATA, "behind the end of a stream")
            options = stream.get("/DecodeParms")
            kept = options if isinstance(options, Dictionary) else None
            stream.write(packed[:end], filter=Name.FlateDecode, decode_parms=kept)

    def _profile(self, stream: Stream, filters: list[str]) -> None:
        try:
            content = pdf_filters.unpacked(stream.read_raw_bytes(), stream, filters)
            clean = icc.scrubbed(content)
        except (ImageError, ValueError):
            return  # not a profile, or one that no reader can use
        clean = _still_srgb(content, clean)
        if clean != content:
            self.find(Kind.SOFTWARE, "colour profile")
            stream.write(clean)

    def _cleaned(self, content: bytes) -> bytes:
        """A picture without metadata. The shorter way: its stream's length is written anew."""
        self.pictures += 1
        examination = self.examine(content)
        for finding in examination.findings:
            self.find(finding.kind, f"file {self.pictures} inside: {finding.place}")
        return apply(content, examination.edits(Length.COMPACT))


def examine(data: bytes, examine_inside: Examine) -> Examination:
    """Examine a PDF; `examine_inside` examines a picture in it. Raises ImageError."""
    cleaner = _Cleaner(len(data), examine_inside)
    with _opened(data) as document:
        cleaner.clean(document)
    if data[data.rfind(_END) + len(_END) :].strip(b"\r\n\t \0"):
        cleaner.find(Kind.UNKNOWN_DATA, "after the end of the document")
    if _COMMENT.search(data) or _COMMENT_AT_START.match(data):
        cleaner.find(Kind.COMMENT, "comment between the parts of the document")
    if not cleaner.findings:
        return Examination(Format.PDF, 0, 0, 1, (), lambda _: ())
    plan = partial(_edits, data, examine_inside, cleaner.signed)
    return Examination(Format.PDF, 0, 0, 1, tuple(cleaner.findings), plan)


def pictures(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Every picture in a PDF that `examine` accepted, numbered from 1."""
    found: list[bytes] = []

    def note(content: bytes) -> Examination:
        found.append(content)
        return Examination(Format.PDF, 0, 0, 1, (), lambda _: ())

    with _opened(data) as document:
        _Cleaner(len(data), note).clean(document)
    yield from enumerate(found, 1)


def properties(data: bytes) -> Iterator[tuple[str, str]]:
    """What the document's properties say, by their keys."""
    with _opened(data) as document:
        about = document.trailer.get("/Info")
        if isinstance(about, Dictionary):
            for key in about.keys():  # noqa: SIM118 - not a dict
                yield str(key).removeprefix("/"), str(about[key])


@contextmanager
def _opened(data: bytes) -> Iterator[Pdf]:
    try:
        with pikepdf.open(io.BytesIO(data), suppress_warnings=True) as document:
            yield document
    except pikepdf.PasswordError as error:
        raise ImageError(
            "This PDF is locked with a password, so it cannot be looked into."
        ) from error
    except (pikepdf.PdfError, KeyError, TypeError, RuntimeError, RecursionError) as error:
        raise ImageError("This PDF is damaged.") from error


def _still_srgb(profile: bytes, clean: bytes) -> bytes:
    """The usual profile of sRGB keeps its name: PDFium takes a shorter way by it, on which colours
    come out otherwise."""
    start, end = _SRGB_NAMED, _SRGB_NAMED + len(_SRGB)
    if len(profile) != _SRGB_SIZE or profile[start:end] != _SRGB:
        return clean
    return clean[:start] + _SRGB + clean[end:]


def _edits(data: bytes, examine_inside: Examine, signed: bool, length: Length) -> tuple[Edit, ...]:  # noqa: FBT001
    if signed:
        why = "This PDF is signed, and cleaning it would make the signature invalid."
        raise UnalterableError(Format.PDF, length, why)
    written = _written(data, examine_inside, pikepdf.ObjectStreamMode.preserve)
    if len(written) > len(data):
        written = _written(data, examine_inside, pikepdf.ObjectStreamMode.generate)
    if length is Length.SAME_LENGTH:
        if len(written) > len(data):
            raise UnalterableError(Format.PDF, length)
        # Readers find the last `startxref` from the end; white space may stand before it.
        position = written.rindex(b"startxref")
        padding = b"\n" * (len(data) - len(written))
        written = written[:position] + padding + written[position:]
    return (Edit(0, len(data), written),)


def _written(data: bytes, examine_inside: Examine, mode: pikepdf.ObjectStreamMode) -> bytes:
    with _opened(data) as document:
        _Cleaner(len(data), examine_inside).clean(document)
        if "/ID" in document.trailer:
            del document.trailer["/ID"]
        # Where it is missing it is not written, and readers look for it; the number is qpdf's.
        document.trailer["/Size"] = len(document.objects) + 1
        target = io.BytesIO()
        document.save(
            target,
            object_stream_mode=mode,
            stream_decode_level=pikepdf.StreamDecodeLevel.none,
            preserve_pdfa=False,
            fix_metadata_version=False,
            deterministic_id=True,
        )
        return target.getvalue()

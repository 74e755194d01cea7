"""Places in formats made of boxes where nobody looks: JPEG XL, JPEG 2000, movies, HEIF."""

from __future__ import annotations

import struct
from itertools import pairwise

import pytest

from safelight import images
from safelight.images.boxes import boxes
from tests.support import more_pictures as more
from tests.support import pictures
from tests.support.hiding import CANARY, reveals_nothing, together
from tests.support.more_pictures import box, full

_JXL_HEAD = box(b"JXL ", b"\r\n\x87\n") + box(b"ftyp", b"jxl \0\0\0\0jxl ")
_JXL = more.saved("JXL", lossless=True)
_JXLC = box(b"jxlc", _JXL)
JXL = {
    "an unknown box": _JXL_HEAD + _JXLC + box(b"zzzz", CANARY),
    "brands": box(b"JXL ", b"\r\n\x87\n") + box(b"ftyp", CANARY[:12]) + _JXLC,
    "an index of frames": _JXL_HEAD + _JXLC + box(b"jxli", CANARY),
    "a gain map that is none": _JXL_HEAD + _JXLC + box(b"jhgm", CANARY),
}
JXL_REFUSED = {
    "a second picture": _JXL_HEAD + _JXLC + box(b"jxlc", CANARY),
    "a part behind the last": _JXL_HEAD
    + box(b"jxlp", b"\x80\0\0\0", _JXL)
    + box(b"jxlp", b"\0\0\0\1", CANARY),
    "a second brand": _JXL_HEAD + _JXLC + box(b"ftyp", CANARY),
    "a long level": _JXL_HEAD + box(b"jxll", b"\5", CANARY) + _JXLC,
}

_JP2 = more.saved("JPEG2000")
_PARTS = {part.type: _JP2[part.payload : part.end] for part in boxes(_JP2, 0, len(_JP2))}
_JP2_HEAD = _JP2[: _JP2.index(b"jp2h") - 4]
_STREAM = _PARTS[b"jp2c"]
_TILE = _STREAM.index(b"\xff\x90")
_COM = b"\xff\x64" + struct.pack(">HH", 4 + len(CANARY), 1) + CANARY


def jp2(*, header: bytes = b"", more_boxes: bytes = b"", stream: bytes = _STREAM) -> bytes:
    described = box(b"jp2h", _PARTS[b"jp2h"], header)
    return _JP2_HEAD + described + more_boxes + box(b"jp2c", stream)


def with_comment_in_a_tile() -> bytes:
    length, tile, size, part, parts = struct.unpack_from(">HHIBB", _STREAM, _TILE + 2)
    size += len(_COM) if size else 0
    head = struct.pack(">HHIBB", length, tile, size, part, parts)
    return _STREAM[: _TILE + 2] + head + _COM + _STREAM[_TILE + 12 :]


JP2 = {
    "a box in the header": jp2(header=box(b"xml ", CANARY)),
    "a label": jp2(more_boxes=box(b"jpch", box(b"lbl ", CANARY))),
    "what readers need": jp2(more_boxes=box(b"rreq", CANARY)),
    "behind the end of the stream": jp2(stream=_STREAM + CANARY),
    "behind a naked stream": _STREAM + CANARY,
    "a comment of a tile": jp2(stream=with_comment_in_a_tile()),
    "a comment of a tile, naked": with_comment_in_a_tile(),
    "an unknown segment": _STREAM[:_TILE]
    + b"\xff\x70"
    + struct.pack(">H", 2 + len(CANARY))
    + CANARY
    + _STREAM[_TILE:],
}
JP2_REFUSED = {
    "a second picture": jp2() + box(b"jp2c", CANARY),
    "a composition": jp2(more_boxes=box(b"comp", CANARY)),
}

_FTYP = box(b"ftyp", b"isom\0\0\2\0isommp41")
_SAMPLE = b"PICTURE!"
_AT = len(_FTYP) + 8
_MVHD = full(b"mvhd", bytes(96))


def track(
    handler: bytes = b"vide",
    place: tuple[int, int] = (_AT, len(_SAMPLE)),
    *,
    sizes: bytes = b"",
    chunks: bytes | None = None,
    entry: bytes = b"",
    compressor: bytes = b"",
    table: bytes = b"",
    media: bytes = b"",
    inside: bytes = b"",
) -> bytes:
    start, size = place
    fixed = bytes(42) + compressor.ljust(32, b"\0") + bytes(4)
    described = full(b"stsd", struct.pack(">I", 1), box(b"mp4v", fixed, entry))
    sizes = sizes or full(b"stsz", struct.pack(">III", 0, 1, size))
    chunks = full(b"stsc", struct.pack(">4I", 1, 1, 1, 1)) if chunks is None else chunks
    places = full(b"stco", struct.pack(">II", 1, start))
    samples = box(b"stbl", described, sizes, chunks, places, table)
    named = full(b"hdlr", bytes(4), handler, bytes(13))
    number = struct.pack(">I", 1 if handler == b"vide" else 2)
    header = full(b"tkhd", bytes(8), number, bytes(68))
    return box(
        b"trak",
        header,
        box(b"mdia", full(b"mdhd", bytes(20)), named, box(b"minf", media, samples)),
        inside,
    )


def movie(
    *tracks: bytes,
    inside: bytes = b"",
    data: bytes = _SAMPLE,
    behind: bytes = b"",
    ftyp: bytes = _FTYP,
) -> bytes:
    moov = box(b"moov", _MVHD, *(tracks or (track(),)), inside)
    return ftyp + box(b"mdat", data) + moov + behind


_BEHIND = (_AT + len(_SAMPLE), len(CANARY))
_SMALL = full(b"stz2", bytes(3), b"\x08", struct.pack(">I", 1), bytes([len(CANARY)]))
_ELSEWHERE = full(b"dref", struct.pack(">I", 1), full(b"url ", CANARY))
_HERE = full(b"dref", struct.pack(">I", 1), box(b"url ", b"\0\0\0\1", CANARY))
_TRUN = full(b"trun", struct.pack(">I", 1))
_TRAF = box(b"traf", box(b"tfhd", b"\0\2\0\0", struct.pack(">I", 2)), _TRUN, box(b"udta", CANARY))
MOVIES = {
    "media data of no track": movie(data=_SAMPLE + CANARY),
    "a second box of media data": movie(behind=box(b"mdat", CANARY)),
    "a track of metadata": movie(track(), track(b"meta", _BEHIND), data=_SAMPLE + CANARY),
    "small sizes": movie(track(), track(b"meta", _BEHIND, sizes=_SMALL), data=_SAMPLE + CANARY),
    "no chunks": movie(track(), track(b"meta", _BEHIND, chunks=b""), data=_SAMPLE + CANARY),
    "subtitles": movie(track(), track(b"sbtl", _BEHIND), data=_SAMPLE + CANARY),
    **{
        f"{type_.decode()} in the index": movie(inside=box(type_, CANARY))
        for type_ in b"cprt loci titl auth meco ilst keys XMP_ beam uuid".split()
    },
    "a box of a track": movie(track(inside=box(b"zzzz", CANARY))),
    "a box of the tables": movie(track(table=box(b"zzzz", CANARY))),
    "a box of a description": movie(track(entry=box(b"uuid", bytes(16), CANARY))),
    "the name of a compressor": movie(track(compressor=CANARY)),
    "an address beside the own file": movie(track(media=box(b"dinf", _HERE))),
    "rows of times": movie(
        track(table=full(b"stts", struct.pack(">III", 4, 1, 1), CANARY.ljust(24)))
    ),
    "a second index": movie(behind=box(b"moov", _MVHD, box(b"udta", CANARY))),
    "a fragment of metadata": movie(behind=box(b"moof", full(b"mfhd", bytes(4)), _TRAF)),
    "brands": movie(behind=box(b"styp", b"isom\0\0\2\0", CANARY)),
    "an index of segments": movie(behind=box(b"sidx", CANARY)),
    "places of fragments": movie(behind=box(b"mfra", box(b"udta", CANARY))),
}
MOVIES_REFUSED = {
    "another file": movie(track(media=box(b"dinf", _ELSEWHERE))),
    "encrypted": movie(track(entry=box(b"sinf", CANARY))),
    "a second table": movie(track(table=full(b"stsc", CANARY.ljust(24)))),
}

_PICTURE = (1, b"hvc1", b"\0", b"\x0a\x26\1PICTURE!")


def heif(
    *items: tuple[int, bytes, bytes, bytes],
    properties: bytes = b"",
    infos: bytes = b"",
    property_boxes: bytes = b"",
    described: bytes = b"",
    references: bytes = b"",
    data: bytes = b"",
    behind: bytes = b"",
    brands: bytes = b"",
) -> bytes:
    """A HEIF of items: number, type, what follows the type, contents."""
    items = items or (_PICTURE,)
    ftyp = box(b"ftyp", b"mif1\0\0\0\0mif1heic", brands)
    entries = b"".join(
        box(b"infe", b"\2\0\0\0", struct.pack(">HH", number, 0), type_, tail)
        for number, type_, tail, _ in items
    )

    def meta(start: int) -> bytes:
        places, at = b"", start
        for number, _, _, content in items:
            places += struct.pack(">HHHII", number, 0, 1, at, len(content))
            at += len(content)
        located = full(b"iloc", b"\x44\0", struct.pack(">H", len(items)), places)
        size = full(b"ispe", struct.pack(">II", 16, 16))
        count = 1 + len(list(boxes(properties, 0, len(properties))))
        owned = full(b"ipma", struct.pack(">IHB", 1, 1, count), bytes(range(1, 1 + count)))
        props = box(b"iprp", box(b"ipco", size, properties), owned, property_boxes)
        infe = full(b"iinf", struct.pack(">H", len(items)), entries, infos)
        main = full(b"pitm", struct.pack(">H", 1))
        named = full(b"hdlr", bytes(4), b"pict", bytes(13))
        linked = full(b"iref", references) if references else b""
        return full(b"meta", named, main, infe, located, props, linked, described)

    start = len(ftyp) + len(meta(0)) + 8
    contents = b"".join(content for *_, content in items)
    return ftyp + meta(start) + box(b"mdat", contents, data) + behind


_RDF = b"\0application/rdf+xml\0"
_SEI = b"\x4e\x01\x05" + bytes([16 + len(CANARY)]) + bytes(16) + CANARY
_HVCC = b"\1" + bytes(21) + b"\1\xa7\0\1" + struct.pack(">H", len(_SEI)) + _SEI
HEIF = {
    "an item": heif(_PICTURE, (2, b"Exif", b"\0", bytes(4) + CANARY)),
    "media data of no item": heif(data=CANARY),
    "data in the description": heif(described=box(b"idat", CANARY)),
    "a property": heif(properties=box(b"zzzz", CANARY)),
    "a long property": heif(properties=box(b"irot", b"\0", CANARY)),
    "a colour space": heif(properties=box(b"colr", b"zzzz", CANARY)),
    "a message to decoders": heif(properties=box(b"hvcC", _HVCC)),
    "the kind of a picture": heif(properties=full(b"auxC", b"urn:x\0", CANARY)),
    "a box beside properties": heif(property_boxes=box(b"zzzz", CANARY)),
    "a box beside items": heif(infos=box(b"zzzz", CANARY)),
    "a second description": heif(behind=full(b"meta", CANARY)),
    "parts of an item": heif(
        properties=full(b"subs", struct.pack(">IIHHBBI", 1, 0, 1, 8, 0, 0, 0), CANARY)
    ),
    "uncompressed": heif(
        properties=full(b"uncC", bytes(4), struct.pack(">I", 1), bytes(29), CANARY)
    ),
    "members of a group": heif(
        described=box(b"grpl", full(b"altr", struct.pack(">II", 9, 5), CANARY))
    ),
    "a group": heif(described=box(b"grpl", box(b"zzzz", CANARY))),
    "another file": heif(described=box(b"dinf", _ELSEWHERE)),
    "protection": heif(described=box(b"ipro", CANARY)),
    "a name": heif((1, b"hvc1", CANARY + b"\0", b"PICTURE!")),
    "a name of XMP": heif(_PICTURE, (2, b"mime", CANARY + _RDF, b"<x/>")),
    "a kind of text": heif(_PICTURE, (2, b"mime", b"\0text/" + CANARY + b"\0", b"<x/>")),
    "an address": heif(_PICTURE, (2, b"uri ", b"\0urn:" + CANARY + b"\0", b"<x/>")),
    "a JPEG item": heif((1, b"jpeg", b"\0", pictures.jpeg())),
    "a reference": heif(references=box(b"cdsc", struct.pack(">HHH", 1, 1, 1), CANARY)),
    "a fragment": heif(behind=box(b"moof", box(b"udta", CANARY))),
    "brands": heif(brands=CANARY),
}
HEIF_REFUSED = {
    "a second list": heif(described=full(b"iinf", bytes(2), box(b"infe", CANARY))),
    "a second place": heif(described=full(b"iloc", CANARY)),
}

GOES = together(jxl=JXL, jp2=JP2, movie=MOVIES, heif=HEIF)
REFUSED = together(jxl=JXL_REFUSED, jp2=JP2_REFUSED, movie=MOVIES_REFUSED, heif=HEIF_REFUSED)


@pytest.mark.parametrize("place", GOES)
def test_what_is_hidden_goes(place: str) -> None:
    reveals_nothing(GOES[place])


@pytest.mark.parametrize("place", REFUSED)
def test_what_readers_differ_about_is_refused(place: str) -> None:
    reveals_nothing(REFUSED[place], refused=True)


def test_what_is_shown_stays() -> None:
    for hidden in MOVIES.values():
        assert images.strip(hidden)[_AT : _AT + len(_SAMPLE)] == _SAMPLE
    for hidden in HEIF.values():
        assert (b"PICTURE!" in hidden) == (b"PICTURE!" in images.strip(hidden))


@pytest.mark.parametrize("room", [3, 4, 255, 256, 257, 258, 511, 512, 513, 514, 770, 2000])
def test_messages_to_decoders_are_filled_up(room: int) -> None:
    message = b"\x4e\x01" + CANARY.ljust(room, b"C")[:room]
    config = b"\1" + bytes(21) + b"\1\xa7\0\1" + struct.pack(">H", len(message)) + message
    cleaned = images.strip(heif(properties=box(b"hvcC", config)))
    at = cleaned.index(b"hvcC") + 4 + 28 + 2
    unit = cleaned[at : at + room]
    ends = [position for position in range(room) if unit[position] != 0xFF]
    assert b"C" not in unit
    assert unit.endswith(b"\x80")
    assert all(later > earlier for earlier, later in pairwise(ends))

"""What office programs and PDF writers note in places that nobody sees: where on somebody's disk
something stood, which printer there was, what follows the end.
"""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, String

from safelight import images
from safelight.images import Length
from tests.support.hiding import CANARY

if TYPE_CHECKING:
    from collections.abc import Callable

    from pikepdf import Object

_TYPES = "[Content_Types].xml"
_DRAWING = b'<w:p><pic:cNvPr id="0" name="%s" descr="%s"/></w:p>'
_PATH = b"C:\\Users\\" + CANARY
_LINK = b'<Relationships><Relationship Id="rId1" Type="x" Target="%s"/></Relationships>'
# A DEVMODEW: name of the device, version, sizes, paper; then what the driver adds.
_NAME = CANARY.decode().encode("utf-16-le").ljust(64, b"\0")
_SETTINGS = _NAME + b"\1\4\0\6\xdc\0\x28\0" + b"\x09".ljust(148, b"\1")


def office(name: str, content: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for one, text in ((_TYPES, b"<Types/>"), (name, content), ("word/long.xml", b" " * 400)):
            archive.writestr(one, text)
    return target.getvalue()


OFFICE = {
    "the file of a picture": ("word/document.xml", _DRAWING % (CANARY + b".jpg", b"")),
    "the path of a picture": ("ppt/slides/slide1.xml", _DRAWING % (b"Picture 1", _PATH)),
    "a name with an apostrophe": (
        "word/document.xml",
        _DRAWING % (b"Anna's " + CANARY + b".png", b""),
    ),
    "a picture of a sheet": ("xl/drawings/drawing1.xml", _DRAWING % (CANARY + b".HEIC", b"")),
    "a template": ("word/_rels/settings.xml.rels", _LINK % (b"file:///C:/" + CANARY)),
    "a linked picture": ("ppt/slides/_rels/slide1.xml.rels", _LINK % (b"file:///C:/" + CANARY)),
    "a printer": ("xl/printerSettings/printerSettings1.bin", _SETTINGS + bytes(40)),
    "a driver": ("xl/printerSettings/printerSettings1.bin", bytes(64) + _SETTINGS[64:] + CANARY),
    "settings cut off": ("xl/printerSettings/printerSettings1.bin", _NAME[:50]),
}


def member(data: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(name)


@pytest.mark.parametrize("length", Length)
@pytest.mark.parametrize("place", OFFICE)
def test_what_an_office_document_hides_goes(place: str, length: Length) -> None:
    name, content = OFFICE[place]
    cleaned = images.strip(office(name, content), length)
    left = member(cleaned, name)
    assert CANARY not in left
    assert CANARY.decode().encode("utf-16-le")[:40] not in left
    assert images.strip(cleaned, length) == cleaned


def test_names_and_links_that_say_nothing_private_stay() -> None:
    for name, content in (
        ("word/document.xml", _DRAWING % (b"Picture 1", b"A dog, asleep. Version 1.5")),
        ("word/_rels/document.xml.rels", _LINK % b"media/image1.jpeg"),
        ("word/_rels/document.xml.rels", _LINK % b"https://example.com/a.jpg"),
    ):
        assert member(images.strip(office(name, content)), name) == content


def test_paper_stays_without_its_printer() -> None:
    name, content = OFFICE["a printer"]
    left = member(images.strip(office(name, content)), name)
    assert left == bytes(64) + content[64:]


def pdf(change: Callable[[pikepdf.Pdf], None]) -> bytes:
    target = io.BytesIO()
    with pikepdf.new() as document:
        document.add_blank_page(page_size=(99, 99))
        document.Root.Lang = String("en" * 300)  # room for what same-length cleaning adds
        change(document)
        document.save(target)
    return target.getvalue()


def note(document: pikepdf.Pdf) -> None:
    fields = Dictionary(Type=Name.Annot, Subtype=Name.Text, Rect=[0, 0, 9, 9], NM=hidden())
    document.pages[0].obj.Annots = Array([document.make_indirect(fields)])


def hidden() -> Object:
    return String(CANARY.decode())


def layer(document: pikepdf.Pdf) -> None:
    about = Dictionary(CreatorInfo=Dictionary(Creator=hidden()))
    group = document.make_indirect(Dictionary(Type=Name.OCG, Name=String("Sky"), Usage=about))
    document.Root.OCProperties = Dictionary(OCGs=Array([group]), D=Dictionary())


def spider(document: pikepdf.Pdf) -> None:
    document.Root.SpiderInfo = Dictionary(V=hidden())


PDF = {
    "the number of a note": pdf(note),
    "what made a layer": pdf(layer),
    "where pages came from": pdf(spider),
    "behind the end": pdf(lambda _: None) + CANARY,
}


@pytest.mark.parametrize("length", Length)
@pytest.mark.parametrize("place", PDF)
def test_what_a_pdf_hides_goes(place: str, length: Length) -> None:
    assert CANARY in PDF[place]
    cleaned = images.strip(PDF[place], length)
    assert CANARY not in cleaned
    assert images.strip(cleaned, length) == cleaned
    with pikepdf.open(io.BytesIO(cleaned)) as document:
        assert len(document.pages) == 1

"""What office programs and PDF writers note in places that nobody sees: where on somebody's disk
something stood, which printer there was, what follows the end.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from typing import TYPE_CHECKING

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, String
from PIL import ImageCms

from safelight import images
from safelight.images import Length
from tests.support.hiding import CANARY

if TYPE_CHECKING:
    from collections.abc import Callable

    from pikepdf import Object

_TYPES = "[Content_Types].xml"
_SECRET = b'<a b="' + CANARY + b'">' + CANARY + b"</a>"
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
    "a comment": ("word/document.xml", b"<a><!--" + CANARY + b"--></a>"),
    "an instruction": ("word/footer1.xml", b"<?xml version='1.0'?><?me " + CANARY + b"?><a/>"),
    "a declaration": ("word/document.xml", b'<!DOCTYPE a SYSTEM "' + CANARY + b'"><a/>'),
    "a picture of old": ("word/document.xml", b'<v:shape alt="' + CANARY + b'.png"/>'),
    "variables": ("word/settings.xml", b"<w:docVars><w:docVar w:val='%s'/></w:docVars>" % CANARY),
    "a merge": ("word/settings.xml", b"<w:mailMerge><w:query w:val='%s'/></w:mailMerge>" % CANARY),
    "the number of a document": ("word/settings.xml", b'<w15:docId w15:val="%s"/>' % CANARY),
    "who may edit": ("word/document.xml", b'<w:permStart w:ed="%s"/>' % CANARY),
    "who opened a book": ("xl/workbook.xml", b'<fileSharing userName="%s"/>' % CANARY),
    "the number of a book": ("xl/workbook.xml", b'<xr:revisionPtr documentId="%s"/>' % CANARY),
    "who refreshed a table": ("xl/pivotCache/p1.xml", b'<p refreshedBy="%s"/>' % CANARY),
    "the time of a comment": ("xl/threadedComments/t1.xml", b'<t dT="%s"/>' % CANARY),
    "the source of a table": ("xl/connections.xml", b'<c sourceFile="%s"/>' % CANARY),
    "data of a program": (
        "ppt/slides/slide1.xml",
        b'<p:custDataLst><p:tags r:id="%s"/></p:custDataLst>' % CANARY,
    ),
    "the time of an older comment": ("ppt/comments/c1.xml", b'<p:cm dt="%s"/>' % CANARY),
    "the time of a newer comment": ("ppt/comments/c2.xml", b'<p:cm created="%s"/>' % CANARY),
    "a linked book": (
        "xl/externalLinks/_rels/l.xml.rels",
        _LINK % (b"/Users/" + CANARY + b"/a.xlsx"),
    ),
    "a place in a network": (
        "xl/externalLinks/_rels/l.xml.rels",
        _LINK % (b"\\\\" + CANARY + b"\\a.xlsx"),
    ),
    "a linked picture of an open document": (
        "content.xml",
        b'<draw:image xlink:href="file:///home/%s/a.png"/>' % CANARY,
    ),
    "the file of a picture in an open document": (
        "content.xml",
        b'<draw:frame draw:name="%s.jpg"/>' % CANARY,
    ),
    "a session of an open document": (
        "content.xml",
        b'<style:text-properties officeooo:rsid="%s"/>' % CANARY,
    ),
    "a session in settings": (
        "settings.xml",
        b'<config:config-item config:name="Rsid" config:type="int">%s<' % CANARY,
    ),
    "a palette in settings": (
        "settings.xml",
        b'<config:config-item config:name="ColorTableURL" config:type="string">%s<' % CANARY,
    ),
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


_PART = (
    b'<Relationships xmlns="x"><Relationship Id="a" Type="o/officeDocument" Target="/word/a.xml"/>'
    b'<Relationship Id="b" Type="o/customXml" Target="customXml/item1.xml"/>'
    b'<Relationship Id="c" Type="o/digital-signature/origin" Target="sigs/origin.sigs"/>'
    b"</Relationships>"
)
_LISTED = (
    b'<manifest:manifest><manifest:file-entry manifest:full-path="content.xml"/>'
    b'<manifest:file-entry manifest:full-path="Pictures/a.bin"/>'
    b'<manifest:file-entry manifest:full-path="layout-cache"/>'
    b'<manifest:file-entry manifest:full-path="Configurations2/"/></manifest:manifest>'
)
_KINDS = b"<Types><Override PartName='/%s'/><Override PartName='/word/a.xml'/></Types>"
PACKAGES = {
    f"{name} of Office": {
        _TYPES: _KINDS % name.encode(),
        "_rels/.rels": _PART,
        "word/a.xml": b"<a/>",
        "word/_rels/a.xml.rels": _LINK % b"../media/my%20picture.bin",
        "media/My picture.bin": b"stays",
        name: _SECRET,
    }
    for name in (
        *("secret.txt", ".DS_Store", "customXml/item1.xml", "sigs/origin.sigs", "word/b.xml"),
        *("customXml/_rels/item1.xml.rels", "[trash]/0000.dat", "media/unused.bin"),
    )
} | {
    f"{name} of OpenDocument": {
        "mimetype": b"application/vnd.oasis.opendocument.text",
        "content.xml": b"<a/>",
        "Pictures/a.bin": b"stays",
        "META-INF/manifest.xml": _LISTED,
        name: _SECRET,
    }
    for name in (
        *("secret.txt", "layout-cache", "Configurations2/menubar/menu.xml", "Versions/Version1"),
        *("META-INF/documentsignatures.xml", "manifest.rdf", "Pictures/unused.bin"),
    )
}


def package(members: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return target.getvalue()


@pytest.mark.parametrize("length", Length)
@pytest.mark.parametrize("place", PACKAGES)
def test_files_that_do_not_belong_to_a_document_go(place: str, length: Length) -> None:
    members = PACKAGES[place]
    *needed, private = members
    cleaned = images.strip(package(members), length)
    with zipfile.ZipFile(io.BytesIO(cleaned)) as archive:
        assert archive.namelist() == needed
        contents = {name: archive.read(name) for name in needed}
    assert all(CANARY not in content for content in contents.values())
    assert b"stays" in contents.values()
    lists = b"".join(contents.get(name, b"") for name in (_TYPES, "META-INF/manifest.xml"))
    assert private.encode() not in lists
    assert b"word/a.xml" in lists or b"Pictures/a.bin" in lists
    assert images.strip(cleaned, length) == cleaned


def test_a_document_whose_lists_say_nothing_stays_whole() -> None:
    for members in (
        {_TYPES: b"<Types/>", "_rels/.rels": b"<Relationships/>", "word/document.xml": b"<a/>"},
        {"mimetype": b"x", "content.xml": b"<a/>", "META-INF/manifest.xml": b"<m:manifest/>"},
    ):
        assert images.strip(package(members)) == package(members)


def test_what_readers_differ_about_is_refused() -> None:
    one = package({_TYPES: b"<Types/>", "word/a.xml": b"<a/>", "word/b.xml": b"<b/>"})
    for data in (
        one.replace(b"word/b.xml", b"word/a.xml"),
        office("word/document.xml", b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'),
    ):
        with pytest.raises(images.ImageError):
            images.strip(data)


def test_sections_and_declarations_stay() -> None:
    for content in (
        b'<?xml version="1.0"?><a><![CDATA[<!-- no comment -->]]></a>',
        b"<a>&lt;!-- no comment --&gt;</a>",
    ):
        assert member(images.strip(office("word/a.xml", content)), "word/a.xml") == content


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
        document.save(target, compress_streams=False)
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


def catalogue(document: pikepdf.Pdf) -> None:
    document.Root.Legal = Dictionary(Attestation=hidden())


def page(document: pikepdf.Pdf) -> None:
    document.pages[0].obj.Secret = hidden()


def trailer(document: pikepdf.Pdf) -> None:
    document.trailer["/Secret"] = document.make_indirect(hidden())


def picture(document: pikepdf.Pdf) -> None:
    keys = {"Type": Name.XObject, "Subtype": Name.Image, "Width": 1, "Height": 1, "OPI": hidden()}
    shown = document.make_stream(b"\0", ColorSpace=Name.DeviceGray, BitsPerComponent=8, **keys)
    document.pages[0].obj.Resources = Dictionary(XObject=Dictionary(A=shown))


def packed(document: pikepdf.Pdf) -> None:
    content = zlib.compress(b"q Q") + CANARY
    document.pages[0].obj.Contents = document.make_stream(content, Filter=Name.FlateDecode)


def metadata(document: pikepdf.Pdf) -> None:
    packet = document.make_stream(CANARY, Type=Name.Metadata, Subtype=Name.XML)
    document.Root.MarkInfo = Dictionary(Other=packet)


def captured(document: pikepdf.Pdf) -> None:
    document.Root.Names = Dictionary(URLS=Dictionary(Names=Array([hidden(), Dictionary()])))


def folder(document: pikepdf.Pdf) -> None:
    place = String(f"file:///home/{CANARY.decode()}/a.pdf")
    action = Dictionary(S=Name.URI, URI=place)
    link = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=[0, 0, 9, 9], A=action)
    document.pages[0].obj.Annots = Array([document.make_indirect(link)])


def attached(document: pikepdf.Pdf) -> None:
    document.attachments["a.txt"] = b"a"
    file = document.attachments["a.txt"].obj
    file.F = file.UF = String(f"C:\\Users\\{CANARY.decode()}\\a.txt")


_PLAIN = pdf(lambda _: None)
PDF = {
    "a key of the document": pdf(catalogue),
    "a key of a page": pdf(page),
    "a key of the trailer": pdf(trailer),
    "a key of a picture": pdf(picture),
    "behind a packed stream": pdf(packed),
    "metadata of another kind": pdf(metadata),
    "pages of the web": pdf(captured),
    "a link to a disk": pdf(folder),
    "the folder of an attached file": pdf(attached),
    "a comment between objects": _PLAIN.replace(b"endobj\n", b"endobj\n% " + CANARY + b"\n", 1),
    "a comment at the beginning": _PLAIN[:15] + b"% " + CANARY + b"\n" + _PLAIN[15:],
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


@pytest.mark.parametrize("length", Length)
def test_the_usual_profile_of_srgb_keeps_its_name(length: Length) -> None:
    name = b"sRGB IEC61966-2.1"
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile += bytes(3144 - len(profile))
    profile[0x190 : 0x190 + len(name)] = name
    profile[80:84] = b"ANNA"

    def coloured(document: pikepdf.Pdf) -> None:
        stream = document.make_stream(bytes(profile), N=3)
        space = Array([Name.ICCBased, stream])
        document.pages[0].obj.Resources = Dictionary(ColorSpace=Dictionary(A=space))

    cleaned = images.strip(pdf(coloured), length)
    assert images.strip(cleaned, length) == cleaned
    with pikepdf.open(io.BytesIO(cleaned)) as document:
        left = document.pages[0].obj.Resources.ColorSpace.A[1].read_bytes()
    assert left[0x190 : 0x190 + len(name)] == name
    assert b"ANNA" not in left


def test_a_document_without_a_size_is_written_with_one() -> None:
    plain = re.sub(rb"/Size \d+", lambda match: b" " * len(match[0]), _PLAIN)
    hidden_ = plain.replace(b"endobj\n", b"endobj\n% " + CANARY + b"\n", 1)
    for length in Length:
        assert b"/Size" in images.strip(hidden_, length)

"""PDF, office documents and ZIP archives: what is said beside the content goes, that stays."""

from __future__ import annotations

import io
import zipfile
import zlib

import docx
import odfdo
import openpyxl
import pikepdf
import pptx
import pypdfium2
import pytest
from pikepdf import Name

from safelight import images
from safelight.images import Format, ImageError, Length, UnalterableError, zip_members
from tests.support import documents, exiftool, pictures

ZIPS = {
    "docx": documents.word(),
    "xlsx": documents.sheet(),
    "pptx": documents.slides(),
    "odt": documents.open_document(),
    "zip": documents.archive(),
    "stored.zip": documents.archive(zipfile.ZIP_STORED),
}
PDFS = {
    "pdf": documents.pdf(),
    "linear.pdf": documents.pdf(linearize=True),
    "packed.pdf": documents.pdf(object_stream_mode=pikepdf.ObjectStreamMode.generate),
}
MADE = ZIPS | PDFS


def unpacked(data: bytes) -> list[bytes]:
    """Every file in an archive, and in archives inside."""
    with zipfile.ZipFile(io.BytesIO(data)) as reader:
        assert reader.testzip() is None
        contents = [reader.read(name) for name in reader.namelist()]
    inner = [file for content in contents if content[:2] == b"PK" for file in unpacked(content)]
    return contents + inner


def says_secrets(data: bytes) -> bool:
    parts = unpacked(data) if data[:2] == b"PK" else streams(data)
    return any(pictures.says_secrets(part) for part in [data, *parts])


def streams(data: bytes) -> list[bytes]:
    with pikepdf.open(io.BytesIO(data)) as document:
        assert document.check_pdf_syntax() == []
        found = [one for one in document.objects if isinstance(one, pikepdf.Stream)]
        return [one.read_raw_bytes() for one in found] + [
            one.unparse(resolved=True) for one in document.objects
        ]


@pytest.mark.parametrize("length", Length)
@pytest.mark.parametrize("name", MADE)
def test_secrets_go(name: str, length: Length) -> None:
    dirty = MADE[name]
    assert says_secrets(dirty)
    cleaned = images.strip(dirty, length)
    assert images.sniff(cleaned) is images.sniff(dirty)
    assert not says_secrets(cleaned)
    assert length is Length.COMPACT or len(cleaned) == len(dirty)
    assert images.examine(cleaned).findings == ()
    assert images.strip(cleaned, length) == cleaned


def test_exiftool_finds_nothing_private() -> None:
    files = {
        f"{length}.{name}": images.strip(data, length)
        for name, data in MADE.items()
        for length in Length
    }
    reports = exiftool.read(files)
    assert len(reports) == len(files)
    assert {name: left for name, one in reports.items() if (left := exiftool.left_over(one))} == {}


@pytest.mark.parametrize("length", Length)
def test_documents_still_open_and_say_what_they_said(length: Length) -> None:
    def cleaned(name: str) -> io.BytesIO:
        return io.BytesIO(images.strip(MADE[name], length))

    letter = docx.Document(cleaned("docx"))
    assert letter.paragraphs[0].text == '<w:ins w:author="quoted" w:rsidR="quoted">'
    assert [note.text for note in letter.comments] == ["a note"]
    assert [note.author for note in letter.comments] == ["Author"]
    assert len(letter.inline_shapes) == 1
    cells = openpyxl.load_workbook(cleaned("xlsx")).active
    assert cells is not None
    assert cells["A1"].value == "=1+1"
    assert cells["A1"].comment is not None
    assert cells["A1"].comment.text == "a note"
    assert len(pptx.Presentation(cleaned("pptx")).slides[0].shapes) == 1
    assert odfdo.Document(cleaned("odt")).get_parts()[0] == "mimetype"


@pytest.mark.parametrize("length", Length)
@pytest.mark.parametrize("name", PDFS)
def test_pages_look_the_same(name: str, length: Length) -> None:
    assert rendered(images.strip(PDFS[name], length)) == rendered(PDFS[name])


def rendered(data: bytes) -> list[bytes]:
    with pypdfium2.PdfDocument(data) as document:
        return [bytes(one.render().to_numpy().tobytes()) for one in document]


def test_files_inside_tell_no_time() -> None:
    with zipfile.ZipFile(io.BytesIO(images.strip(MADE["zip"]))) as reader:
        assert {one.date_time for one in reader.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert [one.extra for one in reader.infolist()] == [b""] * 3


def test_what_does_not_change_keeps_its_packed_bytes() -> None:
    def texts(data: bytes) -> list[bytes]:
        members = zip_members.read(data).members
        return [bytes(one.packed) for one in members if one.name == b"text.txt"]

    dirty = MADE["zip"]
    assert texts(images.strip(dirty)) == texts(dirty) != []


def test_an_archive_without_pictures_is_left_alone() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as writer:
        writer.writestr("code.py", "print()")
        writer.comment = b"a comment"
    assert images.strip(target.getvalue()) == target.getvalue()


def test_bytes_between_the_files_of_an_archive_go() -> None:
    dirty = documents.archive(comment=b"")
    directory = zip_members.read(dirty).members[-1].end
    end = len(dirty) - 22
    offset = int.from_bytes(dirty[end + 16 : end + 20], "little") + 6
    hiding = dirty[:directory] + b"CANARY" + dirty[directory : end + 16]
    hiding += offset.to_bytes(4, "little") + dirty[end + 20 :]
    assert b"CANARY" in hiding
    assert b"CANARY" not in images.strip(hiding)


def test_pictures_too_deep_are_refused() -> None:
    data = pictures.jpeg()
    for _ in range(6):
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w") as writer:
            writer.writestr("inner", data)
        data = target.getvalue()
    with pytest.raises(ImageError, match="too deep"):
        images.strip(data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (ZIPS["zip"][:-30], "cut off"),
        (ZIPS["zip"][:2000] + ZIPS["zip"][2001:], "damaged"),
        (ZIPS["zip"].replace(b"PK\1\2\x14\3\x14\0\0\0", b"PK\1\2\x14\3\x14\0\1\0", 1), "password"),
        (ZIPS["zip"].replace(b"photo.jpg", b"other.jpg", 1), "two things"),
        (documents.pdf(encryption=pikepdf.Encryption(owner="o", user="u")), "password"),
        (PDFS["pdf"][:300], "damaged"),
        (b"%PDF-1.7\n" + bytes(1000), "damaged"),
    ],
)
def test_what_cannot_be_looked_into_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(ImageError, match=reason):
        images.strip(data)


def test_a_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safelight.images.archive.MOST_UNPACKED", 100)
    with pytest.raises(ImageError, match="more than can be looked at"):
        images.strip(ZIPS["zip"])


def test_a_signed_pdf_cannot_be_altered() -> None:
    document = documents.page(pictures.jpeg())
    signature = pikepdf.Dictionary(Type=Name.Sig, ByteRange=[0, 1, 2, 3], Contents=b"\0")
    document.Root.AcroForm = pikepdf.Dictionary(SigFlags=3, Fields=[])
    document.Root.Perms = pikepdf.Dictionary(DocMDP=document.make_indirect(signature))
    for length in Length:
        with pytest.raises(UnalterableError, match="signed") as caught:
            images.strip(documents.saved(document), length)
        assert (caught.value.format, caught.value.length) == (Format.PDF, length)


def test_earlier_versions_of_a_pdf_go() -> None:
    first = documents.saved(documents.page(pictures.clean_jpeg()))
    start = first.rindex(b"startxref") + 10
    where = first[start : first.index(b"\n", start)]
    extra = b"99 0 obj\n(CANARY)\nendobj\n"
    table = b"xref\n99 1\n%010d 00000 n \n" % len(first)
    root = first[first.rindex(b"/Root") :].split(b"/", 2)[1].split(b">>")[0]
    trailer = b"trailer\n<< /%s /Size 100 /Prev %s >>\n" % (root.strip(), where)
    end = b"startxref\n%d\n%%%%EOF\n" % (len(first) + len(extra))
    updated = first + extra + table + trailer + end
    assert {one.place for one in images.examine(updated).findings} == {
        "earlier versions of the document"
    }
    assert b"CANARY" not in images.strip(updated)
    assert rendered(images.strip(updated)) == rendered(first)


def test_a_pdf_that_says_all_in_few_letters_grows_in_no_length() -> None:
    parts = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 9/Kids[%s]>>"]
    kids = b" ".join(b"%d 0 R" % number for number in range(4, 13))
    parts = [parts[0], parts[1] % kids, b"<</Title(T)>>"]
    parts += [b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>"] * 9
    terse, table = b"%PDF-1.5\n", b"xref\n0 13\n0000000000 65535 f \n"
    for number, part in enumerate(parts, 1):
        table += b"%010d 00000 n \n" % len(terse)
        terse += b"%d 0 obj%s endobj\n" % (number, part)
    end = b"trailer<</Size 13/Root 1 0 R/Info 3 0 R>>\nstartxref\n%d\n%%%%EOF\n" % len(terse)
    dirty = terse + table + end
    assert [one.place for one in images.examine(dirty).findings] == ["document properties"]
    for length in Length:
        cleaned = images.strip(dirty, length)
        assert len(cleaned) <= len(dirty)
        assert rendered(cleaned) == rendered(dirty)


def test_a_photo_behind_two_filters() -> None:
    document = documents.page(pictures.jpeg())
    photo = document.pages[0].Resources.XObject.Photo
    photo.write(
        zlib.compress(pictures.jpeg()),
        filter=pikepdf.Array([Name.FlateDecode, Name.DCTDecode]),
    )
    dirty = documents.saved(document, stream_decode_level=pikepdf.StreamDecodeLevel.none)
    cleaned = images.strip(dirty)
    assert images.examine(dirty).findings != ()
    assert not says_secrets(cleaned)
    assert rendered(cleaned) == rendered(dirty)


def test_the_owner_sees_what_a_document_says() -> None:
    for name in ("docx", "pdf", "zip"):
        values = images.reveal(MADE[name], images.examine(MADE[name]).findings)
        assert any("CANARY" in detail.value for detail in values), name

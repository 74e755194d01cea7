"""Documents with secrets, made by other people's libraries: every secret holds the word CANARY."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path

import docx
import odfdo
import openpyxl
import pikepdf
import pptx
from openpyxl.comments import Comment
from openpyxl.drawing.image import Image as CellImage
from pikepdf import Dictionary, Name

from tests.support import pictures

CANARY = "CANARY"


def word() -> bytes:
    """A DOCX with properties, a note by somebody and a photo."""
    document = docx.Document()
    document.core_properties.author = "CANARY Anna"
    document.core_properties.last_modified_by = "CANARY Bert"
    # Looks like markup, is text: it must stay as it is.
    paragraph = document.add_paragraph('<w:ins w:author="quoted" w:rsidR="quoted">')
    document.add_comment(paragraph.runs, text="a note", author="CANARY Carla", initials="CANARY")
    document.add_picture(io.BytesIO(pictures.jpeg()))
    return _saved(document.save)


def sheet() -> bytes:
    """An XLSX with properties, a note by somebody and a photo."""
    book = openpyxl.Workbook()
    book.properties.creator = "CANARY Anna"
    cells = book.active
    assert cells is not None
    cells["A1"] = "=1+1"
    cells["A1"].comment = Comment("a note", "CANARY Carla")
    cells.add_image(CellImage(io.BytesIO(pictures.jpeg())), "B2")
    return _saved(book.save)


def slides() -> bytes:
    """A PPTX with properties, a preview and a photo."""
    show = pptx.Presentation()
    show.core_properties.author = "CANARY Anna"
    slide = show.slides.add_slide(show.slide_layouts[6])
    slide.shapes.add_picture(io.BytesIO(pictures.jpeg()), 0, 0)
    return _saved(show.save)


def open_document() -> bytes:
    """An ODT with properties, a preview and a photo."""
    document = odfdo.Document("text")
    document.meta.set_title("CANARY title")
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / "photo.jpg"
        photo.write_bytes(pictures.jpeg())
        document.add_file(str(photo))
        target = Path(folder) / "document.odt"
        document.save(str(target))
        return target.read_bytes()


def archive(method: int = zipfile.ZIP_DEFLATED, *, comment: bytes = b"CANARY comment") -> bytes:
    """A ZIP with a photo, a document that holds one, and a text."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as writer:
        writer.writestr(zipfile.ZipInfo("photo.jpg", (2026, 5, 4, 12, 34, 56)), pictures.jpeg())
        writer.writestr("letter.docx", word())
        writer.writestr("text.txt", "plain " * 100)
        writer.comment = comment
    return target.getvalue()


def pdf(**options: object) -> bytes:
    """A PDF with a photo on its page, properties, XMP, a note by somebody and an attachment."""
    document = page(pictures.jpeg())
    with document.open_metadata() as metadata:
        metadata["dc:creator"] = ["CANARY Anna"]
    document.docinfo["/Author"] = "CANARY Anna"
    document.attachments["photo.jpg"] = pictures.jpeg()
    note = Dictionary(
        Type=Name.Annot,
        Subtype=Name.Text,
        Rect=[10, 10, 30, 30],
        Contents="a note",
        T="CANARY Carla",
        M="D:20260504123456",
    )
    document.pages[0].Annots = pikepdf.Array([document.make_indirect(note)])
    return saved(document, **options)


def page(photo: bytes) -> pikepdf.Pdf:
    """A PDF of one page that shows a JPEG of 64 x 48 pixels."""
    document = pikepdf.new()
    document.add_blank_page(page_size=(200, 150))
    image = document.make_stream(
        photo,
        Type=Name.XObject,
        Subtype=Name.Image,
        Width=64,
        Height=48,
        ColorSpace=Name.DeviceRGB,
        BitsPerComponent=8,
        Filter=Name.DCTDecode,
    )
    sheet = document.pages[0]
    sheet.Resources = Dictionary(XObject=Dictionary(Photo=image))
    sheet.Contents = document.make_stream(b"q 200 0 0 150 0 0 cm /Photo Do Q")
    return document


def saved(document: pikepdf.Pdf, **options: object) -> bytes:
    """The bytes of an open PDF."""
    target = io.BytesIO()
    document.save(target, **options)  # type: ignore[arg-type]
    return target.getvalue()


def _saved(save: object) -> bytes:
    target = io.BytesIO()
    assert callable(save)
    save(target)
    return target.getvalue()

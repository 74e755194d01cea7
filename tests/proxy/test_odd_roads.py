"""Valid forms that few clients use, through the proxy: the picture is cleaned, whatever its type,
and every other byte arrives as it was."""

from __future__ import annotations

import base64
import gzip
import json
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

import pytest

from safelight import images
from safelight.images import Length
from tests.support import documents, exiftool, pictures
from tests.support import more_pictures as more

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.lab import Lab

URL = "https://chatgpt.com/upload"
KINDS = {
    "jpeg": pictures.jpeg(),
    "heic": more.heic(),
    "tiff": more.tiff(),
    "pdf": documents.pdf(),
    "docx": documents.word(),
}


def text(picture: bytes) -> str:
    return base64.b64encode(picture).decode()


def data_url(picture: bytes, parameters: str = "") -> str:
    return f"data:image/jpeg{parameters};base64,{text(picture)}"


def dumped(value: object) -> bytes:
    return json.dumps(value).encode()


def parts(*contents: tuple[str, bytes], boundary: str = "XX") -> bytes:
    written = [
        f"--{boundary}\r\n{head}\r\n\r\n".encode() + content + b"\r\n" for head, content in contents
    ]
    return b"".join(written) + f"--{boundary}--\r\n".encode()


def field(length: bytes, picture: bytes) -> bytes:
    return b"\x0a\x04name" + length + picture + b"\x18\x05"


def varint(size: int) -> bytes:
    return bytes([size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14])


@dataclass(frozen=True, slots=True)
class Odd:
    """A request around a picture."""

    write: Callable[[bytes], bytes]
    content_type: str = "application/json"
    length: Length = Length.COMPACT


FILE = 'Content-Disposition: form-data; name="f"'
KEPT = Length.SAME_LENGTH
FORM = "multipart/form-data; boundary="
ODD = {
    "an odd boundary": Odd(
        lambda one: parts((FILE, one), boundary="--=_'()+,./:=? 1"), FORM + '"--=_\'()+,./:=? 1"'
    ),
    "a type in capitals": Odd(lambda one: parts((FILE, one)), "Multipart/Form-Data; Boundary=XX"),
    "around the parts": Odd(
        lambda one: b"preamble\r\n" + parts((FILE, one)) + b"epilogue", FORM + "XX"
    ),
    "parts in a part": Odd(
        lambda one: parts(
            ("Content-Type: multipart/mixed; boundary=YY", parts((FILE, one), boundary="YY"))
        ),
        FORM + "XX",
    ),
    "related parts": Odd(
        lambda one: parts(("Content-Type: application/json", b"{}"), ("Content-Type: x/y", one)),
        "multipart/related; boundary=XX",
    ),
    "a part in base64": Odd(
        lambda one: parts(
            (f"{FILE}\r\nContent-Transfer-Encoding: Base64", base64.encodebytes(one).strip())
        ),
        FORM + "XX",
    ),
    "JSON in a part": Odd(lambda one: parts((FILE, dumped({"a": text(one)}))), FORM + "XX"),
    "a mark in front of JSON": Odd(lambda one: b"\xef\xbb\xbf" + dumped({"a": text(one)})),
    "escaped slashes": Odd(lambda one: dumped({"a": text(one)}).replace(b"/", rb"\/")),
    "the same key twice": Odd(lambda one: b'{"a": "x", "a": "%s"}' % text(one).encode()),
    "JSON in lines": Odd(lambda one: b'{"b": 1}\n' + dumped({"a": text(one)}) + b"\n", "x/ndjson"),
    "JSON in JSON in JSON": Odd(
        lambda one: dumped({"a": json.dumps({"b": json.dumps({"c": data_url(one)})})})
    ),
    "JSON in a form": Odd(
        lambda one: urlencode({"a": "b c", "j": json.dumps({"i": text(one) + "\n"})}).encode(),
        "application/x-www-form-urlencoded",
    ),
    "a data URL with parameters": Odd(lambda one: dumped({"a": data_url(one, ";name=a.b;x=%20")})),
    "a data URL with percents": Odd(lambda one: dumped({"a": quote(data_url(one), "")})),
    "lines": Odd(lambda one: dumped({"a": base64.encodebytes(one).decode()})),
    "lines with carriage returns": Odd(
        lambda one: base64.encodebytes(one).replace(b"\n", b"\r\n"), "text/plain"
    ),
    "the alphabet of URLs": Odd(lambda one: dumped({"a": base64.urlsafe_b64encode(one).decode()})),
    "text on the next line": Odd(lambda one: dumped({"a": f"{data_url(one)}\nWhat is this?"})),
    "two in one text": Odd(lambda one: dumped({"a": f"![a]({data_url(one)}) and\n{text(one)}"})),
    "a batch of GraphQL": Odd(
        lambda one: dumped([{"query": "q", "variables": {"f": data_url(one)}}, {"query": "r"}])
    ),
    "XML-RPC": Odd(
        lambda one: b"<value><base64>\n" + base64.encodebytes(one) + b"</base64></value>",
        "text/xml",
    ),
    "SOAP": Odd(lambda one: f"<s:Body><a>{text(one)}</a></s:Body>".encode(), "text/xml"),
    "a message with a length": Odd(
        lambda one: field(b"\x12" + varint(len(one)), one), "application/x-protobuf", KEPT
    ),
    "gRPC for browsers": Odd(
        lambda one: (
            b"\0" + struct.pack(">I", len(one) + 12) + field(b"\x12" + varint(len(one)), one)
        ),
        "application/grpc-web+proto",
        KEPT,
    ),
    "MessagePack": Odd(
        lambda one: field(b"\xc6" + struct.pack(">I", len(one)), one), "application/msgpack", KEPT
    ),
    "CBOR": Odd(
        lambda one: field(b"\x5a" + struct.pack(">I", len(one)), one), "application/cbor", KEPT
    ),
    "BSON": Odd(
        lambda one: field(b"\5i\0" + struct.pack("<I", len(one)) + b"\0", one), "x/bson", KEPT
    ),
    "Avro": Odd(lambda one: field(varint(2 * len(one)), one), "avro/binary", KEPT),
    "no type at all": Odd(lambda one: one, "", KEPT),
    "a wrong type": Odd(lambda one: one, "text/html; charset=utf-8", KEPT),
}
# A document in a message, and what has no length of its own, is noticed alone.
STOPPED = {
    (way, "docx")
    for way in ("a message with a length", "gRPC for browsers", "MessagePack", "CBOR", "BSON")
} | {("Avro", "docx")}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", ODD)
def test_only_the_picture_changes(lab: Lab, way: str, kind: str) -> None:
    odd, picture = ODD[way], KINDS[kind]
    path = lab.folder / "body"
    path.write_bytes(odd.write(picture))
    answer = lab.curl("-H", f"content-type: {odd.content_type}", "--data-binary", f"@{path}", URL)
    if (way, kind) in STOPPED:
        assert answer.status == 403
        assert lab.arrived == []
        return
    assert answer.status == 200
    [received] = lab.arrived
    assert received.body == odd.write(images.strip(picture, odd.length))


@pytest.mark.parametrize("length", Length)
def test_what_is_left_by_the_judgement_of_another(length: Length) -> None:
    cleaned = {kind: images.strip(one, length) for kind, one in KINDS.items() if kind != "docx"}
    for kind, report in exiftool.read(cleaned).items():
        assert exiftool.left_over(report) == set(), kind


@pytest.mark.parametrize("headers", [[], ["transfer-encoding: chunked"]])
@pytest.mark.parametrize("coding", ["GZIP", "x-gzip"])
def test_codings_by_their_other_names(lab: Lab, coding: str, headers: list[str]) -> None:
    path = lab.folder / "body"
    path.write_bytes(gzip.compress(dumped({"a": text(KINDS["jpeg"])})))
    more_headers = [
        one for header in (*headers, f"content-encoding: {coding}") for one in ("-H", header)
    ]
    answer = lab.curl(*more_headers, "--data-binary", f"@{path}", URL)
    assert answer.status == 200
    [received] = lab.arrived
    assert gzip.decompress(received.body) == dumped({"a": text(images.strip(KINDS["jpeg"]))})

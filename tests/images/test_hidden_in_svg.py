"""Places in an SVG where nobody looks, and ways of writing that only look like such places."""

from __future__ import annotations

import base64
import gzip
import html
import io
import re
from urllib.parse import quote_from_bytes, unquote_to_bytes

import pytest

from safelight import images
from safelight.images import Length
from tests.support import pictures
from tests.support.hiding import CANARY, reveals_nothing

_JPEG = pictures.jpeg()
_TEXT = base64.b64encode(_JPEG)
_NESTED = b'<svg xmlns="http://www.w3.org/2000/svg"><metadata>CANARY</metadata><rect/></svg>'


def svg(
    inside: bytes = b"", *, before: bytes = b"", root: bytes = b"", behind: bytes = b""
) -> bytes:
    return (
        before + b'<svg xmlns="http://www.w3.org/2000/svg" '
        b'xmlns:xlink="http://www.w3.org/1999/xlink" width="9" height="9"' + root + b">" + inside
        + b'<rect width="5" height="5"/></svg>' + behind
    )  # fmt: skip


def image(address: bytes) -> bytes:
    return svg(b'<image width="5" height="5" href="' + address + b'"/>')


GOES = {
    "an entity that nobody uses": svg(before=b'<!DOCTYPE svg [<!ENTITY a "' + CANARY + b'">]>'),
    "a comment in the declaration": svg(before=b"<!DOCTYPE svg [<!--" + CANARY + b"-->]>"),
    "a declaration on a disk": svg(before=b'<!DOCTYPE svg SYSTEM "' + CANARY + b'.dtd">'),
    "a style sheet on a disk": svg(before=b'<?xml-stylesheet href="file:///' + CANARY + b'"?>'),
    "behind the end": svg(behind=CANARY),
    "a comment behind the end": svg(behind=b"<!--" + CANARY + b"-->"),
    "text in a group": svg(b"<g>" + CANARY + b"</g>"),
    "a section in a group": svg(b"<g><![CDATA[" + CANARY + b"]]></g>"),
    "an attribute for scripts": svg(b'<g data-name="' + CANARY + b'"/>'),
    "a label": svg(b'<g aria-label="' + CANARY + b'"/>'),
    "the title of a link": svg(b'<g xlink:title="' + CANARY + b'"/>'),
    "a path": svg(b'<image href="file:///home/' + CANARY + b'"/>'),
    "a path with a drive": svg(b'<image xlink:href="C:\\Users\\' + CANARY + b'"/>'),
    "the base of addresses": svg(root=b' xml:base="file:///' + CANARY + b'"'),
    "another namespace": svg(root=b' xmlns:me="http://' + CANARY + b'/"'),
    "another namespace for short names": svg(b'<a xmlns="http://me/"><b>' + CANARY + b"</b></a>"),
    "what HTML says about itself": svg(
        b'<foreignObject><meta xmlns="http://www.w3.org/1999/xhtml" content="' + CANARY
        + b'"/></foreignObject>'
    ),
    "a comment in a style sheet": svg(b"<style>a{}/* " + CANARY + b" */b{}</style>"),
    "a comment that is not closed": svg(b"<style>a{}/* " + CANARY + b"</style>"),
    "a comment in a section": svg(b"<style><![CDATA[/*" + CANARY + b"*/]]></style>"),
    "a comment in a style": svg(b'<g style="fill:red/*' + CANARY + b'*/"/>'),
    "a picture": image(b"data:image/jpeg;base64," + _TEXT),
    "capitals": image(b"DATA:image/jpeg;BASE64," + _TEXT),
    "a character set": image(b"data:image/jpeg;charset=utf-8;base64," + _TEXT),
    "no type": image(b"data:;base64," + _TEXT),
    "another type": image(b"data:application/octet-stream;base64," + _TEXT),
    "a space before base64": image(b"data:image/jpeg; base64," + _TEXT),
    "a tab in the scheme": image(b"da\tta:image/jpeg;base64," + _TEXT),
    "an entity in the scheme": image(b"data&#58;image/jpeg;base64," + _TEXT),
    "no base64": image(b"data:image/jpeg," + quote_from_bytes(_JPEG).encode()),
    "lines": image(b"data:image/jpeg;base64,\n" + base64.encodebytes(_JPEG)),
    "an attribute that nobody knows": svg(b'<g label="' + CANARY + b'"/>'),
    "an attribute of an unknown element": svg(b'<layer file="' + CANARY + b'"/>'),
    "an id that nobody uses": svg(b'<g id="' + CANARY + b'"/>'),
    "an id of the root": svg(root=b' id="' + CANARY + b'"'),
    "a class without a style sheet": svg(b'<g class="' + CANARY + b'"/>'),
    "a class that no style sheet names": svg(
        b'<style>.a{fill:red}</style><g class="' + CANARY + b'"/>'
    ),
    "the title of an HTML element": svg(
        b'<foreignObject><p xmlns="http://www.w3.org/1999/xhtml" title="' + CANARY
        + b'">a</p></foreignObject>'
    ),
    "a folder": svg(b'<image href="/home/' + CANARY + b'/a.png"/>'),
    "a place in a network": svg(b'<image href="\\\\' + CANARY + b'\\a.png"/>'),
    "a script that is data": svg(
        b'<script type="application/ld+json">"' + CANARY + b'"</script>'
    ),
    "a property of an editor": svg(
        b'<text style="fill:red;-inkscape-font-specification:&quot;' + CANARY
        + b'&quot;;stroke:red">a</text>'
    ),
    "a rule of an editor": svg(b"<style>a{-inkscape-font-specification:'" + CANARY + b"'}</style>"),
    "a declaration of XML": svg(before=b'<?xml version="1.0" author="' + CANARY + b'"?>'),
    "a comment before the drawing": svg(before=b"<!-- " + CANARY + b" -->"),
    "a parameter of an address": image(
        b"data:image/jpeg;by=" + CANARY + b";base64," + base64.b64encode(pictures.clean_jpeg())
    ),
    "an escape in the scheme": svg(b"<g style='fill:url(\\64 ata:;base64," + _TEXT + b")'/>"),
    "lines in a style sheet": svg(
        b'<style>a{b:url("data:;base64,\\\n' + _TEXT + b'")}</style>'
    ),
    "a set of pictures": svg(
        b'<style>a{b:image-set("data:image/jpeg,' + quote_from_bytes(_JPEG).encode()
        + b'" 1x)}</style>'
    ),
    "a style sheet": svg(b"<style>a{fill:url(data:image/jpeg;base64," + _TEXT + b")}</style>"),
    "a style": svg(b"<g style=\"fill:url('data:image/jpeg;base64," + _TEXT + b"')\"/>"),
    "a section": svg(b"<style><![CDATA[a{b:url(data:;base64," + _TEXT + b")}]]></style>"),
}  # fmt: skip
REFUSED = {
    "a picture in an entity": svg(
        b'<image href="&a;"/>',
        before=b'<!DOCTYPE svg [<!ENTITY a "data:;base64,' + _TEXT + b'">]>',
    ),
    "an attribute without quotes": svg(root=b" id=" + CANARY),
    "an attribute without a value": svg(root=b" " + CANARY),
    "two bytes a letter": svg(b"<desc>CANARY</desc>").decode().encode("utf-16")
    + b"<!--"
    + CANARY
    + b"-->",
    "a second picture": svg(behind=b"<g>" + CANARY + b"</g>"),
    "parameters": svg(before=b'<!DOCTYPE svg [<!ENTITY % a "' + CANARY + b'"> %a;]>'),
}


@pytest.mark.parametrize("place", GOES)
def test_what_is_hidden_goes(place: str) -> None:
    reveals_nothing(GOES[place])


@pytest.mark.parametrize("place", REFUSED)
def test_what_cannot_be_followed_is_refused(place: str) -> None:
    reveals_nothing(REFUSED[place], refused=True)


@pytest.mark.parametrize("length", Length)
@pytest.mark.parametrize(
    "address",
    [
        b"data:image/svg+xml;utf8," + html.escape(_NESTED.decode()).encode(),
        b"data:image/svg+xml," + quote_from_bytes(_NESTED).encode(),
        b"data:image/svg+xml;base64," + base64.b64encode(_NESTED),
    ],
)
def test_an_svg_in_an_svg_is_cleaned(address: bytes, length: Length) -> None:
    cleaned = images.strip(image(address), length)
    [written] = re.findall(rb'href="([^"]*)"', cleaned)
    head, _, payload = html.unescape(written.decode()).partition(",")
    inner = unquote_to_bytes(payload)
    inner = base64.b64decode(inner) if head.endswith("base64") else inner
    assert b"<rect/></svg>" in inner
    assert b"CANARY" not in inner


@pytest.mark.parametrize("length", Length)
def test_lines_written_as_entities_are_read(length: Length) -> None:
    lines = b"&#10;".join(_TEXT[at : at + 76] for at in range(0, len(_TEXT), 76))
    hidden = image(b"data:image/jpeg;base64," + lines)
    [written] = re.findall(rb'base64,([^"]*)"', images.strip(hidden, length))
    assert base64.b64decode(written.strip()) == images.strip(_JPEG, length)


@pytest.mark.parametrize("length", Length)
def test_names_that_drawing_programs_shorten_stay(length: Length) -> None:
    declared = (
        b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" '
        b'"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd" ['
        b'<!ENTITY ns_xlink "http://www.w3.org/1999/xlink">'
        b'<!ENTITY ns_extend "http://ns.adobe.com/Extensibility/1.0/">]>'
    )
    drawing = (
        declared + b'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="&ns_xlink;" '
        b'xmlns:x="&ns_extend;"><x:secret>CANARY</x:secret>'
        b'<rect id="r"/><use xlink:href="#r"/></svg>'
    )
    cleaned = images.strip(drawing, length)
    assert b'<use xlink:href="#r"/>' in cleaned
    assert b'<!ENTITY ns_xlink "http://www.w3.org/1999/xlink">' in cleaned
    assert b"CANARY" not in cleaned
    assert b"ns.adobe.com" not in cleaned
    assert images.strip(cleaned, length) == cleaned


@pytest.mark.parametrize(
    "drawn",
    [
        b"<text>Hello <tspan>you</tspan></text>",
        b"<style>a::after{content:'/* no comment */'}</style>",
        b'<style>@font-face{src:url("data:font/woff2;base64,d09GMgAB")}</style>',
        b'<style>[data-on]{fill:red}</style><g data-on="1"/>',
        b'<style>.a{fill:red}#b{fill:red}</style><g class="c a"/><g id="b"/>',
        b'<g id="a"/><use xlink:href="#a"/><g id="b.c"/><g filter="url(#b.c)"/>',
        b'<g id="a"/><animate attributeName="x" begin="1s; a.click" dur="1s"/>',
        b'<symbol id="shown-elsewhere"/>',
        b'<g font-size="3" stroke-dasharray="1" mix-blend-mode="screen" onclick="f()" foo="1"/>',
        b'<script>f()</script><g id="a" foo="1"/>',
        b'<script type="text/javascript">f()</script><g id="a"/>',
        b"<style>a{content:'\\2014'}</style>",
        b'<foreignObject><p xmlns="http://www.w3.org/1999/xhtml">Hello</p></foreignObject>',
        b'<image href="photo.jpg"/>',
    ],
)
def test_what_is_drawn_stays(drawn: bytes) -> None:
    drawing = svg(drawn)
    for length in Length:
        assert images.strip(drawing, length) == drawing


@pytest.mark.parametrize("length", Length)
@pytest.mark.parametrize("inside", [b"", b"<metadata>CANARY</metadata>", b"<!-- CANARY -->" * 99])
def test_a_packed_drawing(inside: bytes, length: Length) -> None:
    drawing = svg(inside + b'<path d="M0 0' + bytes(range(48, 58)) * 9 + b'"/>')
    packed = io.BytesIO()
    with gzip.GzipFile("CANARY.svg", "wb", fileobj=packed, mtime=1_700_000_000) as target:
        target.write(drawing)
    dirty = packed.getvalue() + b"CANARY"
    assert images.sniff(dirty) is images.Format.SVG
    cleaned = images.strip(dirty, length)
    assert b"CANARY" not in cleaned
    assert gzip.decompress(cleaned) == images.strip(drawing, length)
    assert images.strip(cleaned, length) == cleaned
    assert length is Length.COMPACT or len(cleaned) == len(dirty)


@pytest.mark.parametrize("spare", range(40))
def test_packed_drawings_of_every_length(spare: int) -> None:
    clean = gzip.compress(svg(), mtime=0)
    dirty = clean[:3] + b"\x08" + clean[4:10] + b"x" * spare + b"\0" + clean[10:]
    cleaned = images.strip(dirty, Length.SAME_LENGTH)
    assert len(cleaned) == len(dirty)
    assert gzip.decompress(cleaned) == svg()
    assert images.strip(cleaned, Length.SAME_LENGTH) == cleaned


def test_packed_drawings_that_are_damaged_are_refused() -> None:
    clean = gzip.compress(svg())
    for broken in (clean[:-9], clean[:-8] + bytes(8)):
        with pytest.raises(images.ImageError):
            images.examine(broken)
    assert images.sniff(gzip.compress(b"<html/>")) is None

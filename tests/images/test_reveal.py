from __future__ import annotations

import zlib

from safelight import images
from safelight.images import Kind
from tests.support import more_pictures, pictures


def details(data: bytes) -> dict[str, str]:
    found = images.reveal(data, images.examine(data).findings)
    return {detail.label: detail.value for detail in found}


def test_values_of_a_photo() -> None:
    shown = details(pictures.jpeg())
    assert shown["place"] == "48.85840, 2.29450"
    assert shown["taken"] == "2026:05:04 12:34:56"
    assert (shown["maker"], shown["model"]) == ("CANARY Cameras", "CANARY 5")
    assert shown["comment"] == "CANARY comment"
    assert shown["small copy"].endswith(" bytes")


def test_values_of_other_formats() -> None:
    assert details(pictures.png())["parameters"] == "CANARY prompt"
    assert details(pictures.gif())["comment"] == "CANARY comment"
    assert details(pictures.webp())["serial number"] == "CANARY-123456"


def test_values_are_harmless_to_a_terminal() -> None:
    clean = pictures.clean_jpeg()
    comment = b"\x1b[31mred\x07\xe2\x80\xae" + b"long " * 100
    dirty = clean[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2) + comment + clean[2:]
    shown = details(dirty)["comment"]
    assert shown.isprintable()
    assert len(shown) < 250


def test_a_recording_behind_the_picture() -> None:
    data = pictures.clean_jpeg() + b"\0\0\0\x18ftypmp42" + bytes(1000)
    [detail] = images.reveal(data, images.examine(data).findings)
    assert (detail.kind, detail.label, detail.value) == (
        Kind.VOICE_OR_VIDEO,
        "size",
        "1012 bytes",
    )


def test_values_of_items() -> None:
    for data in (more_pictures.heic(), more_pictures.avif()):
        shown = details(data)
        assert shown["place"] == "48.85840, 2.29450"
        assert shown["model"] == "CANARY 5"


def test_tags_have_names_and_values() -> None:
    data = more_pictures.tiff()
    places = {finding.place for finding in images.examine(data).findings}
    assert {"Make tag", "Artist tag"} <= places
    shown = details(data)
    assert (shown["maker"], shown["artist"]) == ("CANARY", "CANARY Anna")
    assert "text" not in shown  # all of it was told already


def test_a_raw_profile_is_read() -> None:
    block = pictures.exif().hex()
    text = f"Raw profile type exif\0\nexif\n {len(block) // 2:7}\n{block}\n".encode()
    chunk = len(text).to_bytes(4) + b"tEXt" + text + zlib.crc32(b"tEXt" + text).to_bytes(4)
    clean = images.strip(pictures.png(), images.Length.COMPACT)
    shown = details(clean[:33] + chunk + clean[33:])
    assert shown["place"] == "48.85840, 2.29450"


def test_the_length_of_a_segment_is_no_text() -> None:
    clean = pictures.clean_jpeg()
    segment = b"CANARY".ljust(0x4142 - 2, b"\0")
    dirty = clean[:2] + b"\xff\xe9AB" + segment + clean[2:]
    assert details(dirty) == {"text": "CANARY"}


def test_text_in_what_is_not_known() -> None:
    clean = pictures.clean_jpeg()
    segment = b"\0Vendor\0\x01\x02\xfeseen at CANARY street\0\0%&'()*4567"
    dirty = clean[:2] + b"\xff\xe9" + (len(segment) + 2).to_bytes(2) + segment + clean[2:]
    found = images.reveal(dirty, images.examine(dirty).findings)
    assert {detail.value for detail in found if detail.label == "text"} == {
        "Vendor",
        "seen at CANARY street",
    }

from __future__ import annotations

from safelight import images
from safelight.images import Kind
from tests.support import pictures


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

"""Every picture of a corpus, in both lengths, judged by ExifTool and Pillow.

SAFELIGHT_CORPUS names a folder of pictures; those in folders called `hostile` may be refused.
"""

from __future__ import annotations

import io
import os
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import pillow_heif
import pillow_jxl  # noqa: F401 - teaches Pillow JPEG XL
import pytest
from PIL import Image, ImageOps, ImageSequence

from safelight import images
from safelight.images import Length
from tests.support import exiftool, pictures, vips

pillow_heif.register_heif_opener()


@cache
def corpus() -> dict[str, tuple[bytes, bool]]:
    """Pictures that can be cleaned, by name, and whether they are hostile."""
    root = os.environ.get("SAFELIGHT_CORPUS")
    if root is None:
        return {}
    found = {}
    for path in sorted(Path(root).rglob("*")):
        data = path.read_bytes() if path.is_file() else b""
        known = images.sniff(data)
        if known is not None and known.cleanable:
            name = f"{path.parent.name}-{path.name}"
            found[name] = (data, path.parent.name == "hostile")
    return found


@cache
def cleaned(length: Length) -> dict[str, bytes | images.ImageError]:
    results: dict[str, bytes | images.ImageError] = {}
    for name, (data, _) in corpus().items():
        try:
            results[name] = images.strip(data, length)
        except images.ImageError as error:
            results[name] = error
    return results


@pytest.fixture(params=list(Length))
def length(request: pytest.FixtureRequest) -> Length:
    if not corpus():
        pytest.skip("SAFELIGHT_CORPUS names no folder of pictures")
    chosen: Length = request.param
    return chosen


def results(length: Length) -> dict[str, tuple[bytes, bytes]]:
    return {
        name: (corpus()[name][0], result)
        for name, result in cleaned(length).items()
        if isinstance(result, bytes)
    }


def test_only_hostile_pictures_are_refused(length: Length) -> None:
    refused = [
        f"{name}: {result}"
        for name, result in cleaned(length).items()
        if not isinstance(result, bytes) and not corpus()[name][1]
    ]
    assert refused == []


def test_exiftool_finds_nothing_private(length: Length) -> None:
    reports = exiftool.read({name: after for name, (_, after) in results(length).items()})
    assert len(reports) == len(results(length))
    left = {name: exiftool.left_over(report) for name, report in reports.items()}
    assert {name: tags for name, tags in left.items() if tags} == {}


def test_no_secret_is_left_even_in_compressed_data(length: Length) -> None:
    leaking = [name for name, (_, after) in results(length).items() if pictures.says_secrets(after)]
    assert leaking == []


def test_lengths(length: Length) -> None:
    for name, (before, after) in results(length).items():
        assert len(after) <= len(before), name
        if length is Length.SAME_LENGTH:
            assert len(after) == len(before), name


def test_cleaning_twice_changes_nothing(length: Length) -> None:
    for name, (_, after) in results(length).items():
        assert images.strip(after, length) == after, name


def test_every_picture_looks_the_same(length: Length) -> None:
    different = [
        name
        for name, (before, after) in results(length).items()
        if (shown := looks(before)) is not None
        and looks(after) != shown
        # The JPEG reconstruction data is private; without it, pillow_jxl rounds differently.
        and b"jbrd" not in before
    ]
    assert different == []


def test_a_second_decoder_sees_the_same(length: Length) -> None:
    shown = {name: (vips.looks(before), after) for name, (before, after) in results(length).items()}
    judged = {name: (before, after) for name, (before, after) in shown.items() if before}
    assert len(judged) > len(shown) / 2
    assert [name for name, (before, after) in judged.items() if vips.looks(after) != before] == []


def looks(data: bytes) -> list[Any] | None:
    """Every frame as it is shown, turned upright, with its duration; None if Pillow cannot."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(data))
            # Pictures behind the first of an MPO are not shown by anything.
            frames = [image] if image.format == "MPO" else ImageSequence.Iterator(image)
            shown = []
            for frame in frames:
                upright = ImageOps.exif_transpose(frame)
                shown.append(
                    (
                        upright.size,
                        upright.mode,
                        upright.tobytes(),
                        frame.info.get("duration"),
                        frame.info.get("loop"),
                    )
                )
            return shown
    except Exception:  # noqa: BLE001 - whatever Pillow raises, it cannot show the picture
        return None

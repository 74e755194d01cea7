"""Other tools that clean pictures, each as a function from file to file."""

from __future__ import annotations

import importlib
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import piexif
from PIL import Image

from safelight import images
from safelight.images import Length
from tests.support import exiftool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    type Peer = Callable[[Path, Path], None]

_EXIFTOOL_RECIPE = [
    "-all=",
    "-tagsfromfile",
    "@",
    "-Orientation",
    "-ICC_Profile",
    "-ColorSpaceTags",
]


def available() -> Iterator[tuple[str, Peer | None]]:
    """Each tool's name, and how to call it; None where it is not installed."""
    yield "safelight, compact", _safelight(Length.COMPACT)
    yield "safelight, same length", _safelight(Length.SAME_LENGTH)
    command = exiftool.find()
    yield "ExifTool -stay_open, careful recipe", ExifTool(command) if command else None
    yield "pyexiv2 clear", _module("pyexiv2", _pyexiv2)
    yield "piexif.remove", lambda source, target: piexif.remove(str(source), str(target))
    yield "magicdispel rebuild", _module("magicdispel.formats", _magicdispel)
    yield "photo-metaclean", _module("photometaclean.__main__", _metaclean)
    yield "mat2", _mat2 if shutil.which("mat2") else None
    yield "Pillow open and save", _pillow
    yield "jpegtran -copy icc", _jpegtran if shutil.which("jpegtran") else None


def copy(source: Path, target: Path) -> None:
    """Read and write, nothing else: the least that a tool can take."""
    target.write_bytes(source.read_bytes())


def _safelight(length: Length) -> Peer:
    def clean(source: Path, target: Path) -> None:
        target.write_bytes(images.strip(source.read_bytes(), length))

    return clean


class ExifTool:
    """One process that stays open and takes one file after the other."""

    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(
            [*command, "-stay_open", "1", "-@", "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def __call__(self, source: Path, target: Path) -> None:
        target.unlink(missing_ok=True)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        lines = [*_EXIFTOOL_RECIPE, "-o", str(target), str(source), "-execute"]
        self._process.stdin.write("\n".join(lines) + "\n")
        self._process.stdin.flush()
        while not self._process.stdout.readline().startswith("{ready"):
            pass
        if not target.exists():
            raise ValueError("refused")


def _module(name: str, call: Callable[[Any, Path, Path], None]) -> Peer | None:
    try:
        module = importlib.import_module(name)
    except ImportError:
        return None
    return lambda source, target: call(module, source, target)


def _pyexiv2(module: Any, source: Path, target: Path) -> None:  # noqa: ANN401
    shutil.copyfile(source, target)
    with module.Image(str(target)) as image:
        image.clear_exif()
        image.clear_iptc()
        image.clear_xmp()
        image.clear_comment()


def _magicdispel(module: Any, source: Path, target: Path) -> None:  # noqa: ANN401
    data = source.read_bytes()
    kind = module.identify(data)
    target.write_bytes(module.MODULES[kind].rebuild(data))


def _metaclean(module: Any, source: Path, target: Path) -> None:  # noqa: ANN401
    module.clean(source, target)


def _mat2(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
    subprocess.run(["mat2", "--inplace", str(target)], check=True, capture_output=True)


def _pillow(source: Path, target: Path) -> None:
    with Image.open(source) as image:
        options = {"quality": "keep"} if image.format == "JPEG" else {}
        image.save(target, image.format, **options)


def _jpegtran(source: Path, target: Path) -> None:
    command = ["jpegtran", "-copy", "icc", "-outfile", str(target), str(source)]
    subprocess.run(command, check=True, capture_output=True)

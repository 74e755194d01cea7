"""safelight strip: clean copies of pictures, without a proxy."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import click

from safelight import images
from safelight.cli import words


class _StripError(Exception):
    """This file could not be cleaned; the text says why."""


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Put the clean copies here, under the files' own names.",
)
@click.option(
    "--same-length",
    is_flag=True,
    help="Overwrite what is private instead of cutting it out: the size stays the same.",
)
def strip(files: tuple[Path, ...], folder: Path | None, *, same_length: bool) -> None:
    """Write clean copies of FILES; the originals stay as they are.

    Without -o, the copy of photo.jpg is photo.clean.jpg beside it. The picture itself, its
    orientation and its colours do not change. Exit code 1 if any file could not be cleaned; the
    others are cleaned all the same.
    """
    length = images.Length.SAME_LENGTH if same_length else images.Length.COMPACT
    taken: set[Path] = set()
    failed = False
    for file in files:
        try:
            target = _target(file, folder, taken)
            original = _read(file)
            cleaned = _cleaned(original, length)
            replaced = ", in place of an older copy" if target.exists() else ""
            _write(target, cleaned)
        except _StripError as error:
            click.echo(f"{file}: not cleaned: {error}", err=True)
            failed = True
        else:
            taken.add(target)
            sizes = f"{words.size(len(original))} -> {words.size(len(cleaned))}"
            click.echo(f"{file} -> {target} ({sizes}{replaced})")
    if failed:
        raise SystemExit(1)


def _target(file: Path, folder: Path | None, taken: set[Path]) -> Path:
    if folder is None:
        target = file.with_name(f"{file.stem}.clean{file.suffix}")
    else:
        target = folder / file.name
    if target in taken:
        raise _StripError(f"another file was already written to {target}")
    if target.exists() and target.samefile(file):
        raise _StripError("the copy would replace the original; choose another folder")
    return target


def _read(file: Path) -> bytes:
    if file.exists() and not file.is_file():
        raise _StripError("it is not a file")
    try:
        return file.read_bytes()
    except OSError as error:
        raise _StripError(error.strerror or "cannot be read") from error


def _cleaned(original: bytes, length: images.Length) -> bytes:
    try:
        return images.strip(original, length)
    except images.ImageError as error:
        raise _StripError(str(error)) from error


def _write(target: Path, data: bytes) -> None:
    """Write all of it or nothing: a half-written copy must not look like a clean one."""
    partial = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=".safelight-")
        partial = Path(name)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        partial.chmod(0o666 & ~_umask())
        partial.replace(target)
    except OSError as error:
        if partial is not None:
            partial.unlink(missing_ok=True)
        raise _StripError(f"{target} cannot be written: {error.strerror}") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

"""safelight strip: clean copies of pictures, without a proxy."""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from safelight import images
from safelight.cli import words

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEAD = 65_536


class _StripError(Exception):
    """This file could not be cleaned; the text says why."""


@dataclass(frozen=True, slots=True)
class _Job:
    """A file and where its clean copy goes; one that was `found` in a folder may be anything."""

    file: Path
    target: Path
    found: bool = False


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
@click.option("--keep-times", is_flag=True, help="Give the copies the files' own dates.")
@click.option("--overwrite", is_flag=True, help="Replace copies that are there already.")
def strip(
    files: tuple[Path, ...],
    folder: Path | None,
    *,
    same_length: bool,
    keep_times: bool,
    overwrite: bool,
) -> None:
    """Write clean copies of FILES; the originals stay as they are.

    Without -o, the copy of photo.jpg is photo.clean.jpg beside it, and a folder's pictures go to
    FOLDER.clean, in the same order of folders. What is seen does not change. Exit code 1 if any
    file could not be cleaned; the others are cleaned all the same.
    """
    length = images.Length.SAME_LENGTH if same_length else images.Length.COMPACT
    jobs = [job for file in files for job in _jobs(file, folder)]
    taken: set[Path] = set()
    done: list[str] = []
    failed: list[str] = []
    hidden = len(jobs) < 2 or not sys.stderr.isatty()
    with click.progressbar(jobs, file=sys.stderr, label="Cleaning", hidden=hidden) as progress:
        for job in progress:
            try:
                cleaned = _clean(job, length, taken, keep_times=keep_times, overwrite=overwrite)
                done += [] if cleaned is None else [cleaned]
            except _StripError as error:
                failed.append(f"{job.file}: not cleaned: {error}")
    # After the bar, which they would break.
    for line in done:
        click.echo(line)
    for line in failed:
        click.echo(line, err=True)
    left_out = len(jobs) - len(done) - len(failed)
    if left_out:
        click.echo(f"Left out, since they hold no picture: {words.files(left_out)}.", err=True)
    if failed:
        raise SystemExit(1)


def _jobs(file: Path, folder: Path | None) -> Iterator[_Job]:
    if not file.is_dir():
        beside = file.with_name(f"{file.stem}.clean{file.suffix}")
        yield _Job(file, folder / file.name if folder else beside)
        return
    root = folder or file.resolve().with_name(f"{file.resolve().name}.clean")
    inside = root.resolve()
    for path in sorted(file.rglob("*")):
        # Copies of an earlier run may stand in the folder itself.
        if path.is_file() and not path.resolve().is_relative_to(inside):
            yield _Job(path, root / path.relative_to(file), found=True)


def _clean(
    job: _Job, length: images.Length, taken: set[Path], *, keep_times: bool, overwrite: bool
) -> str | None:
    """Write one clean copy and say so; None if a file found in a folder is no picture."""
    original = _read(job.file)
    if job.found and images.sniff(original[:_HEAD]) is None:
        return None
    replaced = job.target.exists()
    if job.target in taken:
        raise _StripError(f"another file was already written to {job.target}")
    if replaced and job.target.samefile(job.file):
        raise _StripError("the copy would replace the original; choose another folder")
    if replaced and not overwrite:
        raise _StripError(f"{job.target} is there already; --overwrite replaces it")
    try:
        cleaned = images.strip(original, length)
    except images.ImageError as error:
        raise _StripError(str(error)) from error
    _write(job.target, cleaned, job.file if keep_times else None)
    taken.add(job.target)
    sizes = f"{words.size(len(original))} -> {words.size(len(cleaned))}"
    older = ", in place of an older copy" if replaced else ""
    return f"{job.file} -> {job.target} ({sizes}{older})"


def _read(file: Path) -> bytes:
    if file.exists() and not file.is_file():
        raise _StripError("it is not a file")
    try:
        return file.read_bytes()
    except OSError as error:
        raise _StripError(error.strerror or "cannot be read") from error


def _write(target: Path, data: bytes, dated_like: Path | None) -> None:
    """Write all of it or nothing: a half-written copy must not look like a clean one."""
    partial = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=".safelight-")
        partial = Path(name)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        partial.chmod(0o666 & ~_umask())
        if dated_like is not None:
            times = dated_like.stat()
            os.utime(partial, ns=(times.st_atime_ns, times.st_mtime_ns))
        partial.replace(target)
    except OSError as error:
        if partial is not None:
            partial.unlink(missing_ok=True)
        raise _StripError(f"{target} cannot be written: {error.strerror}") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

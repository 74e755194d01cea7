"""safelight strip: clean copies of pictures, without a proxy."""

from __future__ import annotations

import os
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from safelight import images
from safelight.cli import words
from safelight.cli.files import TOO_LARGE, FileError, read, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, readable=False))
@click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(path_type=Path, file_okay=False, readable=False),
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
    done: list[str] = []
    failed: list[str] = []
    jobs = [job for file in files for job in _jobs(file, folder, failed)]
    taken: set[Path] = set()
    left_out = 0
    hidden = len(jobs) < 2 or not sys.stderr.isatty()
    try:
        with click.progressbar(jobs, file=sys.stderr, label="Cleaning", hidden=hidden) as progress:
            for job in progress:
                try:
                    line = _clean(job, length, taken, keep_times=keep_times, overwrite=overwrite)
                    if line is None:
                        left_out += 1
                    else:
                        done.append(line)
                except (_StripError, FileError, images.ImageError) as error:
                    failed.append(f"{shown(job.file)}: not cleaned: {error}")
                except MemoryError:
                    failed.append(f"{shown(job.file)}: not cleaned: {TOO_LARGE}")
    finally:
        # After the bar, which they would break; also of what was done before an interruption.
        for line in done:
            click.echo(line)
        for line in failed:
            click.echo(line, err=True)
    if left_out:
        click.echo(f"Left out, since they hold no picture: {words.files(left_out)}.", err=True)
    if failed:
        raise SystemExit(1)


def _jobs(file: Path, folder: Path | None, failed: list[str]) -> Iterator[_Job]:
    """What there is to clean; folders that cannot be looked into are added to what `failed`."""
    if not _is(Path.is_dir, file, otherwise=False):
        beside = file.with_name(f"{file.stem}.clean{file.suffix}")
        yield _Job(file, folder / file.name if folder else beside)
        return
    root = folder or file.resolve().with_name(f"{file.resolve().name}.clean")
    inside = root.resolve()

    def unreadable(error: OSError) -> None:
        failed.append(f"{shown(Path(error.filename))}: not looked into: {error.strerror}")

    walked = file.walk(on_error=unreadable)
    for path in sorted(parent / name for parent, _, names in walked for name in names):
        # Copies of an earlier run may stand in the folder itself.
        if path.resolve().is_relative_to(inside):
            continue
        # Reading tells why it cannot be read.
        if _is(Path.is_file, path, otherwise=True):
            yield _Job(path, root / path.relative_to(file), found=True)


def _is(kind: Callable[[Path], bool], path: Path, *, otherwise: bool) -> bool:
    """Is it of that kind? `otherwise` where nobody may know."""
    try:
        return kind(path)
    except OSError:
        return otherwise


def _clean(
    job: _Job, length: images.Length, taken: set[Path], *, keep_times: bool, overwrite: bool
) -> str | None:
    """Write one clean copy and say so; None if a file found in a folder is no picture."""
    if job.found and images.sniff(read(job.file, _HEAD)) is None:
        return None
    original = read(job.file)
    replaced = _check(job, taken, overwrite=overwrite)
    cleaned = images.strip(original, length)
    _write(job, cleaned, keep_times=keep_times)
    taken.add(job.target)
    sizes = f"{words.size(len(original))} -> {words.size(len(cleaned))}"
    older = ", in place of an older copy" if replaced else ""
    return f"{shown(job.file)} -> {shown(job.target)} ({sizes}{older})"


def _check(job: _Job, taken: set[Path], *, overwrite: bool) -> bool:
    """Does the copy replace one that is there already? Raises _StripError where it must not."""
    try:
        replaced = job.target.exists()
        original = replaced and job.target.samefile(job.file)
    except OSError as error:
        raise _StripError(f"{shown(job.target)} cannot be written: {error.strerror}") from error
    if job.target in taken:
        raise _StripError(f"another file was already written to {shown(job.target)}")
    if original:
        raise _StripError("the copy would replace the original; choose another folder")
    if replaced and not overwrite:
        raise _StripError(f"{shown(job.target)} is there already; --overwrite replaces it")
    return replaced


def _write(job: _Job, data: bytes, *, keep_times: bool) -> None:
    """Write all of it or nothing: a half-written copy must not look like a clean one. Who may not
    read the original may not read the copy."""
    target = job.target
    partial = target.with_name(f".safelight-{secrets.token_hex(8)}")
    try:
        original = job.file.stat()
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            partial.touch((original.st_mode | 0o600) & 0o666, exist_ok=False)
            partial.write_bytes(data)
            if keep_times:
                os.utime(partial, ns=(original.st_atime_ns, original.st_mtime_ns))
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise _StripError(f"{shown(target)} cannot be written: {error.strerror}") from error

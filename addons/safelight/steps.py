"""What changes on a machine, as values that can be shown before they are done."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_LONGEST = 120  # seconds


class StepError(Exception):
    """A step could not be done; the text says why."""


def _quoted(word: str) -> str:
    """For a shell; what holds quotes itself stands in the other kind."""
    return f'"{word}"' if "'" in word and not set('"$`\\!') & set(word) else shlex.quote(word)


@dataclass(frozen=True, slots=True)
class Run:
    """Call a program."""

    command: tuple[str, ...]
    as_root: bool = False

    def __str__(self) -> str:
        return " ".join(map(_quoted, self._called()))

    def do(self) -> None:
        """Call it. Raises StepError with what it said."""
        try:
            done = subprocess.run(  # noqa: S603 - the commands are ours, without a shell
                self._called(),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
                timeout=_LONGEST,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise StepError(f"{self.command[0]}: {error}") from error
        if done.returncode:
            said = done.stdout.strip() or f"it ended with {done.returncode}"
            raise StepError(f"{self.command[0]}: {said}")

    def _called(self) -> tuple[str, ...]:
        needs_sudo = self.as_root and hasattr(os, "geteuid") and os.geteuid() != 0
        return ("sudo", *self.command) if needs_sudo else self.command


@dataclass(frozen=True, slots=True)
class Write:
    """Write a file of ours."""

    path: Path
    text: str

    def __str__(self) -> str:
        return f"write {self.path}"

    def is_done(self) -> bool:
        """Does the file say that already?"""
        try:
            return self.path.read_text(encoding="utf-8") == self.text
        except (OSError, UnicodeDecodeError):
            return False

    def do(self) -> None:
        """Write it, and the folders it stands in. Raises StepError."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text(self.text, encoding="utf-8")
        except OSError as error:
            raise StepError(f"{self.path} cannot be written: {error.strerror}") from error


@dataclass(frozen=True, slots=True)
class Remove:
    """Remove files of ours, and the folders they stood in that are empty then, up to `below`."""

    paths: tuple[Path, ...]
    below: Path

    def __str__(self) -> str:
        return f"remove {', '.join(map(str, self.paths))}"

    def do(self) -> None:
        """Remove them. Raises StepError."""
        try:
            for path in self.paths:
                path.unlink(missing_ok=True)
        except OSError as error:
            raise StepError(f"{error.filename} cannot be removed: {error.strerror}") from error
        for path in self.paths:
            for folder in path.parents:
                if not folder.is_relative_to(self.below) or folder == self.below:
                    break
                with contextlib.suppress(OSError):
                    folder.rmdir()


type Step = Run | Write | Remove


class Part(Protocol):
    """One thing that is set up: a place that trusts the certificate, a proxy setting, a start."""

    @property
    def id(self) -> str:
        """What it is remembered by."""
        ...

    @property
    def says(self) -> str:
        """What it does, in words."""
        ...

    def lacks(self) -> str | None:
        """What has to be installed first, in a sentence; None when it can be done."""
        return None

    def is_done(self) -> bool:
        """Is it set up as it would be now?"""
        ...

    def before(self) -> Mapping[str, str]:
        """What undoing has to know of how it was: nothing where only what is ours is touched."""
        return {}

    def do(self) -> tuple[Step, ...]:
        """The steps that set it up."""
        ...

    def undo(self, before: Mapping[str, str]) -> tuple[Step, ...]:
        """The steps that take it back, none when somebody else has changed it since."""
        ...


def said(*command: str) -> str | None:
    """What a program prints; None when it is not there, or fails."""
    if shutil.which(command[0]) is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603 - the commands are ours, without a shell
            command, capture_output=True, check=False, timeout=_LONGEST
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None

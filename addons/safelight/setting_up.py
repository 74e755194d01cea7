"""What was set up on this machine, and how it was before; a small file in the state folder."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILE = "setup.json"


class RememberingError(Exception):
    """The file cannot be read or written; the text says why."""


class Memory:
    """What to undo, in the order in which it was done."""

    def __init__(self, state: Path) -> None:
        self._path = state / FILE
        self._parts: dict[str, dict[str, str]] = {}
        try:
            text = self._path.read_text(encoding="utf-8")
            self._parts = {
                str(name): {str(key): str(value) for key, value in before.items()}
                for name, before in json.loads(text).items()
            }
        except FileNotFoundError:
            pass
        except (OSError, ValueError, AttributeError) as error:
            raise RememberingError(
                f"{self._path} cannot be read: {error}. It says how things were before they were "
                "set up; move it away to go on without."
            ) from error

    def __contains__(self, part: str) -> bool:
        return part in self._parts

    def __bool__(self) -> bool:
        return bool(self._parts)

    def before(self, part: str) -> Mapping[str, str]:
        """How it was before `part` was set up."""
        return self._parts.get(part, {})

    def note(self, part: str, before: Mapping[str, str]) -> None:
        """`part` is about to be set up. What was noted first stays: it is how it was."""
        if part not in self._parts:
            self._parts[part] = dict(before)
            self._save()

    def forget(self, part: str) -> None:
        """`part` is as it was before."""
        if self._parts.pop(part, None) is not None:
            self._save()

    def _save(self) -> None:
        try:
            if not self._parts:
                self._path.unlink(missing_ok=True)
                return
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            partial = self._path.with_suffix(".new")
            partial.write_text(json.dumps(self._parts, indent=1), encoding="utf-8")
            os.replace(partial, self._path)  # noqa: PTH105 - the same, atomic everywhere
        except OSError as error:
            raise RememberingError(f"{self._path} cannot be written: {error.strerror}.") from error

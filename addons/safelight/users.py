"""A file of users and their passwords' hashes, as Apache's `htpasswd -B` writes it."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

import bcrypt

if TYPE_CHECKING:
    from pathlib import Path

logger = logging.getLogger(__name__)

_LINE = re.compile(r"([^:\s][^:]*):(\$2[aby]\$\d\d\$[./A-Za-z0-9]{53})")
# Checked for somebody who is not there, so that it takes as long: the hash of nobody's password.
_NOBODYS = bcrypt.hashpw(b"nobody", bcrypt.gensalt(10))


class UserFileError(Exception):
    """The file cannot be used; the text says why, with file and line."""


class UserFile:
    """The users in the file at `path`. `version` changes with what it says. Raises
    UserFileError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._hashes, self._stamp = _read(path), _stamp(path)
        self.version = 0

    def is_right(self, name: str, password: bytes) -> bool:
        """Is this the user's password?"""
        known = self._hashes.get(name)
        try:
            # bcrypt goes by 72 bytes of a password, and htpasswd cuts there.
            fits = bcrypt.checkpw(password[:72], known or _NOBODYS)
        except ValueError:
            return False
        return fits and known is not None

    def read_again_if_changed(self) -> None:
        """Somebody may have come, gone, or changed a password. With a mistake in the file, the last
        good state of it stays."""
        stamp = _stamp(self._path)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._hashes = _read(self._path)
        except UserFileError as error:
            logger.error("The users stay as they were: %s", error)  # noqa: TRY400 - for people
            return
        self.version += 1


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _read(path: Path) -> dict[str, bytes]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserFileError(f"{path} cannot be read: {error}") from error
    found: dict[str, bytes] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise UserFileError(
                f"{path}:{number}: this is no user with a bcrypt hash; other hashes are guessed "
                f"too quickly. Write it with `htpasswd -B {path} NAME`."
            )
        if match[1] in found:
            raise UserFileError(f"{path}:{number}: `{match[1]}` is there twice.")
        found[match[1]] = match[2].encode()
    if not found:
        raise UserFileError(f"{path} holds no users; write one with `htpasswd -B {path} NAME`.")
    return found

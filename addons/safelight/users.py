"""Who may use the proxy, by name and password; and a file of users and their passwords' hashes, as
Apache's `htpasswd -B` writes it."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Protocol

import bcrypt

if TYPE_CHECKING:
    from pathlib import Path

logger = logging.getLogger(__name__)

_LINE = re.compile(r"([^:\s][^:]*):(\$2[aby]\$\d\d\$[./A-Za-z0-9]{53})")
# Checked for somebody who is not there, so that it takes as long: the hash of nobody's password.
_NOBODYS = bcrypt.hashpw(b"nobody", bcrypt.gensalt(10))


class UserFileError(Exception):
    """The file cannot be used; the text says why, with file and line."""


class CannotTellError(Exception):
    """Nobody can say at the moment whether the password is right."""


class UserList(Protocol):
    """Users who are told by name and password; so many checks may run `at_once`."""

    at_once: int

    def version(self) -> int:
        """A number that changes when what was right may be wrong."""

    def known(self, name: str, password: bytes) -> str | None:
        """What the user is called, if this is the password. Takes a while. Raises
        CannotTellError."""


class UserFile:
    """The users in the file at `path`. Raises UserFileError."""

    # Checking takes long on purpose; guessing must not keep pictures waiting.
    at_once = 2

    def __init__(self, path: Path) -> None:
        self._path = path
        self._hashes, self._stamp = _read(path), _stamp(path)
        self._version = 0

    def known(self, name: str, password: bytes) -> str | None:
        """The user's name, if this is the password."""
        known = self._hashes.get(name)
        try:
            # bcrypt goes by 72 bytes of a password, and htpasswd cuts there.
            fits = bcrypt.checkpw(password[:72], known or _NOBODYS)
        except ValueError:
            return None
        return name if fits and known is not None else None

    def version(self) -> int:
        """Changes with what the file says: somebody may have come, gone, or changed a password.
        With a mistake in the file, the last good state of it stays."""
        self._read_again_if_changed()
        return self._version

    def _read_again_if_changed(self) -> None:
        stamp = _stamp(self._path)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._hashes = _read(self._path)
        except UserFileError as error:
            logger.error(  # noqa: TRY400 - for people
                "The users stay as they were: %s", error, extra={"event": "users-rejected"}
            )
            return
        self._version += 1


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

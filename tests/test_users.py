from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

import bcrypt
import pytest

from safelight.users import UserFile, UserFileError

if TYPE_CHECKING:
    from pathlib import Path


def line(name: str, password: str) -> str:
    """As `htpasswd -B` writes it."""
    hashed = bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(4)).decode()
    return f"{name}:{hashed.replace('$2b$', '$2y$')}\n"


def test_names_and_passwords(tmp_path: Path) -> None:
    path = tmp_path / "users"
    path.write_text(f"# staff\n\n{line('anna', 'a:b')}{line('bert k', 'ö' * 40)}")
    users = UserFile(path)
    assert users.known("anna", b"a:b")
    assert users.known("bert k", ("ö" * 40).encode())
    for name, password in (
        ("anna", b"a"),
        ("anna", b""),
        ("Anna", b"a:b"),
        ("", b""),
        ("x", b"nobody"),
    ):
        assert not users.known(name, password)
    assert not users.known("anna", b"a:b\0")


def test_changes_count_and_mistakes_do_not(tmp_path: Path) -> None:
    path = tmp_path / "users"
    path.write_text(line("anna", "one"))
    users = UserFile(path)
    path.write_text(line("anna", "another") + line("bert", "x"))
    assert users.version() == 1
    assert (users.known("anna", b"one"), users.known("anna", b"another")) == (None, "anna")
    path.write_text("nonsense")
    assert users.version() == 1
    path.unlink()
    assert users.version() == 1
    assert users.known("bert", b"x")


SHA1 = base64.b64encode(hashlib.sha1(b"x", usedforsecurity=False).digest()).decode()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"anna:{{SHA}}{SHA1}", ":1: this is no user with a bcrypt hash"),
        ("\nanna:plain", ":2: this is no user with a bcrypt hash"),
        ("anna", ":1: this is no user"),
        (line("anna", "a") + line("anna", "b"), ":2: `anna` is there twice"),
        ("# nobody\n", "holds no users"),
    ],
)
def test_mistakes_are_told_with_their_line(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "users"
    path.write_text(text)
    with pytest.raises(UserFileError, match=says):
        UserFile(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserFileError, match="cannot be read"):
        UserFile(tmp_path / "none")

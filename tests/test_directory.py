"""What describes a directory of users. `tests/deploy/test_directory.py` asks a real one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from safelight.directory import Directory
from safelight.users import CannotTellError, UserFileError
from tests.support import ports

if TYPE_CHECKING:
    from pathlib import Path

NAMED = "user: 'uid={user},dc=example'\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("server: http://x\n" + NAMED, ":1:9: server: must be ldaps://HOST"),
        ("server: ldaps://x/o=y\n" + NAMED, ":1:9: server: must be ldaps://HOST"),
        ("server: ldaps://a:b@x\n" + NAMED, ":1:9: server: must be ldaps://HOST"),
        ("server: ldaps://x\n", "needs either `user`"),
        ("server: ldaps://x\nuser: uid=anna\n", ":2:7: user: must hold {user}"),
        ("server: ldaps://x\nuser: '{user}'\n", ":2:7: user: is no name of an entry"),
        (
            "server: ldaps://x\nsearch: {base: o=x, filter: 'uid={user}', name: uid}\n",
            ":2:29: search.filter: is no filter",
        ),
        (
            "server: ldaps://x\nsearch: {base: o=x, filter: '(a={user})', name: uid, as: o=x}\n",
            "`as` and `password-file` go together",
        ),
        (f"server: ldaps://x\n{NAMED}verify: false\n", ":3:1: `verify` is not a key"),
        (f"server: ldaps://x\nca: /none.pem\n{NAMED}", "No such file"),
    ],
)
def test_mistakes_are_told_before_anybody_is_asked(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "ldap.yaml"
    path.write_text(text)
    with pytest.raises(UserFileError) as raised:
        Directory(path)
    assert says in str(raised.value)


def test_a_password_file_that_is_empty(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("\n")
    how = "base: o=x, filter: '(a={user})', name: uid, as: o=x"
    search = f"{{{how}, password-file: {tmp_path}/password}}"
    (tmp_path / "ldap.yaml").write_text(f"server: ldaps://x\nsearch: {search}\n")
    with pytest.raises(UserFileError, match="holds no password"):
        Directory(tmp_path / "ldap.yaml")


def test_a_directory_that_is_not_there(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "ldap.yaml").write_text(f"server: ldaps://127.0.0.1:{ports.free()}\n{NAMED}")
    directory = Directory(tmp_path / "ldap.yaml")
    for _ in range(3):
        with pytest.raises(CannotTellError):
            directory.known("anna", b"x")
    # It is not told for each that comes.
    assert caplog.text.count("cannot be asked") == 1
    assert directory.known("anna", b"") is None

"""A gateway that asks a real directory (OpenLDAP's slapd) who somebody is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trustme

from safelight.directory import Directory
from safelight.users import CannotTellError
from tests.proxy.test_users import POLICY, URL
from tests.support import lab as labs
from tests.support import pictures, ports, slapd

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BY_NAME = f"user: 'uid={{user}},ou=people,{slapd.BASE}'\n"
BY_SEARCH = f"""search:
  base: ou=people,{slapd.BASE}
  filter: '(&(objectClass=person)(|(uid={{user}})(mail={{user}})))'
  name: uid
  as: {slapd.READER}
  password-file: {{folder}}/password
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[slapd.Directory]:
    authority = trustme.CA()
    folder = tmp_path_factory.mktemp("directory")
    with slapd.running(folder / "slapd", authority, (ports.free(), ports.free())) as running:
        authority.cert_pem.write_to_path(str(folder / "slapd" / "root.pem"))
        (folder / "slapd" / "password").write_text(slapd.READERS_PASSWORD + "\n")
        yield running


def described(server: slapd.Directory, how: str, *, plain: bool = False, **other: object) -> Path:
    """The file for `--ldap`."""
    url = f"ldap://localhost:{server.plain}" if plain else f"ldaps://localhost:{server.encrypted}"
    ca = server.folder / "root.pem"
    path = server.folder / "ldap.yaml"
    lines = {"server": url, "ca": ca, **other}
    text = "".join(f"{key}: {value}\n" for key, value in lines.items() if value)
    path.write_text(text + how.replace("{folder}", str(server.folder)))
    return path


@pytest.mark.parametrize("plain", [True, False], ids=["starttls", "ldaps"])
@pytest.mark.parametrize("how", [BY_NAME, BY_SEARCH], ids=["name", "search"])
def test_who_is_let_in(server: slapd.Directory, how: str, *, plain: bool) -> None:
    directory = Directory(described(server, how, plain=plain))
    anna = "se:cret ö".encode()
    # Directories do not tell names apart by their case; policies do.
    for name in ("anna", "ANNA"):
        assert directory.known(name, anna) == "anna"
    assert directory.known("bert", b"berts") == "bert"
    for name, password in (
        ("anna", b""),
        ("anna", b"wrong"),
        ("nobody", b"x"),
        ("", b"x"),
        ("anna\0", anna),
        ("anna ", b"wrong"),
        ("*", anna),
        ("ann*", anna),
        ("anna)(uid=*", anna),
        ("anna,ou=people", anna),
        ("x)(|(uid=*", anna),
        ("a" * 1000, anna),
    ):
        assert directory.known(name, password) is None, name


def test_whoever_has_several_names_is_known_by_one(server: slapd.Directory) -> None:
    directory = Directory(described(server, BY_SEARCH))
    assert directory.known("bert.muster@example.org", b"berts") == "bert"
    # It is looked for as it is written, not as a pattern.
    assert directory.known("carla*", b"carlas") == "carla*"
    assert directory.known("carla", b"carlas") is None


@pytest.mark.parametrize("plain", [True, False], ids=["starttls", "ldaps"])
@pytest.mark.parametrize("wrong", ["authority", "name"])
def test_a_server_that_is_not_the_one_is_told_no_password(
    server: slapd.Directory,
    wrong: str,
    caplog: pytest.LogCaptureFixture,
    *,
    plain: bool,
) -> None:
    path = described(server, BY_NAME, plain=plain)
    if wrong == "authority":
        trustme.CA().cert_pem.write_to_path(str(server.folder / "other.pem"))
        path.write_text(path.read_text().replace("root.pem", "other.pem"))
    else:
        path.write_text(path.read_text().replace("//localhost", "//127.0.0.1"))
    directory = Directory(path)
    with pytest.raises(CannotTellError):
        directory.known("anna", "se:cret ö".encode())
    assert "so nobody new is let in" in caplog.text
    assert "cret" not in caplog.text


def test_an_account_that_may_not_search(
    server: slapd.Directory, caplog: pytest.LogCaptureFixture
) -> None:
    path = described(server, BY_SEARCH.replace("/password", "/another"))
    (server.folder / "another").write_text("wrong")
    directory = Directory(path)
    with pytest.raises(CannotTellError):
        directory.known("anna", "se:cret ö".encode())
    assert "it does not take cn=reader" in caplog.text
    # Nor may this one look there.
    directory = Directory(described(server, BY_SEARCH.replace("base: ou=people,", "base: ")))
    with pytest.raises(CannotTellError):
        directory.known("anna", "se:cret ö".encode())
    assert "dc=example,dc=org: noSuchObject" in caplog.text


def test_a_gateway_that_asks_it(server: slapd.Directory, tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(POLICY)
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(pictures.jpeg())
    options = ("--ldap", str(described(server, BY_SEARCH)))
    sent = ("--data-binary", f"@{photo}", URL)
    with labs.running(tmp_path, tmp_path / "policy.yaml", options=options) as lab:
        assert lab.curl("--proxy-user", "anna:se:cret ö", *sent).status == 200
        assert lab.curl("--proxy-user", "bert.muster@example.org:berts", *sent).status == 403
        for user in ("anna:wrong", "anna:", "nobody:x"):
            with pytest.raises(ConnectionError, match="response 407"):
                lab.curl("--proxy-user", user, *sent)
        assert len(lab.arrived) == 1
        assert not pictures.says_secrets(lab.arrived[0].body)
        assert [one.get("people", []) for one in lab.proxy.records()] == [[], ["kids"]]
        server.stop()
        try:
            # Whoever was let in a moment ago still is; nobody else, and the log says why.
            assert lab.curl("--proxy-user", "anna:se:cret ö", *sent).status == 200
            for user in ("anna:wrong", "carla*:carlas"):
                with pytest.raises(ConnectionError, match="response 503"):
                    lab.curl("--proxy-user", user, *sent)
            plain = lab.curl("--proxy-user", "carla*:carlas", "http://www.example.org/")
            assert (plain.status, "directory of users" in plain.body) == (503, True)
        finally:
            server.start()
        assert lab.proxy.output.count("cannot be asked, so nobody new is let in") == 1
        assert "anna" not in lab.proxy.output.lower()
        assert "carla" not in lab.proxy.output

"""Places that trust a certificate: real NSS databases, a system store in a folder, and the commands
for systems that are not at hand."""

from __future__ import annotations

import hashlib
import ssl
import subprocess
from typing import TYPE_CHECKING

import pytest

from safelight import trust
from safelight.trust.stores import linux, macos, nss, windows
from tests.support import tools

if TYPE_CHECKING:
    from pathlib import Path

    from safelight.steps import Step


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return trust.rotate(tmp_path / "state", ["chatgpt.com"]).root


def done(steps: tuple[Step, ...]) -> None:
    assert steps
    for step in steps:
        step.do()


def database(certificate: Path, home: Path) -> nss.Database:
    tools.needed("certutil")
    return nss.Database(certificate, home / ".pki/nssdb", home, "Chromium")


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_nss_from_nothing_to_nothing(certificate: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    store = database(certificate, home)
    assert not store.is_done()
    before = store.before()
    done(store.do())
    assert store.is_done()
    listed = subprocess.check_output(["certutil", "-L", "-d", f"sql:{store.folder}"], text=True)
    assert listed.split()[-1] == "C,,"
    done(store.undo(before))
    assert files(home) == set()
    assert store.undo(before) == ()


def test_nss_that_others_use_stays(certificate: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    store = database(certificate, home)
    done(store.do())
    other = trust.rotate(tmp_path / "other", ["example.org"]).root
    name = ("-d", f"sql:{store.folder}", "-t", "C,,", "-n", "Somebody else")
    subprocess.run(["certutil", "-A", *name, "-i", str(other)], check=True)
    done(store.undo({"database": "none"}))
    listed = subprocess.check_output(["certutil", "-L", "-d", f"sql:{store.folder}"], text=True)
    assert "Somebody else" in listed
    assert nss.NICKNAME not in listed


def test_nss_takes_a_new_certificate_in_the_place_of_the_old(
    certificate: Path, tmp_path: Path
) -> None:
    store = database(certificate, tmp_path / "home")
    done(store.do())
    trust.rotate(certificate.parent, ["chatgpt.com"])
    assert not store.is_done()
    done(store.do())
    assert store.is_done()


def test_every_firefox_profile_is_found(certificate: Path, tmp_path: Path) -> None:
    for place in (".mozilla/firefox/a.default", "snap/firefox/common/.mozilla/firefox/b.x"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "cert9.db").touch()
    found = [one.says for one in nss.databases(certificate, tmp_path) if "Firefox" in one.says]
    assert found == [
        "let Firefox (a.default) trust the certificate",
        "let Firefox (b.x) trust the certificate",
    ]


def test_the_system_store(certificate: Path, tmp_path: Path) -> None:
    folder = tmp_path / "anchors"
    folder.mkdir()
    store = linux.SystemStore(certificate, folder, ("true",))
    assert not store.is_done()
    assert store.undo({}) == ()
    done(store.do())
    assert store.is_done()
    assert store.copy.read_bytes() == certificate.read_bytes()
    done(store.undo({}))
    assert files(folder) == set()


def test_macos_and_windows_are_told_what_they_expect(certificate: Path, tmp_path: Path) -> None:
    der = ssl.PEM_cert_to_DER_cert(certificate.read_text())
    sha1 = hashlib.sha1(der, usedforsecurity=False).hexdigest().upper()
    assert macos.fingerprint(certificate) == sha1
    keychain = f"{tmp_path}/Library/Keychains/login.keychain-db"
    [step] = macos.Keychain(certificate, tmp_path).do()
    assert str(step) == (
        f"security add-trusted-cert -r trustRoot -p ssl -k {keychain} {certificate}"
    )
    [step] = windows.RootStore(certificate).do()
    assert str(step) == f"certutil.exe -user -addstore Root {certificate}"
    assert windows.RootStore(certificate).before() == {"sha1": sha1}

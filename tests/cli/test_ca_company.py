"""`safelight ca csr` and `ca import`, with a company's authority made by openssl."""

from __future__ import annotations

import stat
import subprocess
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from cryptography import x509
from mitmproxy.certs import CertStore

from safelight import trust
from safelight.cli import main
from tests.support import tools

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

_CONSTRAINED = (
    "basicConstraints=critical,CA:TRUE,pathlen:{length}\n"
    "keyUsage=critical,keyCertSign,cRLSign\n"
    "nameConstraints={critical}permitted;DNS:{name}{more}\n"
)
_NO_ADDRESSES = ",excluded;IP:0.0.0.0/0.0.0.0,excluded;IP:::/::"


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["ca", *map(str, arguments)])


def openssl(*arguments: str | Path) -> str:
    done = subprocess.run(
        [tools.needed("openssl"), *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def make_root(folder: Path, *extensions: str) -> Path:
    root = folder / "root.pem"
    openssl(
        *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / "root.key"),
        *("-out", root, "-subj", "/O=Example Corp/CN=Example root", "-days", "90"),
        *("-addext", "keyUsage=critical,keyCertSign,cRLSign", *extensions),
    )
    return root


def sign(folder: Path, *how: str | Path) -> Path:
    openssl(
        *("x509", "-req", "-in", folder / "request.pem", "-CA", folder / "root.pem"),
        *("-CAkey", folder / "root.key", "-out", folder / "signed.pem", *how),
    )
    return folder / "signed.pem"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    done = call("csr", "--state", folder, "-o", tmp_path / "request.pem")
    assert done.exit_code == 0, done.output
    make_root(tmp_path)
    return folder


def test_a_company_signs(tmp_path: Path, state: Path) -> None:
    assert stat.S_IMODE((state / "company-ca.key").stat().st_mode) == 0o600
    again = call("csr", "--state", state)
    key = x509.load_pem_x509_csr(again.output.encode()).public_key()
    assert key == x509.load_pem_x509_csr((tmp_path / "request.pem").read_bytes()).public_key()
    signed = sign(tmp_path, "-copy_extensions", "copyall", "-days", "30")
    done = call("import", "--state", state, signed, tmp_path / "root.pem")
    assert done.exit_code == 0, done.output
    assert "cannot speak" not in done.output
    assert not (state / "company-ca.key").exists()
    assert stat.S_IMODE((state / "mitmproxy-ca.pem").stat().st_mode) == 0o600
    shown = call("show", "--state", state).output
    assert "Example Corp" in shown
    leaf_until = x509.load_pem_x509_certificate(signed.read_bytes()).not_valid_after_utc.date()
    assert f"good until   {leaf_until}" in shown
    # The same certificate once more, as after a renewal with the same key.
    assert call("import", "--state", state, signed, tmp_path / "root.pem").exit_code == 0


@pytest.mark.parametrize(("host", "accepted"), [("chatgpt.com", True), ("www.bank.test", False)])
def test_leaves_are_accepted_by_who_trusts_the_company(
    tmp_path: Path, state: Path, host: str, accepted: bool
) -> None:
    signed = sign(tmp_path, "-copy_extensions", "copyall")
    assert call("import", "--state", state, signed, tmp_path / "root.pem").exit_code == 0
    leaf = CertStore.from_store(state, "mitmproxy", 2048).get_cert(host, [x509.DNSName(host)])
    (tmp_path / "leaf.pem").write_bytes(leaf.cert.to_pem())
    presented = b"".join(one.to_pem() for one in leaf.chain_certs)
    (tmp_path / "presented.pem").write_bytes(presented)
    done = subprocess.run(
        [
            *(tools.needed("openssl"), "verify", "-no-CApath", "-no-CAstore"),
            *("-CAfile", str(tmp_path / "root.pem"), "-purpose", "sslserver"),
            *("-untrusted", str(tmp_path / "presented.pem"), "-verify_hostname", host),
            str(tmp_path / "leaf.pem"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode == 0) is accepted, done.stderr
    if not accepted:
        assert "permitted subtree violation" in done.stderr


@pytest.mark.parametrize(
    ("extensions", "reason"),
    [
        ("basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=keyCertSign\n", "no name const"),
        ("basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\n", "no certificate authority"),
        ("", "no certificate authority"),
        (
            _CONSTRAINED.format(length=1, critical="critical,", name="chatgpt.com", more=""),
            "pathlen",
        ),
        (_CONSTRAINED.format(length=0, critical="", name="chatgpt.com", more=""), "not critical"),
        (_CONSTRAINED.format(length=0, critical="critical,", name="com", more=""), "permits com"),
        (
            _CONSTRAINED.format(length=0, critical="critical,", name=".chatgpt.com", more=""),
            "permits .chatgpt.com",
        ),
        (
            _CONSTRAINED.format(length=0, critical="critical,", name="chatgpt.com", more=""),
            "IP addresses",
        ),
        (
            _CONSTRAINED.format(
                length=0, critical="critical,", name="chatgpt.com", more=_NO_ADDRESSES
            )
            + "extendedKeyUsage=clientAuth\n",
            "serverAuth",
        ),
    ],
)
def test_what_could_do_more_or_nothing_is_refused(
    tmp_path: Path, state: Path, extensions: str, reason: str
) -> None:
    (tmp_path / "extensions").write_text(extensions)
    signed = sign(tmp_path, "-extfile", tmp_path / "extensions")
    done = call("import", "--state", state, signed, tmp_path / "root.pem")
    assert (done.exit_code, reason in done.output) == (1, True), done.output
    assert trust.open_existing(state) is None


def test_missing_hosts_are_told(tmp_path: Path, state: Path) -> None:
    text = _CONSTRAINED.format(
        length=0, critical="critical,", name="chatgpt.com", more=_NO_ADDRESSES
    )
    (tmp_path / "extensions").write_text(text)
    signed = sign(tmp_path, "-extfile", tmp_path / "extensions")
    done = call("import", "--state", state, signed, tmp_path / "root.pem")
    assert done.exit_code == 0, done.output
    assert "cannot speak for" in done.output
    assert "claude.ai" in done.output
    assert "`safelight ca csr` asks the company" in call("show", "--state", state).output


def test_broken_chains_other_keys_and_no_certificates(tmp_path: Path, state: Path) -> None:
    signed = sign(tmp_path, "-copy_extensions", "copyall")
    root = tmp_path / "root.pem"
    (tmp_path / "empty").write_bytes(b"\xff")
    other = tmp_path / "other"
    other.mkdir()
    call("csr", "--state", other)
    for folder, given, reason in (
        (state, [signed], "Who signed"),
        (state, [root], "signed itself"),
        (state, [signed, tmp_path / "empty"], "Who signed"),
        (state, [tmp_path / "empty"], "cannot be used"),
        (state, [tmp_path / "none"], "cannot be read"),
        (other, [signed, root], "does not belong"),
    ):
        done = call("import", "--state", folder, *given)
        assert (done.exit_code, reason in done.output) == (1, True), done.output
        assert trust.open_existing(folder) is None
    impostor = make_root(other)
    done = call("import", "--state", state, signed, impostor)
    assert (done.exit_code, "Who signed" in done.output) == (1, True)
    sign(tmp_path, "-copy_extensions", "copyall", "-days", "-1")
    done = call("import", "--state", state, signed, root)
    assert (done.exit_code, "and today is" in done.output) == (1, True), done.output


def test_a_root_that_allows_nothing_below_is_refused(tmp_path: Path, state: Path) -> None:
    make_root(tmp_path, "-addext", "basicConstraints=critical,CA:TRUE,pathlen:0")
    signed = sign(tmp_path, "-copy_extensions", "copyall")
    done = call("import", "--state", state, signed, tmp_path / "root.pem")
    assert (done.exit_code, "path length 0" in done.output) == (1, True), done.output

from __future__ import annotations

import shutil
import ssl
import stat
import subprocess
from typing import TYPE_CHECKING

import pytest
import trustme
from cryptography import x509
from cryptography.x509.oid import NameOID
from mitmproxy.certs import CertStore

from safelight import trust

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("openai.com", "chatgpt.com")


@pytest.fixture
def authority(tmp_path: Path) -> trust.Authority:
    return trust.open_or_create(tmp_path / "state", NAMES)


def test_made_once_and_found_again(tmp_path: Path, authority: trust.Authority) -> None:
    assert authority.created
    before = authority.root.read_bytes()
    again = trust.open_or_create(tmp_path / "state", ("other.example",))
    assert not again.created
    assert again.root.read_bytes() == before
    assert again.names == frozenset(NAMES)


def test_the_key_is_for_its_owner_alone_and_the_root_has_none(authority: trust.Authority) -> None:
    signer = authority.folder / "mitmproxy-ca.pem"
    assert stat.S_IMODE(signer.stat().st_mode) == 0o600
    assert stat.S_IMODE(authority.folder.stat().st_mode) == 0o700
    assert signer.read_bytes().count(b"PRIVATE KEY-----") == 2
    assert b"PRIVATE" not in authority.root.read_bytes()
    signing, root = x509.load_pem_x509_certificates(signer.read_bytes())
    assert root == x509.load_pem_x509_certificate(authority.root.read_bytes())
    assert signing.issuer == root.subject != signing.subject
    constraints = signing.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical


@pytest.mark.parametrize(
    ("host", "accepted"),
    [("api.openai.com", True), ("chatgpt.com", True), ("www.bank.example", False)],
)
def test_openssl_accepts_ai_hosts_only(
    tmp_path: Path, authority: trust.Authority, host: str, accepted: bool
) -> None:
    store = CertStore.from_store(authority.folder, "mitmproxy", 2048)
    leaf = store.get_cert(host, [x509.DNSName(host)])
    (tmp_path / "leaf.pem").write_bytes(leaf.cert.to_pem())
    signer = authority.folder / "mitmproxy-ca.pem"
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("the openssl command is not installed")
    done = subprocess.run(
        [
            openssl,
            "verify",
            "-CAfile",
            str(authority.root),
            "-untrusted",
            str(signer),
            "-purpose",
            "sslserver",
            "-verify_hostname",
            host,
            str(tmp_path / "leaf.pem"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode == 0) is accepted, done.stderr
    if not accepted:
        assert "permitted subtree violation" in done.stderr


def test_missing_names_are_told(authority: trust.Authority) -> None:
    assert authority.missing(["api.openai.com", "openai.com", "claude.ai"]) == ("claude.ai",)


@pytest.mark.parametrize("content", [b"", b"not a certificate", b"\xff\xfe"])
def test_a_damaged_authority_is_an_error_with_advice(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "mitmproxy-ca.pem").write_bytes(content)
    with pytest.raises(trust.AuthorityError, match="safelight ca rotate"):
        trust.open_or_create(tmp_path, NAMES)


def test_an_authority_that_is_not_limited_is_not_used(tmp_path: Path) -> None:
    """With its key, whoever has it could speak for any site."""
    unlimited = trustme.CA()
    key, certificate = unlimited.private_key_pem.bytes(), unlimited.cert_pem.bytes()
    (tmp_path / "mitmproxy-ca.pem").write_bytes(key + certificate)
    (tmp_path / "safelight-ca.pem").write_bytes(certificate)
    with pytest.raises(trust.AuthorityError, match="AI services alone"):
        trust.open_or_create(tmp_path, NAMES)


def test_further_roots_are_added_to_the_public_ones(
    tmp_path: Path, authority: trust.Authority
) -> None:
    public = trust.bundle(tmp_path, None)
    both = trust.bundle(tmp_path, authority.root)
    context = ssl.create_default_context(cafile=str(both))
    loaded = len(context.get_ca_certs())
    assert loaded == len(ssl.create_default_context(cafile=str(public)).get_ca_certs()) + 1
    for bad in (tmp_path / "none.pem", tmp_path):
        with pytest.raises(trust.AuthorityError, match="cannot be used as further roots"):
            trust.bundle(tmp_path, bad)


def test_subjects_name_the_program(authority: trust.Authority) -> None:
    root = x509.load_pem_x509_certificate(authority.root.read_bytes())
    [organisation] = root.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    assert organisation.value == "Safelight"

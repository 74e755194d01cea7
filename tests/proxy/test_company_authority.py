"""A gateway with a certificate that the company signed: clients trust the company's root alone."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli.test_ca_company import call, make_root, openssl, sign
from tests.support import lab as labs
from tests.support import pictures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.lab import Lab

URL = "https://api.openai.com/v1/files"
PYTHON = """
import sys, urllib.request
body = open(sys.argv[1], "rb").read()
print(urllib.request.urlopen(urllib.request.Request(sys.argv[2], body)).status)
"""
ISSUER = "basicConstraints=critical,CA:TRUE,pathlen:1\nkeyUsage=critical,keyCertSign,cRLSign\n"


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Its root signed an authority that signs for its departments, and that signed ours."""
    folder = tmp_path_factory.mktemp("company")
    make_root(folder)
    for name in ("root.pem", "root.key"):
        (folder / name).rename(folder / f"company-{name}")
    (folder / "issuer.ext").write_text(ISSUER)
    openssl(
        *("req", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / "root.key"),
        *("-subj", "/O=Example Corp/CN=Example issuer", "-out", folder / "issuer.csr"),
    )
    openssl(
        *("x509", "-req", "-in", folder / "issuer.csr", "-CA", folder / "company-root.pem"),
        *("-CAkey", folder / "company-root.key", "-days", "60", "-out", folder / "root.pem"),
        *("-extfile", folder / "issuer.ext"),
    )
    state = folder / "state"
    assert call("csr", "--state", state, "-o", folder / "request.pem").exit_code == 0
    signed = sign(folder, "-copy_extensions", "copyall", "-days", "30")
    chain = folder / "chain.pem"
    chain.write_text((folder / "root.pem").read_text() + (folder / "company-root.pem").read_text())
    done = call("import", "--state", state, signed, chain)
    assert done.exit_code == 0, done.output
    (folder / "photo.jpg").write_bytes(pictures.jpeg())
    with labs.running(folder) as lab:
        yield lab


def test_curl(company: Lab) -> None:
    root, photo = company.folder / "company-root.pem", company.folder / "photo.jpg"
    for version in ("--http1.1", "--http2"):
        arrived = len(company.arrived)
        sent = company.curl(version, "-F", f"image=@{photo}", URL, root=root)
        assert sent.status == 200
        assert not pictures.says_secrets(company.arrived[arrived].body)
    # Nothing else is trusted for it, and nothing else by it.
    with pytest.raises(ConnectionError, match="certificate"):
        company.curl("-F", f"image=@{photo}", URL, root=company.origin_root)
    with pytest.raises(ConnectionError, match="certificate"):
        company.curl("https://www.example.org/", root=root)


def test_python(company: Lab) -> None:
    root, photo = company.folder / "company-root.pem", company.folder / "photo.jpg"
    environment = os.environ | {"HTTPS_PROXY": company.proxy.url, "SSL_CERT_FILE": str(root)}
    told = subprocess.check_output(
        [sys.executable, "-c", PYTHON, photo, URL], env=environment, text=True
    )
    assert told == "200\n"
    assert not pictures.says_secrets(company.arrived[-1].body)


def test_devices_are_offered_the_companys_root(company: Lab) -> None:
    shown = company.curl("--noproxy", "*", f"{company.proxy.url}/safelight-ca.pem").body
    assert shown.strip() == (company.folder / "company-root.pem").read_text().strip()

"""`safelight ca`: what people see of the authority, hand out and replace."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from click.testing import CliRunner
from cryptography import x509

from safelight import trust
from safelight.cli import main
from tests.support import tools

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result


def call(*arguments: str | Path, answer: str = "") -> Result:
    return CliRunner().invoke(main, ["ca", *map(str, arguments)], input=answer)


def test_show(tmp_path: Path) -> None:
    missing = call("show", "--state", tmp_path)
    assert missing.exit_code == 1
    assert "`safelight run` makes one" in missing.output
    trust.open_or_create(tmp_path, ["chatgpt.com"])
    shown = call("show", "--state", tmp_path, "--names").output
    printed = subprocess.run(
        [tools.needed("openssl"), "x509", "-noout", "-fingerprint", "-sha256", "-enddate"],
        input=(tmp_path / "safelight-ca.pem").read_text(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert printed.partition("=")[2].split()[0] in shown
    assert "1 names" in shown
    assert "   chatgpt.com" in shown
    assert "It cannot speak for" in shown
    assert "claude.ai" in shown


def test_export(tmp_path: Path) -> None:
    authority = trust.open_or_create(tmp_path, ["chatgpt.com"])
    root = x509.load_pem_x509_certificate(authority.root.read_bytes())
    assert call("export", "--state", tmp_path, "-o", tmp_path / "a.pem").exit_code == 0
    assert x509.load_pem_x509_certificate((tmp_path / "a.pem").read_bytes()) == root
    assert call("export", "--state", tmp_path, "-o", tmp_path / "a.cer").exit_code == 0
    assert x509.load_der_x509_certificate((tmp_path / "a.cer").read_bytes()) == root
    again = call("export", "--state", tmp_path, "-o", tmp_path / "a.cer")
    assert (again.exit_code, "is there already" in again.output) == (1, True)
    replaced = call("export", "--state", tmp_path, "-o", tmp_path / "a.cer", "--overwrite")
    assert replaced.exit_code == 0
    nowhere = call("export", "--state", tmp_path, "-o", tmp_path / "no" / "a.pem")
    assert (nowhere.exit_code, "cannot be written" in nowhere.output) == (1, True)


def test_rotate(tmp_path: Path) -> None:
    before = trust.open_or_create(tmp_path, ["chatgpt.com"])
    old = before.root.read_bytes()
    signer = (tmp_path / "mitmproxy-ca.pem").read_bytes()
    assert call("rotate", "--state", tmp_path, answer="n\n").exit_code == 1
    assert before.root.read_bytes() == old
    done = call("rotate", "--state", tmp_path, answer="y\n")
    assert (done.exit_code, "restart" in done.output) == (0, True)
    assert before.root.read_bytes() != old
    after = trust.open_existing(tmp_path)
    assert after is not None
    assert not after.missing(["claude.ai", "cloudflare-ech.com"])
    assert not any(signer in path.read_bytes() for path in tmp_path.iterdir())
    assert call("rotate", "--state", tmp_path / "new", "--yes").exit_code == 0


def test_a_damaged_authority_is_told(tmp_path: Path) -> None:
    trust.open_or_create(tmp_path, ["chatgpt.com"])
    (tmp_path / "safelight-ca.pem").write_text("nothing")
    for command in (["show"], ["export", "-o", tmp_path / "a.pem"]):
        failed = call(*command, "--state", tmp_path)
        assert (failed.exit_code, "cannot be used" in failed.output) == (1, True)

"""Everything that is not on its way to an AI service passes as it is, unseen and unrecorded."""

from __future__ import annotations

import hashlib
import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from safelight.services.catalogue import ECH_PUBLIC_NAMES
from tests.proxy.test_framing import tunnel
from tests.support import lab as labs
from tests.support import pictures

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.lab import Lab
    from tests.support.origin import Received


def test_other_hosts_are_not_decrypted(lab: Lab) -> None:
    before = len(lab.proxy.records())
    photo = lab.folder / "a.jpg"
    photo.write_bytes(pictures.jpeg())
    answer = lab.curl(
        "--data-binary", f"@{photo}", "https://www.example.org/upload", root=lab.origin_root
    )
    assert answer.status == 200
    assert lab.arrived[0].body == pictures.jpeg()
    assert lab.new_records(before) == []
    # Whoever trusts only Safelight's certificate does not see Safelight's there.
    with pytest.raises(ConnectionError, match="issuer"):
        lab.curl("https://www.example.org/")


@pytest.mark.parametrize("host", ["api.openai.com", *ECH_PUBLIC_NAMES])
def test_services_are_shown_safelights_certificate(lab: Lab, host: str) -> None:
    """So are names that stand for another, encrypted one: the client then comes again and says
    it."""
    with tunnel(lab, host, host) as connection:
        shown = connection.getpeercert(binary_form=True)
    assert shown is not None
    certificate = x509.load_der_x509_certificate(shown)
    assert "O=Safelight" in certificate.issuer.rfc4514_string()
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert list(names) == [x509.DNSName(host)]


def test_services_cannot_ask_for_another_way(tmp_path: Path) -> None:
    """HTTP/3 would go past the proxy."""

    def answer(_: Received) -> tuple[int, str, bytes, dict[str, str]]:
        return 200, "text/plain", b"", {"alt-svc": 'h3=":443"', "x-kept": "1"}

    with labs.running(tmp_path, answer=answer) as lab:
        headers = lab.curl("https://api.openai.com/v1/models").headers
        assert "x-kept" in headers
        assert "alt-svc" not in headers


def test_a_service_with_a_bad_certificate_gets_nothing(lab: Lab) -> None:
    """The origin's certificate does not name this host."""
    answer = lab.curl(
        "--connect-to",
        "::api.openai.com:443",
        "--data-binary",
        "x",
        "https://api.stability.ai/v1/files",
    )
    assert answer.status == 502
    assert lab.arrived == []


@pytest.fixture
def plain_origin() -> Iterator[tuple[str, list[bytes]]]:
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", bodies
    server.shutdown()
    server.server_close()


def test_plain_http_to_other_hosts_passes(lab: Lab, plain_origin: tuple[str, list[bytes]]) -> None:
    before = len(lab.proxy.records())
    url, bodies = plain_origin
    photo = lab.folder / "a.jpg"
    photo.write_bytes(pictures.jpeg())
    assert lab.curl("--data-binary", f"@{photo}", f"{url}/upload").status == 200
    assert bodies == [pictures.jpeg()]
    assert lab.new_records(before) == []


def test_bytes_pass_unchanged_in_both_directions(lab: Lab) -> None:
    data = hashlib.shake_128(b"x").digest(3_000_000)
    body = lab.folder / "random"
    body.write_bytes(data)
    lab.curl("--data-binary", f"@{body}", "https://www.example.org/", root=lab.origin_root)
    assert lab.arrived[0].body == data


def test_old_tls_is_not_offered(lab: Lab) -> None:
    assert ssl.HAS_TLSv1_3
    with tunnel(lab, "api.openai.com", "api.openai.com") as connection:
        assert connection.version() == "TLSv1.3"

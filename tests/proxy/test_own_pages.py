from __future__ import annotations

import http.client
import socket
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

if TYPE_CHECKING:
    from tests.support.lab import Lab


def ask(
    lab: Lab, path: str, host: str | None = None, method: str = "GET"
) -> tuple[int, str, bytes]:
    connection = http.client.HTTPConnection(*lab.proxy.address, timeout=10)
    try:
        headers = {"Host": host} if host else {}
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers["content-type"], answer.read()
    finally:
        connection.close()


def test_the_script_names_the_address_that_was_asked(lab: Lab) -> None:
    port = lab.proxy.address[1]
    for host in ("127.0.0.1", "localhost", "192.168.1.10", socket.gethostname()):
        status, kind, script = ask(lab, "/proxy.pac", f"{host}:{port}")
        assert (status, kind) == (200, "application/x-ns-proxy-autoconfig")
        assert f'return "PROXY {host}:{port}"'.encode() in script
        assert b'"chatgpt.com"' in script


def test_the_certificate_in_both_forms(lab: Lab) -> None:
    pem = ask(lab, "/safelight-ca.pem")[2]
    assert pem == lab.proxy.root.read_bytes()
    certificate = x509.load_der_x509_certificate(ask(lab, "/safelight-ca.cer")[2])
    assert certificate == x509.load_pem_x509_certificate(pem)


def test_a_page_for_people(lab: Lab) -> None:
    status, kind, page = ask(lab, "/")
    assert (status, kind) == (200, "text/html; charset=utf-8")
    assert f"http://127.0.0.1:{lab.proxy.address[1]}/proxy.pac".encode() in page
    assert ask(lab, "/other")[0] == 404
    assert ask(lab, "/proxy.pac", method="POST")[0] == 405
    assert ask(lab, "/proxy.pac", method="HEAD")[2] == b""


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "192.168.1.10"])
def test_others_may_not_pose_as_this_page(lab: Lab, host: str) -> None:
    """What is for another host is not answered here, whatever it is called."""
    status, _, page = ask(lab, "/", f"{host}:{lab.proxy.address[1]}")
    assert status == 502 or b"Safelight is here" not in page


def test_what_is_for_others_goes_there(lab: Lab) -> None:
    before = len(lab.proxy.records())
    assert lab.curl("https://chatgpt.com/proxy.pac").status == 200
    assert lab.arrived[-1].path == "/proxy.pac"
    assert lab.new_records(before) == []

"""What the proxy itself shows to who asks for it by its own address: how to use it, its
certificate, and the script that sends AI services to it. Nothing of it is a secret."""

from __future__ import annotations

import html
import ipaddress
import socket
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from mitmproxy.http import Response

from safelight.phones import HOME
from safelight.services.hosts import is_address
from safelight.trust import pac

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mitmproxy.http import HTTPFlow

PAC_PATH, PEM_PATH, DER_PATH = "/proxy.pac", "/safelight-ca.pem", "/safelight-ca.cer"
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Safelight</title>
<style>
  body {{ font: 18px/1.6 system-ui, sans-serif; background: #1d0b0b; color: #f3e3dc;
         margin: 0; padding: 10vh 1.5rem; }}
  main {{ max-width: 36rem; margin: auto; }}
  h1 {{ color: #ff6b57; font-size: 1.7rem; line-height: 1.2; }}
  a, code {{ color: #ffc2b3; }}
  li {{ margin: .6rem 0; }}
  summary {{ cursor: pointer; color: #ffc2b3; }}
  code {{ overflow-wrap: anywhere; }}
</style>
<main>
<h1>Safelight is here</h1>
<p>It takes out of photos what they tell besides the picture, on their way to AI services. To let it
do so for this device:</p>
<ol>
<li>Install <a href="{der}">its certificate</a> as an authority for websites
    (<a href="{pem}">the same in the form Linux and Firefox take</a>). It can speak for AI services
    only, not for your bank or your mail.
    <details><summary>iPhone, iPad</summary>Open it in Safari. Then Settings → General → VPN &amp;
    Device Management → install it; then Settings → General → About → Certificate Trust Settings →
    switch it on.</details>
    <details><summary>Android</summary>Settings → Security → Encryption &amp; credentials → Install
    a certificate → CA certificate. Chrome trusts it then, and apps whose makers let
    them.</details>
    <details><summary>Firefox on a computer</summary>Settings → Privacy &amp; Security → View
    Certificates → Authorities → Import → trust it for websites.</details></li>
{choose}</ol>
<p>Only connections to AI services are opened. All others pass as they are.</p>
</main>
</html>
"""
_CHOOSE = """<li>In the network settings choose automatic proxy configuration, with the address
    <code>http://{address}{pac}</code> (on a phone: in the details of its Wi-Fi, Proxy →
    Automatic)</li>
"""


class OwnPages:
    """Answers requests that are for the proxy. `root` is the certificate to trust, `patterns` are
    the hosts of AI services."""

    def __init__(self, root: Path, patterns: Sequence[str]) -> None:
        self._root = root
        self._patterns = tuple(patterns)

    def requestheaders(self, flow: HTTPFlow) -> None:
        """Answer it here if it is for the proxy; nothing of it is sent anywhere."""
        request = flow.request
        own = flow.client_conn.sockname
        if flow.response or flow.client_conn.tls or flow.server_conn.address or not own:
            return
        path = request.path.partition("?")[0]
        if request.port != own[1] or not _may_be_this(request.host):
            return
        # Behind a container's published port, this proxy does not know its own address.
        if not (path in {PAC_PATH, PEM_PATH, DER_PATH} or _is_this(request.host, str(own[0]))):
            return
        flow.response = self._answer(request.method, path, request.pretty_host, own[1])

    def _answer(self, method: str, path: str, host: str, port: int) -> Response:
        if method not in {"GET", "HEAD"}:
            return _response(405, "text/plain; charset=utf-8", b"There is nothing to send here.\n")
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        if path == "/":
            # What comes through a tunnel needs no proxy to be chosen.
            choose = "" if host == HOME else _CHOOSE
            shown = choose.format(address=html.escape(address), pac=PAC_PATH)
            page = _PAGE.format(choose=shown, pem=PEM_PATH, der=DER_PATH)
            return _response(200, "text/html; charset=utf-8", page.encode())
        if path == PAC_PATH:
            return _response(200, pac.MEDIA_TYPE, pac.script(self._patterns, address).encode())
        if path in {PEM_PATH, DER_PATH}:
            certificate = self._root.read_bytes()
            if path == PEM_PATH:
                return _response(200, "application/x-pem-file", certificate)
            binary = x509.load_pem_x509_certificate(certificate).public_bytes(Encoding.DER)
            return _response(200, "application/x-x509-ca-cert", binary)
        return _response(404, "text/plain; charset=utf-8", b"There is nothing here.\n")


def _response(status: int, media_type: str, body: bytes) -> Response:
    return Response.make(
        status,
        body,
        {
            "content-type": media_type,
            "cache-control": "no-cache",
            "x-content-type-options": "nosniff",
            "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
        },
    )


def _may_be_this(host: str) -> bool:
    """An address, or this machine's name; a page of another name may not pose as this one."""
    name = host.lower().removesuffix(".").removesuffix(".local")
    return name in {"localhost", socket.gethostname().lower()} or is_address(host)


def _is_this(host: str, own: str) -> bool:
    if not is_address(host):
        return True
    address, mine = ipaddress.ip_address(host), ipaddress.ip_address(own.partition("%")[0])
    mapped = getattr(mine, "ipv4_mapped", None)
    return address in {mine, mapped} or (address.is_loopback and mine.is_loopback)

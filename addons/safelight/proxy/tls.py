"""Certificates for clients: for the name they asked for, and for nothing else."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from cryptography import x509
from mitmproxy.addons import tlsconfig
from OpenSSL import SSL

if TYPE_CHECKING:
    from mitmproxy.certs import CertStoreEntry
    from mitmproxy.proxy.context import Context
    from mitmproxy.tls import TlsData


def can_call_back() -> bool:
    """May OpenSSL call Python, as each handshake needs? That takes memory which is written first
    and executed then, and a system may forbid it."""
    try:
        SSL.Context(SSL.TLS_METHOD).set_alpn_select_callback(lambda _, offered: offered[0])
    except MemoryError:
        return False
    return True


class SniOnlyTlsConfig(tlsconfig.TlsConfig):
    """mitmproxy's TLS set-up, with leaves that hold the SNI name only.

    mitmproxy adds addresses and names of the origin's certificate, which the constrained
    authority may not speak for: then clients reject the whole leaf.
    """

    def tls_start_server(self, tls_start: TlsData) -> None:
        """As in mitmproxy, but HTTP/1.1 where the client's side was told to speak it: both must
        keep pace with each other."""
        if tls_start.context.client.alpn == b"http/1.1":
            tls_start.conn.alpn_offers = (b"http/1.1",)
        super().tls_start_server(tls_start)

    def get_cert(self, conn_context: Context) -> CertStoreEntry:
        """The leaf for the name in the ClientHello, or else in the CONNECT request."""
        name = conn_context.client.sni
        if name is None and conn_context.server.address:
            name = conn_context.server.address[0]
        if name is None or _is_address(name):
            raise ValueError("the client did not say which host it wants")
        return self.certstore.get_cert(name, [x509.DNSName(name)])


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True

"""Programs that check certificates: a leaf for another host than an AI service's is rejected.

Each meets a TLS server whose certificate the authority made, once for an AI service and once for
a bank: only then would it matter that a key was stolen, or a host decrypted by mistake.
"""

from __future__ import annotations

import os
import ssl
import subprocess
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from mitmproxy.certs import CertStore

from safelight import trust
from tests.support import tools

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_JAVA = """
import java.io.*; import java.net.*; import java.security.*; import java.security.cert.*;
import javax.net.ssl.*;
public class Fetch {
  public static void main(String[] a) throws Exception {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    try (InputStream in = new FileInputStream(a[0])) {
      CertificateFactory factory = CertificateFactory.getInstance("X.509");
      store.setCertificateEntry("root", factory.generateCertificate(in));
    }
    TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
    trust.init(store);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, trust.getTrustManagers(), null);
    Socket plain = new Socket("127.0.0.1", Integer.parseInt(a[2]));
    SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(plain, a[1], 443, true);
    SSLParameters parameters = socket.getSSLParameters();
    parameters.setEndpointIdentificationAlgorithm("HTTPS");
    socket.setSSLParameters(parameters);
    String request = "GET / HTTP/1.1\\r\\nHost: " + a[1] + "\\r\\n\\r\\n";
    socket.getOutputStream().write(request.getBytes());
    socket.getInputStream().read();
  }
}
"""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> trust.Authority:
    return trust.open_or_create(tmp_path_factory.mktemp("state"), ["chatgpt.com", "openai.com"])


@contextmanager
def serving(authority: trust.Authority, folder: Path, host: str) -> Iterator[tuple[int, list[str]]]:
    """A server that says it is `host`; its port, and what came: requests, or alerts."""
    store = CertStore.from_store(authority.folder, "mitmproxy", 2048)
    leaf = store.get_cert(host, [x509.DNSName(host)])
    key = leaf.privatekey.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    chain = b"".join(one.to_pem() for one in [leaf.cert, *leaf.chain_certs])
    (folder / "chain.pem").write_bytes(key + chain)
    got: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            got.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            pass

    class Server(HTTPServer):
        def get_request(self) -> tuple[ssl.SSLSocket, tuple[str, int]]:
            connection, address = self.socket.accept()
            try:
                return context.wrap_socket(connection, server_side=True), address
            except ssl.SSLError as error:
                # A browser may open a connection before it needs one, and leave it without a word.
                got.append(f"{'rejected' if 'ALERT' in error.reason else 'left'}: {error.reason}")
                raise

    server = Server(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "chain.pem")
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1], got
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def by_curl(root: Path, _: Path, host: str, port: int, _got: list[str]) -> None:
    curl = tools.needed("curl")
    address = ["--connect-to", f"{host}:443:127.0.0.1:{port}", f"https://{host}/"]
    subprocess.run([curl, "-s", "--cacert", root, *address], capture_output=True, check=False)


def by_java(root: Path, folder: Path, host: str, port: int, _got: list[str]) -> None:
    java = tools.needed("java")
    tools.needed("javac")
    (folder / "Fetch.java").write_text(_JAVA)
    arguments = [str(folder / "Fetch.java"), str(root), host, str(port)]
    subprocess.run([java, *arguments], capture_output=True, timeout=60, check=False)


def nss_trusts(database: Path, root: Path) -> None:
    certutil = tools.needed("certutil")
    database.mkdir(parents=True)
    where = f"sql:{database}"
    subprocess.run([certutil, "-N", "-d", where, "--empty-password"], check=True)
    added = [certutil, "-A", "-d", where, "-n", "root", "-t", "C,,", "-i", str(root)]
    subprocess.run(added, check=True)


def by_chromium(root: Path, folder: Path, host: str, port: int, _got: list[str]) -> None:
    chromium = tools.needed("chromium")
    nss_trusts(folder / ".pki" / "nssdb", root)
    flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --dump-dom "
    flags += "--disable-background-networking --disable-component-update --disable-sync"
    mapping = f"--host-resolver-rules=MAP {host}:443 127.0.0.1:{port}"
    profile = f"--user-data-dir={folder / 'profile'}"
    subprocess.run(
        [chromium, *flags.split(), mapping, profile, f"https://{host}/"],
        env={**os.environ, "HOME": str(folder)},
        capture_output=True,
        timeout=60,
        check=False,
    )


def by_firefox(root: Path, folder: Path, host: str, port: int, got: list[str]) -> None:
    firefox = tools.needed("firefox-esr")
    profile = folder / "profile"
    nss_trusts(profile, root)
    (profile / "user.js").write_text(
        f'user_pref("network.dns.localDomains", "{host}");\n'
        'user_pref("network.proxy.type", 0);\n'
        'user_pref("network.dns.disableIPv6", true);\n'
        'user_pref("app.update.enabled", false);\n'
        'user_pref("datareporting.policy.dataSubmissionEnabled", false);\n'
    )
    command = [firefox, "--headless", "--no-remote", "--profile", str(profile)]
    browser = subprocess.Popen(
        [*command, f"https://{host}:{port}/"],
        env={**os.environ, "HOME": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while not got and time.monotonic() < deadline:
        time.sleep(0.1)
    browser.kill()
    browser.wait()


BY: dict[str, Callable[[Path, Path, str, int, list[str]], None]] = {
    "curl": by_curl,
    "java": by_java,
    "chromium": by_chromium,
    "firefox": by_firefox,
}


@pytest.mark.parametrize("program", BY)
def test_ai_hosts_are_accepted_and_others_rejected(
    tmp_path: Path, authority: trust.Authority, program: str
) -> None:
    for host, accepted in (("chatgpt.com", True), ("www.bank.example", False)):
        folder = tmp_path / host
        folder.mkdir()
        with serving(authority, folder, host) as (port, got):
            BY[program](authority.root, folder, host, port, got)
            assert ("/" in got) is accepted, got
            assert any(one.startswith("rejected") for one in got) is not accepted, got

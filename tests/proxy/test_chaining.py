"""How a proxy behind this one is named. `tests/deploy/test_upstream.py` goes through a real one."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest

from safelight.proxy.chaining import UpstreamProxy, UpstreamProxyError, upstream_proxy
from tests.support import lab as labs

if TYPE_CHECKING:
    from pathlib import Path


def test_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "login").write_text("gateway:se:cret\n")
    known = upstream_proxy("http://proxy.example.org:3128/", tmp_path / "login")
    assert known == UpstreamProxy("http", ("proxy.example.org", 3128), "Basic Z2F0ZXdheTpzZTpjcmV0")
    assert upstream_proxy("https://[fd00::1]", None).mode == "upstream:https://[fd00::1]:443"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://anna:secret@proxy:3128", "name that by --upstream-login"),
        ("socks5://proxy:1080", "has to be http://HOST:PORT"),
        ("proxy:3128", "has to be http://HOST:PORT"),
        ("http://proxy:3128/path", "has to be http://HOST:PORT"),
        ("http://proxy:99999", "out of range"),
    ],
)
def test_mistakes_are_told(url: str, says: str) -> None:
    with pytest.raises(UpstreamProxyError, match=says) as raised:
        upstream_proxy(url, None)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(("text", "says"), [("", "one line"), ("a:b\nc:d", "one line")])
def test_a_login_that_cannot_be_used(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "login").write_text(text)
    with pytest.raises(UpstreamProxyError, match=says):
        upstream_proxy("http://proxy:1", tmp_path / "login")
    with pytest.raises(UpstreamProxyError, match="cannot be read"):
        upstream_proxy("http://proxy:1", tmp_path / "none")


class _WantsLogin(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(407)
        self.send_header("proxy-authenticate", 'Basic realm="company"')
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Say nothing."""


def test_a_login_that_it_wants_is_not_asked_of_clients(tmp_path: Path) -> None:
    with HTTPServer(("127.0.0.1", 0), _WantsLogin) as company:
        threading.Thread(target=company.serve_forever, daemon=True).start()
        options = ("--upstream-proxy", f"http://127.0.0.1:{company.server_port}")
        with labs.running(tmp_path, options=options) as lab:
            answer = lab.curl("http://www.example.org/")
            assert (answer.status, "proxy-authenticate" in answer.headers) == (502, False)
        assert "(--upstream-login)" in lab.proxy.output
        company.shutdown()

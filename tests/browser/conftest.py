from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import chromium
from tests.support import lab as labs
from tests.support.origin import Received, accept

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from tests.support.lab import Lab


@pytest.fixture(scope="module")
def module_lab(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lab]:
    """The origin shows the module's PAGE and takes whatever that sends."""
    page: bytes = request.module.PAGE

    def service(received: Received) -> tuple[int, str, bytes]:
        return (200, "text/html", page) if received.method == "GET" else accept(received)

    with labs.running(tmp_path_factory.mktemp("browser"), answer=service) as lab:
        yield lab


@pytest.fixture
def lab(module_lab: Lab) -> Lab:
    """The module's proxy and origin, with nothing remembered of earlier tests."""
    module_lab.origin.received.clear()
    module_lab.origin.messages.clear()
    return module_lab


@pytest.fixture(scope="module")
def page(module_lab: Lab) -> Iterator[Page]:
    """A page of chatgpt.com in Chromium, through the proxy."""
    with chromium.running(module_lab.proxy.url) as browser:
        # The certificate chain itself is checked in tests/trust and by every other client.
        page = browser.new_context(ignore_https_errors=True).new_page()
        page.goto("https://chatgpt.com/")
        yield page

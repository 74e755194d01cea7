"""Settings for every test."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.support import chromium

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from tests.support.lab import Lab

with warnings.catch_warnings():
    # mitmproxy's own dependencies use names that newer releases of others deprecate.
    warnings.simplefilter("ignore", DeprecationWarning)
    import mitmproxy.addons  # noqa: F401

# How long an example takes says more about the machine than about the code; a hang is caught
# by the time limit of each test.
settings.register_profile("safelight", deadline=None)
settings.load_profile("safelight")


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

"""Debian's Chromium, driven by Playwright."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from tests.support import tools

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def running(proxy: str | None = None) -> Iterator[Browser]:
    """A browser; skips the test where Chromium is missing, or fails it in CI."""
    chromium = tools.needed("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=FLAGS, proxy={"server": proxy} if proxy else None
        )
        yield browser
        browser.close()

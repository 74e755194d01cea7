"""Cleaned pictures look the same in Chromium: pixels as shown, turned and colour-managed."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from safelight import images
from safelight.images import Length
from tests.support import chromium, pictures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

SHOW = """async ([data, type]) => {
  const image = new Image();
  image.src = `data:image/${type};base64,${data}`;
  try { await image.decode(); } catch { return null; }
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", pixels));
  return [image.naturalWidth, image.naturalHeight, Array.from(hash).join()];
}"""


def made_here() -> dict[str, bytes]:
    return {
        "jpeg": pictures.jpeg(),
        "png": pictures.png(),
        "webp": pictures.webp(),
        "gif": pictures.gif(),
    }


def corpus() -> dict[str, bytes]:
    root = os.environ.get("SAFELIGHT_CORPUS")
    found = {}
    for path in sorted(Path(root).rglob("*")) if root else []:
        data = path.read_bytes() if path.is_file() else b""
        known = images.sniff(data)
        if known is not None and known.cleanable and path.parent.name != "hostile":
            found[f"{path.parent.name}/{path.name}"] = data
    return found


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with chromium.running() as browser:
        page = browser.new_page()
        # Hashing pixels needs a page of a secure kind; this one is, and reaches no network.
        page.route("**/*", lambda route: route.fulfill(body="<!doctype html>"))
        page.goto("https://localhost/")
        yield page


def shown(page: Page, data: bytes) -> Any:  # noqa: ANN401 - what the browser returns
    return page.evaluate(SHOW, [base64.b64encode(data).decode(), str(images.sniff(data))])


@pytest.mark.parametrize("length", Length)
def test_chromium_shows_the_same(page: Page, length: Length) -> None:
    different = [
        name
        for name, data in {**made_here(), **corpus()}.items()
        if shown(page, data) != shown(page, images.strip(data, length))
    ]
    assert different == []


def test_the_comparison_sees_a_difference(page: Page) -> None:
    upright, turned = pictures.jpeg(1), pictures.jpeg(6)
    assert shown(page, upright) is not None
    assert shown(page, upright) != shown(page, turned)

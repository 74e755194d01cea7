"""What a person sees in Chromium: uploads of a page, and refusals it can show."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import FilePayload

from tests.support import pictures

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.support.lab import Lab
    from tests.support.origin import Received

PAGE = b"""<!doctype html><meta charset="utf-8"><title>A service</title>
<form method="post" action="/form" enctype="multipart/form-data">
<input type="file" name="photo"><button>Send</button></form>"""
SEND = """async ([bytes, way]) => {
  const data = new Uint8Array(bytes);
  const form = new FormData();
  form.append("photo", new File([data], "Anna.jpg", {type: "image/jpeg"}));
  const body = way === "form" ? form : data;
  const answer = await fetch("/upload", {method: "POST", body});
  return [answer.status, await answer.text()];
}"""


SEND_DAMAGED = """async () => {
  const chunk = (type, length) => {
    const data = new Uint8Array(12 + length);
    new DataView(data.buffer).setUint32(0, length);
    data.set([...type].map(letter => letter.charCodeAt(0)), 4);
    return data;
  };
  const header = chunk("IHDR", 13);
  header.set([0, 0, 16, 0, 0, 0, 16, 0, 8, 2], 8);
  const signature = new Uint8Array([137, 80, 78, 71, 13, 10, 26, 10]);
  const rest = new Uint8Array(20_000_000).fill(255);
  const body = new Blob([signature, header, chunk("IDAT", 5_000_000), rest]);
  const answer = await fetch("/upload", {method: "POST", body});
  return [answer.status, await answer.text()];
}"""


def uploads(lab: Lab) -> list[Received]:
    """What arrived besides the page itself and its icon."""
    return [received for received in lab.arrived if received.method != "GET"]


@pytest.mark.parametrize("way", ["form", "raw"])
def test_fetch_uploads_are_cleaned(lab: Lab, page: Page, way: str) -> None:
    photo = pictures.jpeg()
    status, _ = page.evaluate(SEND, [list(photo), way])
    assert status == 200
    [received] = uploads(lab)
    assert not pictures.says_secrets(received.body)
    assert b"Anna" not in received.body


def test_a_refusal_reaches_the_pages_script(lab: Lab, page: Page) -> None:
    status, text = page.evaluate(SEND, [list(pictures.jpeg()[:700]), "form"])
    assert status == 403
    assert "Safelight did not send this to ChatGPT" in text
    assert uploads(lab) == []


def test_an_upload_is_stopped_on_its_way(lab: Lab, page: Page) -> None:
    before = len(lab.proxy.records())
    for _ in range(2):
        status, text = page.evaluate(SEND_DAMAGED)
        assert (status, "This PNG is damaged" in text) == (403, True)
    begun, ended = lab.new_records(before)[:2]
    assert (begun["flowing"], ended["how"]) == (True, "stopped")
    assert uploads(lab) == []
    assert page.evaluate(SEND, [list(pictures.jpeg()), "raw"])[0] == 200


def test_a_large_upload_is_refused_while_it_is_sent(lab: Lab, page: Page) -> None:
    send = SEND.replace("new Uint8Array(bytes)", "new Uint8Array(60_000_000)")
    status, text = page.evaluate(send, [[], "raw"])
    assert (status, "larger than 50 MB" in text) == (413, True)
    assert uploads(lab) == []
    assert page.evaluate(SEND, [list(pictures.jpeg()), "raw"])[0] == 200


def test_a_form_that_is_sent_shows_a_page(lab: Lab, page: Page) -> None:
    broken = FilePayload(name="Anna.jpg", mimeType="image/jpeg", buffer=pictures.jpeg()[:700])
    page.set_input_files("input", broken)
    page.click("button")
    page.wait_for_url("**/form")
    assert page.inner_text("h1") == "Safelight stopped this upload"
    assert "Nothing was sent to ChatGPT." in page.inner_text("main")
    folder = os.environ.get("SAFELIGHT_SCREENSHOTS")
    if folder:
        page.screenshot(path=f"{folder}/refusal.png")
    assert uploads(lab) == []
    page.goto("https://chatgpt.com/")

"""Every way in which a page sends a picture, in Chromium: what the page's own code does with a
file that was chosen, dropped or pasted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import FilePayload

from safelight import images
from tests.support import pictures

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.support.lab import Lab

PAGE = b"""<!doctype html><meta charset="utf-8"><title>A service</title>
<input type="file"><div id="zone" style="height:200px">drop here</div>
<script>
const done = [];
async function send(file, way) {
  if (way === "fetch") await fetch("/fetch", {method: "POST", body: file});
  if (way === "form") {
    const form = new FormData();
    form.append("photo", file);
    form.append("name", "kept");
    await fetch("/form", {method: "POST", body: form});
  }
  if (way === "xhr") await new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("PUT", "/xhr");
    request.onloadend = resolve;
    request.send(file);
  });
  if (way === "beacon") navigator.sendBeacon("/beacon", file);
  if (way === "data-url") {
    const reader = new FileReader();
    await new Promise((resolve) => { reader.onload = resolve; reader.readAsDataURL(file); });
    const body = JSON.stringify({messages: [{image_url: reader.result}]});
    await fetch("/json", {method: "POST", headers: {"content-type": "application/json"}, body});
  }
  if (way === "socket") await new Promise((resolve) => {
    const socket = new WebSocket("wss://chatgpt.com/ws");
    socket.binaryType = "arraybuffer";
    socket.onopen = async () => socket.send(await file.arrayBuffer());
    socket.onmessage = socket.onclose = () => { resolve(); socket.close(); };
  });
  done.push(way);
}
let way = "fetch";
document.querySelector("input").onchange = (event) => send(event.target.files[0], way);
document.addEventListener("paste", (event) => send(event.clipboardData.files[0], way));
zone.ondragover = (event) => event.preventDefault();
zone.ondrop = (event) => { event.preventDefault(); send(event.dataTransfer.files[0], way); };
</script>"""
# Browsers let a page make the events that a person's hand would make.
GIVE = """([bytes, kind]) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([new Uint8Array(bytes)], "Anna.jpg", {type: "image/jpeg"}));
  if (kind === "paste")
    document.dispatchEvent(new ClipboardEvent("paste", {clipboardData: transfer}));
  else zone.dispatchEvent(new DragEvent("drop", {dataTransfer: transfer, cancelable: true}));
}"""
WAYS = ["fetch", "form", "xhr", "beacon", "data-url", "socket"]


@pytest.mark.parametrize("given", ["input", "drop", "paste"])
@pytest.mark.parametrize("way", WAYS)
def test_what_a_page_sends_is_cleaned(lab: Lab, page: Page, way: str, given: str) -> None:
    photo = pictures.jpeg()
    page.evaluate(f"done.length = 0; way = '{way}'")
    if given == "input":
        page.set_input_files(
            "input", FilePayload(name="Anna.jpg", mimeType="image/jpeg", buffer=photo)
        )
    else:
        page.evaluate(GIVE, [list(photo), given])
    page.wait_for_function("done.length === 1")
    for _ in range(100):
        arrived = [one.body for one in lab.arrived if one.method != "GET"]
        arrived += [one for one in lab.origin.messages if isinstance(one, bytes)]
        if arrived:
            break
        page.wait_for_timeout(50)  # a beacon has nobody who waits for it
    [body] = arrived
    assert not pictures.says_secrets(body)
    assert b"Anna" not in body
    if way in {"fetch", "xhr", "beacon", "socket"}:
        assert pictures.same_pixels(photo, body)
        assert images.examine(body).findings == ()

"""Gradio, which most Spaces of Hugging Face are made with: its own client and its own page, to an
app as people write them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import FilePayload, expect

from safelight import images
from tests.support import chromium, exiftool, pictures, programs, tools
from tests.support import lab as labs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Route

    from tests.support.lab import Lab

APP = """
import gradio as gr
def look(picture, words):
    return f"{words} {len(open(picture, 'rb').read())} bytes"
with gr.Blocks() as app:
    picture = gr.Image(type="filepath", label="Photo")
    words = gr.Textbox(label="Words")
    said = gr.Textbox(label="Said")
    gr.Button("Look").click(look, [picture, words], said, api_name="look")
app.launch(server_name="127.0.0.1", ssr_mode=False)
"""
CLIENT = """
import sys
from gradio_client import Client, handle_file
client = Client("https://pictures.hf.space", verbose=False)
print(client.predict(handle_file(sys.argv[1]), sys.argv[2], api_name="/look"))
"""
PHOTO = pictures.jpeg()
CLEAN = images.strip(PHOTO)
WORDS = "What is this?"
ANSWER = f"{WORDS} {len(CLEAN)} bytes"
SPACE = "https://pictures.hf.space/"


def python() -> str:
    """The Python that has Gradio: it needs other versions than the proxy does."""
    found = programs.TOOLS / "gradio/bin/python"
    return str(found) if found.exists() else tools.missing("gradio")


@pytest.fixture(scope="module")
def module_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The app plays the services."""
    folder = tmp_path_factory.mktemp("gradio")
    environment = {
        "HOME": str(folder),
        "GRADIO_TEMP_DIR": str(folder / "files"),
        "GRADIO_ANALYTICS_ENABLED": "False",
    }
    with (
        programs.serving([python(), "-u", "-c", APP], environment) as behind,
        labs.running(folder, behind=behind) as lab,
    ):
        yield lab


def assert_clean(lab: Lab) -> None:
    """The app has the clean photo, its words, and not its name."""
    upload, question = (one for one in lab.arrived if one.method == "POST")
    assert CLEAN in upload.body
    assert b'filename="image-1.jpg"' in upload.body
    assert not pictures.says_secrets(upload.body)
    asked = json.loads(question.body)
    picture, words = asked["data"]
    assert picture["orig_name"] == "image.jpg"
    assert words == WORDS
    for received in lab.arrived:
        assert b"at home" not in received.body
        assert "at%20home" not in received.path
    stored = (lab.folder / "files" / picture["path"]).read_bytes()
    assert stored == CLEAN
    [report] = exiftool.read({"stored": stored}).values()
    assert exiftool.left_over(report) == set()


def test_the_client(lab: Lab) -> None:
    path = lab.folder / "Anna at home.jpg"
    path.write_bytes(PHOTO)
    done = programs.send(lab, [python(), "-c", CLIENT], str(path), WORDS)
    assert done.stdout == f"{ANSWER}\n", done.stderr
    assert_clean(lab)


def local(route: Route) -> None:
    """Let the page ask the app alone."""
    if route.request.url.startswith(SPACE):
        route.continue_()
    else:
        route.abort()


def test_the_page(lab: Lab) -> None:
    with chromium.running(lab.proxy.url) as browser:
        page = browser.new_context(ignore_https_errors=True).new_page()
        page.route("**/*", local)
        page.goto(SPACE)
        photo = FilePayload(name="Anna at home.jpg", mimeType="image/jpeg", buffer=PHOTO)
        with page.expect_response(lambda answer: "/file=" in answer.url):  # it shows the photo
            page.set_input_files("input[type=file]", photo)
        page.get_by_label("Words").fill(WORDS)
        page.get_by_role("button", name="Look").click()
        expect(page.get_by_label("Said")).to_have_value(ANSWER)
    assert_clean(lab)

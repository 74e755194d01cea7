"""Uploads in pieces by tus (https://tus.io) as its own client and Uppy send them, to its own
server."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

from safelight import images
from safelight.images import Length
from tests.support import exiftool, pictures, programs
from tests.support import lab as labs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from tests.support.lab import Lab
    from tests.support.origin import Received

SERVER = """
import http from "node:http";
import { FileStore } from "@tus/file-store";
import { Server } from "@tus/server";
import { build } from "esbuild";
const tus = new Server({
  path: "/files",
  respectForwardedHeaders: true,
  datastore: new FileStore({ directory: process.env.FOLDER }),
});
const { outputFiles } = await build({
  stdin: { contents: process.env.PAGE, resolveDir: "." }, bundle: true, write: false,
});
let received = 0;
function draft(request, response) {
  if (request.method === "POST") response.statusCode = 201;
  response.setHeader("location", "https://chatgpt.com/draft/1");
  request.on("data", (piece) => { received += piece.length; });
  request.on("end", () => { response.setHeader("upload-offset", received); response.end(); });
}
const server = http.createServer((request, response) => {
  if (request.url.startsWith("/files")) return tus.handle(request, response);
  if (request.url.startsWith("/draft")) return draft(request, response);
  if (request.method === "POST") {
    response.setHeader("content-type", "application/json");
    return request.resume().on("end", () => response.end('{"url": "https://chatgpt.com/form"}'));
  }
  response.setHeader("content-type", "text/html");
  return response.end(`<!doctype html><meta charset=utf-8><script>${outputFiles[0].text}</script>`);
});
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
"""
PAGE = """
import Uppy from "@uppy/core";
import Tus from "@uppy/tus";
import Form from "@uppy/xhr-upload";
window.send = async (bytes, way) => {
  const uppy = new Uppy();
  if (way === "tus") uppy.use(Tus, { endpoint: "/files", chunkSize: 16_000, retryDelays: null });
  if (way === "form") uppy.use(Form, { endpoint: "/form" });
  const data = new File([new Uint8Array(bytes)], "Anna at home.jpg", { type: "image/jpeg" });
  uppy.addFile({ name: data.name, type: data.type, data });
  const { failed } = await uppy.upload();
  return failed.map((file) => file.error);
};
"""
CLIENT = """
import fs from "node:fs";
import { HttpsProxyAgent } from "https-proxy-agent";
import { DefaultHttpStack, Upload } from "tus-js-client";
const [path, options] = process.argv.slice(1);
new Upload(fs.createReadStream(path), {
  endpoint: "https://chatgpt.com/files",
  httpStack: new DefaultHttpStack({ agent: new HttpsProxyAgent(process.env.HTTPS_PROXY) }),
  metadata: { filename: "Anna at home.jpg", filetype: "image/jpeg", album: "Anna" },
  retryDelays: null,
  onError: (error) => { console.error(String(error)); process.exit(1); },
  ...JSON.parse(options),
}).start();
"""
# The last secret stands behind the picture, in the last piece.
PHOTO = pictures.jpeg(width=640, height=480) + b"CANARY behind the picture"
KEPT = images.strip(PHOTO, Length.SAME_LENGTH)


@pytest.fixture(scope="module")
def module_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A tus server plays the services."""
    folder = tmp_path_factory.mktemp("tus")
    command = programs.javascript(SERVER, "@tus/server")
    environment = {"FOLDER": str(folder), "PAGE": PAGE}
    with (
        programs.serving(command, environment) as behind,
        labs.running(folder, behind=behind) as lab,
    ):
        yield lab


def upload(lab: Lab, **options: object) -> str:
    """Send the photo with tus-js-client; returns what it complains of."""
    path = lab.folder / "Anna at home.jpg"
    path.write_bytes(PHOTO)
    command = programs.javascript(CLIENT, "tus-js-client")
    return programs.send(lab, command, str(path), json.dumps(options)).stderr


def told(received: Received) -> dict[str, str]:
    """What tus was told of the file."""
    members = [one.split(" ") for one in received.headers["upload-metadata"].split(",")]
    return {key: base64.b64decode(value).decode() for key, value in members}


def assert_stored(lab: Lab, created: Received, pieces: list[Received]) -> None:
    """The server has put the clean photo together, and `pieces` are all that it got."""
    assert b"".join(one.body for one in pieces) == KEPT
    assert [one.method for one in pieces[1:]] == ["PATCH"] * (len(pieces) - 1)
    assert created.headers["upload-length"] == str(len(PHOTO))
    stored = lab.folder / pieces[-1].path.rpartition("/")[2]
    [report] = exiftool.read({"stored": stored.read_bytes()}).values()
    assert exiftool.left_over(report) == set()
    assert stored.read_bytes() == KEPT
    assert pictures.same_pixels(PHOTO, KEPT)


def test_the_client_of_tus(lab: Lab) -> None:
    assert upload(lab, chunkSize=16_000) == ""
    created, *pieces = lab.arrived
    assert told(created) == {"filename": "image.jpg", "filetype": "image/jpeg", "album": "Anna"}
    assert [int(one.headers["upload-offset"]) for one in pieces] == [*range(0, len(PHOTO), 16_000)]
    assert_stored(lab, created, pieces)


def test_the_draft_of_the_ietf(lab: Lab) -> None:
    """Its pieces do not say that they are tus. A few lines of the server above speak it."""
    draft = {"endpoint": "https://chatgpt.com/draft", "protocol": "ietf-draft-05"}
    assert upload(lab, chunkSize=16_000, **draft) == ""
    created, *pieces = lab.arrived
    assert told(created)["filename"] == "image.jpg"
    assert not any("tus-resumable" in one.headers for one in lab.arrived)
    assert len(pieces) == len(range(0, len(PHOTO), 16_000))
    assert b"".join(one.body for one in pieces) == KEPT


def test_all_of_it_while_it_is_created(lab: Lab) -> None:
    assert upload(lab, uploadDataDuringCreation=True) == ""
    [created] = lab.arrived
    assert told(created)["filename"] == "image.jpg"
    assert created.body == KEPT


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"parallelUploads": 2}, "not clear of what"),
        ({"chunkSize": 16_000, "uploadDataDuringCreation": True}, "This JPEG is cut off."),
    ],
    ids=["in parallel", "a part while it is created"],
)
def test_what_cannot_be_followed_is_stopped(
    lab: Lab, options: dict[str, object], reason: str
) -> None:
    complaint = upload(lab, **options)
    assert "response code: 403" in complaint
    assert reason in complaint
    assert lab.arrived == []


def uppy(page: Page, photo: bytes, way: str) -> list[str]:
    """Send the photo with Uppy; returns what it complains of."""
    failed: list[str] = page.evaluate("([bytes, way]) => send(bytes, way)", [list(photo), way])
    return failed


def test_uppy_by_tus(lab: Lab, page: Page) -> None:
    assert uppy(page, PHOTO, "tus") == []
    created, *pieces = [one for one in lab.arrived if one.method != "GET"]
    assert told(created) == {
        "name": "image.jpg",
        "type": "image/jpeg",
        "filename": "image.jpg",
        "filetype": "image/jpeg",
    }
    assert len(pieces) == len(range(0, len(PHOTO), 16_000))
    assert_stored(lab, created, pieces)


def test_uppy_by_a_form(lab: Lab, page: Page) -> None:
    assert uppy(page, PHOTO, "form") == []
    [received] = [one for one in lab.arrived if one.method != "GET"]
    assert images.strip(PHOTO) in received.body
    assert b"Anna" not in received.body
    assert b"CANARY" not in received.body


def test_uppy_shows_why_an_upload_was_stopped(lab: Lab, page: Page) -> None:
    [complaint] = uppy(page, PHOTO[:900], "tus")
    assert "Safelight did not send this to ChatGPT" in complaint
    assert [one.body for one in lab.arrived if one.method == "PATCH"] == []

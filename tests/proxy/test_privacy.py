"""Nothing that people said, named or were anywhere near is in any file that the program wrote."""

from __future__ import annotations

import base64
import contextlib
import json
import zlib
from typing import TYPE_CHECKING

import pytest

from tests.support import lab as labs
from tests.support import pictures
from tests.support.large import large, put
from tests.support.sockets import open_socket

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.lab import Lab

# What people would not want written down: names, places, tokens, prompts, paths.
WORD = "Zanzibarella"
COORDINATES = "48.8584"
SECRETS = [WORD, WORD.upper(), COORDINATES, "48.85", "zanzibarella"]
PHOTO = pictures.jpeg() + WORD.encode()
API = "https://api.openai.com/v1"


def forms(lab: Lab) -> None:
    for number, photo in enumerate((PHOTO, pictures.png(), PHOTO[:700])):
        path = lab.folder / f"{WORD}{number}.jpg"
        path.write_bytes(photo)
        token = f"authorization: Bearer {WORD}"
        account = f"openai-organization: {WORD}"
        prompt = f"prompt={WORD} at {COORDINATES}"
        url = f"{API}/images/edits?user={WORD}"
        lab.curl(
            "-H",
            token,
            "-H",
            account,
            "-b",
            f"id={WORD}",
            "-F",
            f"image=@{path}",
            "-F",
            prompt,
            url,
        )


def chats(lab: Lab) -> None:
    photo = base64.b64encode(PHOTO).decode()
    for body in (
        {"messages": [{"role": WORD, "content": f"data:image/jpeg;base64,{photo}"}]},
        {"file_name": f"{WORD}.jpg", "prompt": WORD},
        {"image": list(PHOTO[:2000]), "prompt": WORD},
        {"image": photo[:500], "prompt": WORD},
    ):
        lab.curl("--json", json.dumps(body), f"{API}/chat/completions")


def raw(lab: Lab) -> None:
    named = f"content-disposition: attachment; filename={WORD}.jpg"
    storage = f"https://files.oaiusercontent.com/{WORD}?sig={WORD}&name={WORD}.jpg"
    path = lab.folder / "raw"
    path.write_bytes(PHOTO)
    lab.curl("-T", path, "-H", named, storage)
    put(lab, large("JPEG"))
    lab.curl("-T", path, "-H", "content-range: bytes 0-9/20", storage)
    lab.curl("-T", path, "-H", f"content-encoding: {WORD}", storage)


def sockets(lab: Lab) -> None:
    for message in (PHOTO, json.dumps({"image": base64.b64encode(PHOTO).decode(), "say": WORD})):
        with (
            contextlib.suppress(Exception),
            open_socket(lab, f"wss://chatgpt.com/{WORD}") as client,
        ):
            client.send(message)
            client.recv(5)


def elsewhere(lab: Lab) -> None:
    with contextlib.suppress(ConnectionError):
        lab.curl("-H", f"cookie: {WORD}", f"https://www.example.org/{WORD}", root=lab.origin_root)
    with contextlib.suppress(ConnectionError):
        lab.curl(f"https://{WORD}.openai.com/{WORD}", "-d", WORD)


def written(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Every file that the program wrote."""
    for place in ("audit", "state"):
        for path in (folder / place).rglob("*"):
            if path.is_file():
                yield path, path.read_bytes()


@pytest.mark.parametrize("broken", ["", "the engine", "the hook"])
def test_no_file_tells(tmp_path: Path, broken: str) -> None:
    before = {
        "": "",
        "the engine": (
            "import safelight.engine as e\n"
            "def broken(self, case): raise RuntimeError(repr(case.upload))\n"
            "e.Engine._process = broken\n"
        ),
        "the hook": (
            "import safelight.proxy.gate as g\n"
            "async def broken(self, flow): raise RuntimeError(repr(flow.request.content))\n"
            "g.Gate.request = broken\n"
        ),
    }[broken]
    with labs.running(tmp_path, before=before) as lab:
        for road in (forms, chats, raw, sockets, elsewhere):
            road(lab)
        output = lab.proxy.output
        if not broken:
            assert len(lab.proxy.records()) > 10
    found = [*written(tmp_path), (tmp_path / "output", output.encode())]
    assert len(found) > 5
    for path, content in found:
        for secret in SECRETS:
            for spelled in (
                secret.encode(),
                secret.encode("utf-16-le"),
                base64.b64encode(secret.encode())[:-4],
                secret.encode().hex().encode(),
                zlib.compress(secret.encode()),
            ):
                assert spelled not in content, path
    crumbs = [path for path in tmp_path.rglob("*") if path.is_file() and WORD in path.name]
    assert all(path.parent == tmp_path for path in crumbs)

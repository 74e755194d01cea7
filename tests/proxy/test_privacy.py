"""Nothing that people said, named or were anywhere near is in any file that the program wrote."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import subprocess
import sys
import threading
import time
import urllib.request
import zlib
from typing import TYPE_CHECKING

import pytest

from safelight.audit.export import Format
from tests.cli.test_commands import call
from tests.support import lab as labs
from tests.support import pictures, ports
from tests.support.large import large, put
from tests.support.sockets import open_socket
from tests.test_users import line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.lab import Lab

# What people would not want written down: names, places, tokens, prompts, paths.
WORD = "Zanzibarella"
COORDINATES = "48.8584"
SECRETS = [WORD, WORD.upper(), COORDINATES, "48.85", "zanzibarella"]
# Its seconds may look like a place.
TIME_OF_DAY = re.compile(rb"\d\d:\d\d:\d\d\.\d+")
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


def told_in(content: bytes) -> list[str]:
    """The secrets that somebody can read there, however they are spelled."""
    content = TIME_OF_DAY.sub(b"", content)
    return [
        secret
        for secret in SECRETS
        for spelled in (
            secret.encode(),
            secret.encode("utf-16-le"),
            base64.b64encode(secret.encode())[:-4],
            secret.encode().hex().encode(),
            zlib.compress(secret.encode()),
        )
        # Four letters stand by chance in what is random.
        if len(spelled) > 4 and spelled in content
    ]


@pytest.mark.parametrize("broken", ["", "the engine", "the hook", "the audit log"])
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
        "the audit log": (
            "import safelight.audit.log as l\n"
            "def broken(*_): raise OSError(28, 'No space left on device')\n"
            "l.Writer.write = broken\n"
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
        assert told_in(content) == [], path
    crumbs = [path for path in tmp_path.rglob("*") if path.is_file() and WORD in path.name]
    assert all(path.parent == tmp_path for path in crumbs)


POLICY = """
version: 1
name: test
people:
  kids: ["user:{word}"]
rules:
  - {{id: clean, do: [strip-metadata, rename], because: Always.}}
  - {{id: ask, when: {{people: kids, service: {{id: replicate}}}}, do: hold, because: Ask first.}}
  - {{id: no, when: {{service: {{id: openai_api, workspace: {word}}}}}, do: block, because: No.}}
"""


def test_no_command_tells(tmp_path: Path) -> None:
    """What people and programs are shown of uploads by somebody with a name and a workspace."""
    policy, users = tmp_path / "policy.yaml", tmp_path / "users"
    policy.write_text(POLICY.format(word=WORD))
    users.write_text(line(WORD, WORD))
    photo = tmp_path / f"{WORD}.jpg"
    photo.write_bytes(PHOTO)
    port = ports.free()
    options = ("--users", str(users), "--log-format", "json", "--monitor", f"127.0.0.1:{port}")
    shown: dict[str, bytes] = {}
    with labs.running(tmp_path, policy, options=options) as lab:
        own = ("--audit", str(lab.proxy.audit_folder), "--state", str(tmp_path / "state"))

        def ask(*command: str, among: tuple[str, ...] = own) -> str:
            done = call(*command, *among)
            shown[" ".join(command)] = done.output.encode()
            return done.stdout

        login = ("--proxy-user", f"{WORD}:{WORD}")
        account = ("-H", f"openai-organization: {WORD}", "-H", f"authorization: Bearer {WORD}")
        watch = [sys.executable, "-m", "safelight", "watch", "--json", *own[2:]]
        watching = subprocess.Popen(watch, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        lab.curl(*login, *account, "-F", f"image=@{photo}", f"{API}/files")
        lab.curl(*login, "-F", f"file=@{photo}", "https://api.mistral.ai/v1/files")
        url = f"https://api.replicate.com/v1/files?of={WORD}"
        sending = threading.Thread(target=lab.curl, args=(*login, "-F", f"c=@{photo}", url))
        sending.start()
        deadline = time.monotonic() + 20
        while not (waiting := json.loads(ask("holds", "list", "--json", among=own[2:]) or "[]")):
            assert time.monotonic() < deadline
        ask("holds", "list", among=own[2:])
        # Whoever may say yes has to know who asks: the name stands there, and nowhere else.
        assert watching.stdout is not None
        held = json.loads(watching.stdout.readline())["held"]
        assert held.pop("client") == waiting[0].pop("client") == f"user:{WORD}"
        shown["watch, waiting"] = json.dumps(held).encode()
        shown["holds list --json"] = json.dumps(waiting).encode()
        ask("holds", "approve", waiting[0]["id"], among=own[2:])
        sending.join()
        verdicts = [one["verdict"] for one in lab.proxy.records() if "verdict" in one]
        assert verdicts == ["block", "allow", "hold"]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            shown["metrics"] = answer.read()
        log = own[:2]
        for command in (("tail",), ("tail", "--json"), ("search",), ("search", "--json")):
            ask("audit", *command, among=log)
        ask("audit", "show", waiting[0]["id"], among=log)
        ask("audit", "coverage", among=log)
        for form in Format:
            assert ask("audit", "export", "--format", form, among=log)
        page = tmp_path / "state" / "page.html"
        ask("audit", "report", "-o", str(page))
        ask("policy", "replay", str(policy))
        doctor = ("--proxy", lab.proxy.url.removeprefix("http://"), "--policy", str(policy))
        ask("doctor", *doctor, among=own)
        output = lab.proxy.output
    shown["watch"] = b"".join(watching.communicate())
    shown["output"] = output.encode()
    assert b'"removed"' in shown["watch"]
    found = [*((str(path), content) for path, content in written(tmp_path)), *shown.items()]
    assert {name for name, content in found if told_in(content)} == set()

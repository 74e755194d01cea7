"""`mitmdump -s addons/upload_guard.py`: the same gate and guard in a mitmproxy of one's own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trustme

from tests.support import pictures, ports, records, tools
from tests.support.origin import Origin

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPT = Path(__file__).parents[2] / "addons" / "upload_guard.py"
RESOLVER = "from safelight.proxy.resolve import Resolver, parse\naddons = [Resolver([parse({!r})])]"
RAISING = "def request(flow):\n    raise RuntimeError\n"


@pytest.fixture
def origin(tmp_path: Path) -> Iterator[Origin]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "root.pem"))
    origin = Origin()
    origin.start(authority, ["api.openai.com"], tmp_path)
    yield origin
    origin.stop()


def upload(tmp_path: Path, origin: Origin, photo: bytes, *scripts: str) -> str:
    """Run mitmdump with the script, send `photo` by curl, return the status curl saw."""
    port = ports.free()
    host, origin_port = origin.address
    sources = [RESOLVER.format(f"api.openai.com:443={host}:{origin_port}"), *scripts]
    arguments = []
    for number, source in enumerate(sources):
        path = tmp_path / f"script{number}.py"
        path.write_text(source)
        arguments += ["-s", str(path)]
    process = subprocess.Popen(
        [
            *(str(Path(sys.executable).parent / "mitmdump"), "-q", "-p", str(port)),
            *("--listen-host", "127.0.0.1", "--set", f"confdir={tmp_path / 'conf'}"),
            *("--set", f"ssl_verify_upstream_trusted_ca={tmp_path / 'root.pem'}"),
            *(*arguments, "-s", str(SCRIPT)),
        ],
        env={
            **os.environ,
            "SAFELIGHT_AUDIT": str(tmp_path / "audit"),
            "XDG_DATA_HOME": str(tmp_path),
        },
    )
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        (tmp_path / "photo").write_bytes(photo)
        done = subprocess.run(
            [
                *(tools.needed("curl"), "-s", "-o", str(tmp_path / "answer"), "-w", "%{http_code}"),
                *("-x", f"http://127.0.0.1:{port}", "--max-time", "20"),
                *("--cacert", str(tmp_path / "conf" / "mitmproxy-ca-cert.pem")),
                *("--data-binary", f"@{tmp_path / 'photo'}", "https://api.openai.com/v1/files"),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout
    finally:
        process.terminate()
        process.wait(10)


def test_pictures_are_cleaned(tmp_path: Path, origin: Origin) -> None:
    assert upload(tmp_path, origin, pictures.jpeg()) == "200"
    [received] = origin.received
    assert not pictures.says_secrets(received.body)
    assert "chatgpt" not in records.text(tmp_path / "audit")


def test_broken_pictures_stay_here(tmp_path: Path, origin: Origin) -> None:
    assert upload(tmp_path, origin, pictures.jpeg()[:700]) == "403"
    assert origin.received == []


def test_another_script_that_raises_does_not_open_it(tmp_path: Path, origin: Origin) -> None:
    """mitmproxy then skips every later script, and would send the original."""
    assert upload(tmp_path, origin, pictures.jpeg(), RAISING) == "503"
    assert origin.received == []

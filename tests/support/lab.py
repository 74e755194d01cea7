"""A proxy and an origin that plays every service, ready for clients."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import trustme

from tests.support import tools
from tests.support.origin import Answer, Origin, Received, accept
from tests.support.proxy import HOME_POLICY, Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SERVICE_HOSTS = [
    "api.openai.com",
    "api.anthropic.com",
    "chatgpt.com",
    "files.oaiusercontent.com",
    "claude.ai",
    "generativelanguage.googleapis.com",
    "api.mistral.ai",
    "api.replicate.com",
    "rest.fal.ai",
    "v3.fal.media",
    "upload.kuaishouzt.com",
    "uniproxy.alice.yandex.ru",
    "www.notion.so",
    "ppl-ai-file-upload.s3.amazonaws.com",
    "prod-files.s3.us-west-2.amazonaws.com",
    "genspark.blob.core.windows.net",
    "discord.com",
    "pictures.hf.space",
    "pictures.endpoints.huggingface.cloud",
    "router.huggingface.co",
]
OTHER_HOST = "www.example.org"


@dataclass(frozen=True, slots=True)
class Answered:
    """What curl got."""

    status: int
    version: str
    headers: str
    body: str


@dataclass
class Lab:
    """`origin` plays the services, `proxy` stands before it."""

    folder: Path
    proxy: Proxy
    origin: Origin
    origin_root: Path

    @property
    def arrived(self) -> list[Received]:
        return self.origin.received

    def curl(self, *arguments: str | Path, root: Path | None = None) -> Answered:
        """Call curl through the proxy."""
        headers = self.folder / "headers.txt"
        headers.write_text("")
        done = subprocess.run(
            [
                tools.needed("curl"),
                "-sS",
                "--max-time",
                "30",
                "--proxy",
                self.proxy.url,
                "--cacert",
                str(root or self.proxy.root),
                "-D",
                str(headers),
                "-w",
                "\\n%{http_code} %{http_version}",
                *map(str, arguments),
            ],
            capture_output=True,
            check=False,
        )
        body, _, last = done.stdout.decode(errors="replace").rpartition("\n")
        status, version = last.split()
        if status == "000":
            raise ConnectionError(done.stderr.decode())
        return Answered(int(status), version, headers.read_text(errors="replace").lower(), body)

    def curl_in_turn(self, *requests: list[str | Path]) -> list[str]:
        """Make several requests by one curl; each answer's status and how many connections it
        opened for it."""
        command: list[str | Path] = [tools.needed("curl"), "-sS"]
        for number, arguments in enumerate(requests):
            command += ["--next"] if number else []
            command += ["--proxy", self.proxy.url, "--cacert", self.proxy.root, "--max-time", "30"]
            command += ["-o", "/dev/null", "-w", "%{http_code} %{num_connects}\\n", *arguments]
        return subprocess.check_output(command, text=True).splitlines()

    def new_records(self, before: int) -> list[dict[str, Any]]:
        """Audit records after the first `before`."""
        return self.proxy.records()[before:]


@contextmanager
def running(
    folder: Path,
    policy: Path = HOME_POLICY,
    *,
    before: str = "",
    answer: Answer = accept,
    behind: str = "",
    authority: trustme.CA | None = None,
    elsewhere: dict[str, tuple[str, int]] | None = None,
    options: tuple[str, ...] = (),
) -> Iterator[Lab]:
    """Start both, stop both; the proxy must stop cleanly. `elsewhere` are hosts that stand at
    other addresses, with certificates of the same `authority`."""
    authority = authority or trustme.CA()
    root = folder / "origin-root.pem"
    authority.cert_pem.write_to_path(str(root))
    origin = Origin(answer, behind)
    origin.start(authority, [*SERVICE_HOSTS, OTHER_HOST], folder)
    arguments = ["--upstream-ca", str(root), *options]
    for name in [*SERVICE_HOSTS, OTHER_HOST]:
        host, port = (elsewhere or {}).get(name, origin.address)
        arguments += ["--resolve", f"{name}:443={host}:{port}"]
    proxy = Proxy(folder, policy, arguments, before)
    try:
        proxy.start()
        yield Lab(folder, proxy, origin, root)
        assert proxy.stop() == 0
    finally:
        proxy.kill()
        origin.stop()

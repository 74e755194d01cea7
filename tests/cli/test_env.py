"""`safelight env`, in a shell, with programs that know nothing else of the proxy."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support import lab as labs
from tests.support import pictures, tools

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.lab import Lab

URL = "https://api.openai.com/v1/files"
UPLOAD = """
import sys, urllib.request
request = urllib.request.Request(sys.argv[2], open(sys.argv[1], "rb").read())
print(urllib.request.urlopen(request).status)
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("a home")
    (folder / "photo.jpg").write_bytes(pictures.jpeg())
    with labs.running(folder) as running:
        yield running


def in_shell(lab: Lab, script: str) -> str:
    address = ":".join(map(str, lab.proxy.address))
    env = f'{sys.executable} -m safelight env --proxy {address} --state "{lab.folder}/state"'
    return subprocess.check_output(
        ["/bin/sh", "-ec", f'eval "$({env})"\n{script}'],
        env={"PATH": os.environ["PATH"], "HOME": str(lab.folder)},
        text=True,
    )


def test_programs_use_the_proxy_and_trust_it(lab: Lab) -> None:
    photo = f'"{lab.folder}/photo.jpg"'
    python = f"{sys.executable} -c '{UPLOAD}' {photo} {URL}"
    sent = f"--data-binary @{photo} {URL}"
    curl = f"{tools.needed('curl')} -s -o /dev/null -w '%{{http_code}}\\n' {sent}"
    arrived = len(lab.arrived)
    assert in_shell(lab, f"{python}\n{curl}") == "200\n200\n"
    assert len(lab.arrived) == arrived + 2
    assert not any(pictures.says_secrets(one.body) for one in lab.arrived)


def test_it_is_taken_back(lab: Lab) -> None:
    undo = f'eval "$({sys.executable} -m safelight env --undo)"\nenv'
    assert "_PROXY" not in in_shell(lab, undo).upper()
    assert str(lab.folder) + "/state" not in in_shell(lab, undo)


def test_without_a_certificate_there_is_nothing_to_trust(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "safelight", "env", "--state", tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "safelight setup" in done.stderr

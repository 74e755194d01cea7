"""The proxy does not start when an upload whose check breaks would be let through."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.proxy import Proxy

if TYPE_CHECKING:
    from pathlib import Path

BREAKS = {
    "everything is cleared": """
from safelight.proxy import clearance
clearance.is_cleared = lambda _: True
""",
    "the guard is not installed": """
from safelight.proxy import guard
guard.install = lambda _: None
""",
    "the answer is not understood": """
from safelight.proxy.canary import Canary
async def nothing(*_):
    return 0
Canary._send = nothing
""",
}


@pytest.mark.parametrize("broken", BREAKS)
def test_a_proxy_that_lets_uploads_pass_does_not_start(tmp_path: Path, broken: str) -> None:
    proxy = Proxy(tmp_path, before=BREAKS[broken])
    with pytest.raises(AssertionError, match="not ready"):
        proxy.start()
    assert proxy.process is not None
    assert proxy.process.wait(15) == 1
    proxy.kill()
    assert "does not start like this" in proxy.output


def test_a_sound_proxy_says_nothing_of_it(tmp_path: Path) -> None:
    proxy = Proxy(tmp_path)
    proxy.start()
    assert proxy.stop() == 0
    assert "error" not in proxy.output
    assert proxy.records() == []

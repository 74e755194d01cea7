"""Tunnels of every kind lead where they should."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import pictures

if TYPE_CHECKING:
    from tests.support.lab import Lab


@pytest.mark.parametrize("url", ["https://api.openai.com/v1/files", "https://www.example.org/"])
def test_the_way_to_the_proxy_may_be_encrypted_too(module_lab: Lab, url: str) -> None:
    """By the certificate of a service: the proxy has no other."""
    host, port = module_lab.proxy.address
    before = len(module_lab.arrived)
    photo = module_lab.folder / "photo"
    photo.write_bytes(pictures.jpeg())
    answer = module_lab.curl(
        *("--proxy", f"https://api.openai.com:{port}", "--proxy-cacert", module_lab.proxy.root),
        *("--resolve", f"api.openai.com:{port}:{host}", "-H", "Content-Type: image/jpeg"),
        *("--data-binary", f"@{photo}", url),
        root=module_lab.proxy.root if "openai" in url else module_lab.origin_root,
    )
    assert answer.status == 200
    [arrived] = module_lab.arrived[before:]
    assert pictures.says_secrets(arrived.body) is ("openai" not in url)

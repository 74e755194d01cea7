"""WebSocket clients that speak through the proxy."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from websockets.sync.client import connect

from tests.support.origin import client_context

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

    from tests.support.lab import Lab


def open_socket(lab: Lab, url: str = "wss://chatgpt.com/ws") -> ClientConnection:
    """Connect to a service."""
    context = client_context(lab.proxy.root)
    # The library reads in one thread while it writes in another. With TLS 1.3 the session tickets
    # that come first collide with the request now and then, and it is never sent.
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    return connect(url, proxy=lab.proxy.url, ssl=context, open_timeout=20)

"""What was sent is not kept."""

from __future__ import annotations

import gc
import weakref

from mitmproxy.test import tflow

from safelight.proxy import clearance
from safelight.proxy.memory import Memory


class Body(bytearray):
    """One that can be watched."""


def test_a_body_goes_as_soon_as_its_request_was_answered() -> None:
    for end in (Memory().response, Memory().error):
        flow = tflow.tflow()
        body = Body(b"a picture")
        gone = weakref.ref(body)
        flow.request.data.content = body  # type: ignore[assignment]
        clearance.clear(flow)
        assert clearance.is_cleared(flow)
        del body
        gc.disable()
        try:
            end(flow)
            assert gone() is None
        finally:
            gc.enable()
        assert not clearance.is_cleared(flow)

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import lab as labs
from tests.support.origin import Received, accept

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.lab import Lab


@pytest.fixture(scope="module")
def module_lab(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lab]:
    """The origin shows the module's PAGE and takes whatever that sends."""
    page: bytes = request.module.PAGE

    def service(received: Received) -> tuple[int, str, bytes]:
        return (200, "text/html", page) if received.method == "GET" else accept(received)

    with labs.running(tmp_path_factory.mktemp("browser"), answer=service) as lab:
        yield lab

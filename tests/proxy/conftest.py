from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import lab as labs
from tests.support.origin import accept

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.lab import Lab


@pytest.fixture(scope="module")
def module_lab(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lab]:
    """The origin answers as the module's `service_says` does, if it has one."""
    answer = getattr(request.module, "service_says", accept)
    with labs.running(tmp_path_factory.mktemp("lab"), answer=answer) as lab:
        yield lab

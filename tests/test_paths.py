from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import os
from safelight import paths
os.setuid(61234)
print(paths.own_services(), paths.data())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="others have customs of their own")
def test_a_user_without_a_home() -> None:
    """As systemd's DynamicUser= makes them, where nobody can be asked who they are."""
    if os.geteuid() != 0:
        pytest.skip("being somebody else needs root")
    told = subprocess.check_output([sys.executable, "-c", PROGRAM], env={}, text=True)
    assert told == "/.config/safelight/services /.local/share/safelight\n"

"""Killed at every call that touches the disk: nothing that was synced is lost."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from safelight.audit import AuditLog, Decision, told, verify
from safelight.audit.writer import utc_now
from tests.audit.test_log import decision, log_in

if TYPE_CHECKING:
    from pathlib import Path

# Appends decisions, says so of each, and kills itself at the call that is named by its number;
# half of the time in the middle of what is to be written.
PROGRAM = """
import os, signal, sys
from pathlib import Path
from safelight.audit import AuditLog, Decision
folder, deadly = Path(sys.argv[1]), int(sys.argv[2])
calls = 0
def deadly_at(real, half):
    def call(*arguments, **more):
        global calls
        calls += 1
        if calls == deadly:
            if half and deadly % 2:
                real(arguments[0], arguments[1][: len(arguments[1]) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **more)
    return call
for name in ("write", "fsync", "ftruncate", "rename", "open"):
    setattr(os, name, deadly_at(getattr(os, name), name == "write"))
Path.replace = deadly_at(Path.replace, False)
log = AuditLog(folder / "audit", folder / "keys")
for number in range(4):
    log.append(Decision.model_validate_json(sys.argv[3].replace("d_0", f"d_{number}")))
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
    log.sign()
"""


@pytest.mark.parametrize("days", [None, 0, 1])
def test_killed_at_every_call(tmp_path: Path, days: int | None) -> None:
    """With no log yet, with one of today, and with one of yesterday, which another file follows."""
    begun = utc_now() - timedelta(days=days or 0)
    line = decision().model_dump_json(by_alias=True)
    for deadly in range(1, 200):
        folder = tmp_path / str(deadly)
        if days is not None:
            log = AuditLog(folder / "audit", folder / "keys", lambda: begun)
            log.append(decision(77))
            log.close()
        command = [sys.executable, "-c", PROGRAM, str(folder), str(deadly), line]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        log_in(folder).append(decision(88))
        verify(folder / "audit", None)
        kept = {record.id for record in told(folder / "audit") if isinstance(record, Decision)}
        said = {decision().id.replace("d_0", f"d_{number}") for number in done.stdout.split()}
        assert said | {decision(88).id} <= kept
        if done.returncode == 0:
            assert deadly > 20
            return
        assert done.returncode == -signal.SIGKILL, done.stderr
    pytest.fail("it always died")

"""`safelight run` as a process of its own, as people run it."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support import records

HOME_POLICY = Path(__file__).parents[2] / "policies" / "home.yaml"


@dataclass
class Proxy:
    """A running proxy. `url` is what clients are given, `root` the certificate to trust.

    `before` is Python that runs before the command does, to break things inside.
    """

    folder: Path
    policy: Path = HOME_POLICY
    arguments: list[str] = field(default_factory=list)
    before: str = ""
    url: str = ""
    process: subprocess.Popen[str] | None = None
    _output: list[str] = field(default_factory=list)
    _reader: threading.Thread | None = None

    @property
    def root(self) -> Path:
        return self.folder / "state" / "safelight-ca.pem"

    @property
    def audit_folder(self) -> Path:
        return self.folder / "audit"

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.url.removeprefix("http://").rpartition(":")
        return host, int(port)

    @property
    def output(self) -> str:
        """What it has printed on standard error so far."""
        return "".join(self._output)

    def records(self) -> list[dict[str, Any]]:
        """What the audit log says of uploads so far."""
        return records.told(self.audit_folder)

    def start(self) -> None:
        """Start it and wait until it accepts connections."""
        program = f"{self.before}\nfrom safelight.cli import main\nmain()"
        command = [
            *(sys.executable, "-c", program, "run", "--listen", "127.0.0.1:0"),
            *("--policy", str(self.policy), "--audit", str(self.folder / "audit")),
            *("--state", str(self.folder / "state"), *self.arguments),
        ]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr is not None
        assert self.process.stdout is not None
        self._reader = threading.Thread(
            target=self._output.extend, args=(self.process.stderr,), daemon=True
        )
        self._reader.start()
        line = self.process.stdout.readline()
        assert line.startswith("ready "), f"not ready: {line!r} {self.output}"
        self.url = f"http://{line.split()[1]}"

    def stop(self) -> int:
        """Stop it as Ctrl-C does, if it still runs; return its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(15)
        finally:
            self.kill()

    def kill(self) -> None:
        """End it at once if it still runs, and let go of its output."""
        if self.process is None:
            return
        self.process.kill()
        self.process.wait()
        if self._reader is not None:
            self._reader.join()
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()

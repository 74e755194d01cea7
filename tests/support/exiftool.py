"""ExifTool as an independent judge of what a file still tells."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tests.support import allowed_tags, tools

_LOCAL = Path(__file__).parents[2] / ".tools/node_modules/exiftool-vendored.pl/bin/exiftool"


def find() -> list[str] | None:
    """How to call ExifTool, or None where there is none."""
    if "SAFELIGHT_EXIFTOOL" in os.environ:
        return [os.environ["SAFELIGHT_EXIFTOOL"]]
    if _LOCAL.exists() and shutil.which("perl"):
        return ["perl", str(_LOCAL)]
    found = shutil.which("exiftool")
    return [found] if found else None


def needed() -> list[str]:
    """How to call ExifTool; skips the test where there is none, or fails it in CI."""
    return find() or tools.missing("ExifTool")


def read(files: dict[str, bytes], command: list[str] | None = None) -> dict[str, dict[str, Any]]:
    """All tags of each file as `group:tag`, by the file's name."""
    command = command or needed()
    with tempfile.TemporaryDirectory() as folder:
        names = [str(Path(folder) / name) for name in files]
        for name, data in zip(names, files.values(), strict=True):
            Path(name).write_bytes(data)
        arguments = ["-json", "-a", "-G1", "-ee3", "-u", "-q", "-q", *names]
        done = subprocess.run([*command, *arguments], capture_output=True, check=False, timeout=110)
        reports = json.loads(done.stdout or b"[]")
    return {Path(report["SourceFile"]).name: report for report in reports}


def left_over(report: dict[str, Any]) -> set[str]:
    """The tags of a report that a cleaned picture may not have."""
    return {name for name in report if name != "SourceFile" and not _is_allowed(name)}


def _is_allowed(name: str) -> bool:
    group, _, tag = name.partition(":")
    if group != "Jpeg2000":
        group = group.rstrip("0123456789")
    return group in allowed_tags.GROUPS or tag in allowed_tags.TAGS.get(group, ())

"""What stands in an audit log."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_OF_UPLOADS = {"decision", "end", "release", "unseen"}


def text(folder: Path) -> str:
    """All lines, oldest first."""
    return "".join(path.read_text() for path in sorted(folder.glob("audit-*.jsonl")))


def told(folder: Path) -> list[dict[str, Any]]:
    """The records of uploads, oldest first."""
    lines = text(folder).splitlines()
    return [record for record in map(json.loads, lines) if record["kind"] in _OF_UPLOADS]

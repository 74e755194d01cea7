"""The file that says until when rules that stop uploads are paused: one program writes it, the
proxy reads it. It ends by itself: what it holds is a moment, not a switch."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def file(state: Path) -> Path:
    """Where it is, in the state folder."""
    return state / "pause.json"


def read(state: Path) -> datetime | None:
    """Until when there is a pause; None where nobody asked for one, or nobody can tell."""
    try:
        until = datetime.fromisoformat(json.loads(file(state).read_bytes())["until"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return until if until.tzinfo else None


def write(state: Path, until: datetime) -> None:
    """Pause until then. Raises OSError."""
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = file(state).with_suffix(".new")
    new.touch(mode=0o600)
    new.write_text(json.dumps({"until": until.astimezone(UTC).isoformat(timespec="seconds")}))
    new.replace(file(state))


def end(state: Path) -> None:
    """Pause no longer. Raises OSError."""
    file(state).unlink(missing_ok=True)

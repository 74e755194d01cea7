"""Where the files that come with Safelight are, and where it keeps its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent


def _home() -> Path:
    """This person's folder. A service's user may have none, as little as a shell."""
    try:
        return Path.home()
    except RuntimeError:
        return Path("/")


def policies() -> Path:
    """The folder of policies that comes with Safelight: in the package, or beside it."""
    packaged = _HERE / "_policies"
    return packaged if packaged.is_dir() else _HERE.parent.parent / "policies"


def default_policy() -> Path:
    """The policy that is used when none is named."""
    return policies() / "home.yaml"


def catalogue() -> Path:
    """The folder of service files."""
    return policies() / "services"


def config() -> Path:
    """This person's folder for what they write themselves, after the customs of the system."""
    return data() if sys.platform in {"darwin", "win32"} else settings() / "safelight"


def settings() -> Path:
    """This person's folder of the settings of all programs, on Linux."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or _home() / ".config")


def own_services() -> Path:
    """The folder of service files that this person wrote."""
    return config() / "services"


def data() -> Path:
    """This person's folder for Safelight, after the customs of the system."""
    if sys.platform == "darwin":
        return _home() / "Library" / "Application Support" / "Safelight"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", _home() / "AppData/Local")) / "Safelight"
    return Path(os.environ.get("XDG_DATA_HOME") or _home() / ".local/share") / "safelight"


def default_state() -> Path:
    """The folder of the certificate authority."""
    return data() / "state"


def default_audit() -> Path:
    """The folder of the audit file."""
    return data() / "audit"


def audit_keys(state: Path) -> Path:
    """The folder of the audit file's keys, within a state folder."""
    return state / "audit-keys"


def broker_socket(state: Path) -> Path:
    """Where a running proxy is spoken to, within its state folder."""
    return state / "broker.socket"

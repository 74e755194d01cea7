"""The desktop's settings: which proxy its programs use, and what starts when somebody logs in."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from safelight.desktop import gnome, kde, launchd, macos, systemd, windows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from safelight.steps import Part

__all__ = ["proxy_settings", "start_at_login"]


def proxy_settings(script: str, address: str) -> Iterator[Part]:
    """Every desktop here that can send AI services through the proxy: `script` is the URL of the
    proxy configuration that needs no proxy to be read, `address` the one that does."""
    if sys.platform == "darwin":
        yield macos.Networks(address)
    elif sys.platform == "win32":
        yield windows.InternetSettings(address)
    else:
        if gnome.is_here():
            yield gnome.Proxy(script)
        if kde.is_here():
            yield kde.Proxy(script)


def start_at_login(command: Sequence[str], config: Path, home: Path) -> Iterator[Part]:
    """What starts `command` when this person logs in. `config` is their folder of settings."""
    if sys.platform == "darwin":
        yield launchd.Agent(tuple(command), home)
    elif sys.platform == "win32":
        yield windows.LogonTask(tuple(command))
    elif systemd.is_here():
        yield systemd.UserUnit(tuple(command), config, home)

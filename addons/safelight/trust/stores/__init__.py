"""Places in which a machine keeps the authorities that it trusts; one file each."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from safelight.trust.stores import linux, macos, nss, windows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from safelight.steps import Part

__all__ = ["found"]


def found(certificate: Path, home: Path) -> Iterator[Part]:
    """Every place on this machine that `certificate` can be trusted in."""
    if sys.platform == "darwin":
        yield macos.Keychain(certificate, home)
    elif sys.platform == "win32":
        yield windows.RootStore(certificate)
    else:
        system = linux.system_store(certificate)
        if system is not None:
            yield system
        yield from nss.databases(certificate, home)
